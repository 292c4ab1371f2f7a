"""The checklist on a bench of the test's own, in no time; then with one thing wrong at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

from control.arming import IDENTITIES, Arming, ArmingBench, CheckResult
from control.cell_order import staircase, wrong_order
from control.device import DeviceBehaviour
from drivers.errors import BenchError, LinkSilent

if TYPE_CHECKING:
    from drivers.snapshot import Floats

CELLS = 6


@dataclass
class FakeRig:
    """Instruments and device under test at once; each field is one thing that may be wrong."""

    sense: list[int] = field(default_factory=lambda: list(range(CELLS)))  # which cell each BMS input is wired to
    missing: int | None = None
    silent_s: tuple[float, float] = (0.0, 0.0)  # the supply's readings are late between these two
    shunt_sign: float = 1.0
    shunt_zero_a: float = 0.02
    supply_sign: float = 1.0
    protect_v: float = 5.2
    supply_protect_a: float = 100.0
    supply_protect_sunk_a: float = 100.0
    closes: bool = True
    closes_s: float = 0.0
    reports_s: float = 0.0  # how old a cell voltage is that the device tells
    recovers_s: float = 0.0
    state: float = 3.0
    welded: bool = False
    fault: float = 0.0
    latched: bool = True
    balancing: float = 5.0
    estop: float = 1.0
    identity_text: str = "NGI,N83624,0,V1.00"
    dumb: bool = False
    elapsed_s: float = 0.0
    log: list[str] = field(default_factory=list[str])
    volts: Floats = field(default_factory=lambda: np.zeros(CELLS))
    before: tuple[float, Floats] = field(default_factory=lambda: (0.0, np.zeros(CELLS)))  # until when, what was told
    asked_s: float = math.inf
    current_a: float = 0.0
    closed: bool = False
    on: bool = False

    def wait(self, seconds: float) -> None:
        self.elapsed_s += seconds

    def read(self, name: str) -> float:
        self.closed = self.closed or self.elapsed_s - self.asked_s >= self.closes_s
        flowing_a = self.current_a if self.on and self.closed else 0.0
        noise = 0.0006 * math.sin(91.0 * self.elapsed_s + len(name))
        if name.startswith("bms/cell_"):
            place = int(name[9:11]) - 1
            until_s, old = self.before
            told = old if self.elapsed_s < until_s else self.volts
            return math.nan if place == self.missing else float(told[self.sense[place]]) + noise
        return {
            "io/estop": self.estop,
            "io/contactor": float(self.closed or self.welded),
            "bms/contactor": float(self.closed),
            "bms/fault": self.fault + 2.0 * self.latched,
            "bms/fault_cell": 0.0,
            "bms/state": 10.0 if self.elapsed_s < self.recovers_s else self.state,
            "bms/balancing": self.balancing,
            "bms/pack_current": self.shunt_sign * flowing_a + self.shunt_zero_a + noise,
            "supply/current": math.nan if self.silent else self.supply_sign * flowing_a + noise,
        }[name]

    @property
    def silent(self) -> bool:
        begin_s, end_s = self.silent_s
        return begin_s <= self.elapsed_s < end_s

    def bench(self, **changes: Any) -> ArmingBench:
        settings: dict[str, Any] = {
            "cells": FakeCells(self),
            "supply": FakeSupply(self),
            "device": FakeDevice(self),
            "others": {"io_box": FakeBox()},
            "expect": {"cell_simulator": "NGI,N83624", "supply": "EA", "io_box": "PulseBMS,IO-8"},
            "protect": ((5.2, 5.0), (20.0, 100.0)),
            "cell_v": np.full(CELLS, 3.8),
            "dbc_hash": "",
            "prove_guard": lambda: True,
            "going_live": lambda: self.log.append("going live"),
            "read": self.read,
            "wait": self.wait,
        }
        return ArmingBench(**{**settings, **changes})


class FakeBox:
    def identity(self) -> str:
        return "PulseBMS,IO-8,1,1.0"


@dataclass
class FakeCells:
    rig: FakeRig

    def identity(self) -> str:
        if self.rig.dumb:
            raise LinkSilent("no answer within 250 ms", where="cell_simulator", hint="check its cable")
        return self.rig.identity_text

    def prepare(self) -> None:
        self.rig.log.append("cells prepared")

    def protections(self) -> tuple[Floats, Floats]:
        volts = np.full(CELLS, 5.2)
        volts[2] = self.rig.protect_v
        return volts, np.full(CELLS, 5.0)

    def set_voltages(self, volts: Floats) -> None:
        self.rig.before = (self.rig.elapsed_s + self.rig.reports_s, self.rig.volts)
        self.rig.volts = volts.copy()

    def outputs(self, on: bool) -> None:  # noqa: FBT001  # as the protocol has it
        self.rig.log.append(f"cells {on}")


@dataclass
class FakeSupply:
    rig: FakeRig

    def identity(self) -> str:
        return "EA Elektro-Automatik, PSB 10060-120"

    def lock(self, on: bool) -> None:  # noqa: FBT001  # as the protocol has it
        self.rig.log.append(f"lock {on}")

    def prepare(self) -> None:
        self.rig.log.append("supply prepared")

    def protections(self) -> tuple[float, float, float]:
        return 20.0, self.rig.supply_protect_a, self.rig.supply_protect_sunk_a

    def set_current(self, current_a: float) -> None:
        self.rig.current_a = current_a

    def output(self, on: bool) -> None:  # noqa: FBT001  # as the protocol has it
        assert not on or (self.rig.closed and self.rig.current_a == 0.0), "on only at 0 A with the loop closed"
        self.rig.on = on


@dataclass
class FakeDevice:
    rig: FakeRig
    dbc_hash: str = "0123456789abcdef"

    def request(
        self, contactor: Literal["open", "close", "none"], *, reset: bool = False, balance_off: bool = False
    ) -> None:
        self.rig.latched = self.rig.latched and not reset
        rig, closes = self.rig, contactor == "close" and self.rig.closes
        rig.asked_s = min(rig.asked_s, rig.elapsed_s) if closes else math.inf
        rig.closed = closes and rig.elapsed_s - rig.asked_s >= rig.closes_s
        self.rig.balancing = 0.0 if balance_off and self.rig.balancing == 5.0 else self.rig.balancing
        self.rig.log.append(contactor)


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
