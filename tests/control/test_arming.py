"""The checklist on a bench of the test's own, in no time; then with one thing wrong at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from control.arming import IDENTITIES, Arming, CheckResult
from control.cell_order import staircase, wrong_order
from control.device import DeviceBehaviour
from drivers.errors import BenchError
from tests.control.fake_arming import CELLS, FakeRig


def results(rig: FakeRig, **changes: Any) -> list[CheckResult]:
    return list(Arming(rig.bench(**changes)).run())


def test_a_bench_in_order_passes_every_check_and_is_left_live_at_zero_current() -> None:
    rig = FakeRig()
    done = results(rig)
    assert [check.name for check in done if not check.ok] == []
    assert len(done) == 11
    assert (rig.closed, rig.on, rig.current_a) == (True, True, 0.0)
    assert rig.volts.tolist() == [3.8] * CELLS
    identities = {check.name: check.values for check in done if check.values}
    assert list(identities) == [IDENTITIES]
    assert list(identities[IDENTITIES]) == ["cell_simulator", "supply", "io_box"]


SLOW = DeviceBehaviour(
    settle_s=1.2, healthy_s=6.0, close_s=5.0, health_channel="bms/state", healthy=(3.0, 7.0), balances=False
)


def test_a_slower_device_is_waited_for_as_its_map_says() -> None:
    rig = FakeRig(reports_s=0.7, closes_s=3.7, recovers_s=4.0)
    done = results(rig, behaviour=SLOW)
    assert [(check.name, check.detail) for check in done if not check.ok] == []
    assert rig.closed


@pytest.mark.parametrize(
    ("slow", "name"),
    [({"reports_s": 0.7}, "cell order"), ({"closes_s": 3.7}, "contactors")],
)
def test_a_slower_device_fails_by_the_times_of_another(slow: dict[str, float], name: str) -> None:
    last = results(FakeRig(**slow))[-1]  # pyright: ignore[reportArgumentType]  # floats all
    assert (last.name, last.ok) == (name, False)


def test_a_device_in_no_healthy_state_is_not_armed_whatever_its_fault_number() -> None:
    last = results(FakeRig(state=10.0, latched=False), behaviour=SLOW)[-1]
    assert (last.name, last.ok) == ("cells live", False)
    assert "no fault, bms/state 10" in last.detail


def test_a_device_in_a_healthy_state_is_armed_whatever_its_fault_number() -> None:
    assert all(check.ok for check in results(FakeRig(fault=2.0), behaviour=SLOW))


def test_a_device_that_tells_no_balancing_is_not_asked_for_it_and_the_checklist_says_so() -> None:
    checks = {check.name: check for check in results(FakeRig(balancing=8.0), behaviour=SLOW)}
    assert checks["balancing off"].ok
    assert "not verified" in checks["balancing off"].detail


def test_the_checklist_takes_seconds_not_minutes() -> None:
    rig = FakeRig()
    results(rig)
    assert rig.elapsed_s < 5.0


def test_the_guard_is_told_before_contactors_close() -> None:
    rig = FakeRig()
    results(rig)
    assert rig.log.index("going live") < rig.log.index("close")


def test_contactors_are_never_asked_to_close_while_the_guard_has_not_confirmed_that_it_is_armed() -> None:
    def refuse() -> None:
        raise BenchError("the guard has not confirmed within 0.2 s that it is armed")

    rig = FakeRig()
    last = results(rig, going_live=refuse)[-1]
    assert (last.name, last.ok) == ("contactors", False)
    assert "has not confirmed" in last.detail
    assert "close" not in rig.log
    assert (rig.closed, rig.on) == (False, False)


@pytest.mark.parametrize(
    ("wrong", "name", "words"),
    [
        ({"identity_text": "KIKUSUI,PCR"}, "identities", "answers as KIKUSUI"),
        ({"dumb": True}, "identities", "no answer within 250 ms"),
        ({"estop": 0.0}, "emergency-stop chain", "reads 0"),
        ({"protect_v": 6.0}, "protections", "cell_simulator protects at 6.000 V, declared 5.200 V"),
        ({"supply_protect_a": 120.0}, "protections", "supply protects at 120.000 A sourced, declared 100.000 A"),
        ({"supply_protect_sunk_a": 132.0}, "protections", "supply protects at 132.000 A sunk, declared 100.000 A"),
        ({"fault": 7.0}, "cells live", "fault 7"),
        ({"welded": True}, "cells live", "NOT open"),
        ({"balancing": 8.0}, "balancing off", "reads 8"),
        ({"sense": [0, 3, 2, 1, 4, 5]}, "cell order", "cells 2 and 4 are swapped"),
        ({"missing": 4}, "cell order", "reports no voltage for cell 5"),
        ({"shunt_zero_a": 0.8}, "zero current", "+0.80"),
        ({"closes": False}, "contactors", "not closed within 2 s: BMS state 3"),
        ({"shunt_sign": -1.0}, "polarity", "bms/pack_current -1.00 A at +1 A sunk"),
        ({"supply_sign": -1.0}, "polarity", "supply/current -1.00 A at +1 A sunk"),
        ({"shunt_sign": 0.5}, "polarity", "bms/pack_current +0.50 A"),
        ({"silent_s": (0.0, math.inf)}, "zero current", "supply/current +nan A"),
    ],
)
def test_one_thing_wrong_fails_its_check_and_backs_off(wrong: dict[str, Any], name: str, words: str) -> None:
    rig = FakeRig(**wrong)
    last = results(rig)[-1]
    assert (last.name, last.ok) == (name, False)
    assert words in last.detail
    assert last.hint
    assert (rig.on, rig.closed, rig.current_a) == (False, False, 0.0)


def test_a_reading_that_is_late_is_waited_for_and_no_wrong_wire() -> None:
    settled = FakeRig()
    results(settled)
    for begin_s in np.arange(0.0, settled.elapsed_s, 0.5).tolist():
        rig = FakeRig(silent_s=(begin_s, begin_s + 0.4))
        assert [result.name for result in results(rig) if not result.ok] == []


def test_an_unproven_guard_refuses_to_arm_before_anything_is_live() -> None:
    rig = FakeRig()
    last = results(rig, prove_guard=lambda: False)[-1]
    assert (last.name, last.ok) == ("guard's connection", False)
    assert "cells True" not in rig.log


@pytest.mark.parametrize(("declared", "ok"), [("0123456789abcdef", True), ("fedcba9876543210", False), ("", True)])
def test_the_dbc_is_the_declared_one(declared: str, ok: bool) -> None:  # noqa: FBT001  # pytest fills it
    checks: dict[str, CheckResult] = {check.name: check for check in results(FakeRig(), dbc_hash=declared)}
    assert checks["DBC"].ok is ok


def test_a_checklist_that_is_left_half_way_backs_off() -> None:
    rig = FakeRig()
    checks = Arming(rig.bench()).run()
    for check in checks:
        if check.name == "contactors":
            break
    assert rig.on
    checks.close()
    assert (rig.on, rig.closed) == (False, False)


def test_backing_off_goes_on_when_a_part_of_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("wire is gone")

    rig = FakeRig()
    bench = rig.bench()
    checks = Arming(bench).run()
    while next(checks).name != "contactors":
        pass
    monkeypatch.setattr(bench.supply, "set_current", broken)
    checks.close()
    assert (rig.on, rig.closed) == (False, False)


def test_the_walk_steps_around_zero_by_5_mv() -> None:
    assert staircase(4).tolist() == pytest.approx([-0.0075, -0.0025, 0.0025, 0.0075])


def test_cells_in_their_places_give_no_complaint_within_half_a_step() -> None:
    seen = 3.8 + staircase(24) + 0.002 * np.sin(np.arange(24.0))
    assert wrong_order(seen) == ""


def test_a_rotation_of_three_names_every_place() -> None:
    order = [0, 2, 3, 1, 4, 5]
    told = wrong_order(3.8 + staircase(6)[order])
    assert (
        told == "the BMS reports cell 3 as cell 2; the BMS reports cell 4 as cell 3; the BMS reports cell 2 as cell 4"
    )


def test_a_reading_that_belongs_to_no_cell_is_named_alone() -> None:
    seen = 3.8 + staircase(24)
    seen[4] = 0.003
    assert wrong_order(seen) == "the BMS reports 0.003 V for cell 5, a voltage that was set on no cell"


def test_a_shift_of_all_cells_is_noticed() -> None:
    assert wrong_order(3.8 + np.roll(staircase(6), 1)).startswith("the BMS reports cell 6 as cell 1")


def test_two_swaps_are_both_named() -> None:
    order = [1, 0, 2, 3, 5, 4]
    assert wrong_order(3.8 + staircase(6)[order]) == "cells 1 and 2 are swapped; cells 5 and 6 are swapped"
