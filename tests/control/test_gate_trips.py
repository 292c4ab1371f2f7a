"""When the gate trips, and what it takes for unknown, at each boundary. Plain functions, as in `test_gate`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.control.smallbench import (
    CELLS,
    HIGH,
    HOLD_TICKS,
    LATE_S,
    LOST_S,
    LOW,
    TABLE,
    command,
    just_above,
    just_below,
)

if TYPE_CHECKING:
    from tests.control.smallbench import SmallBench


INF = math.inf


def test_measured_values_on_their_bounds_are_in_order(bench: SmallBench) -> None:
    gate = bench.gate()
    for name in (*CELLS, "supply/current", "bms/temperature_1"):
        for bound in (LOW, HIGH):
            assert bench.allowed(bench.verdict(gate, values={name: bound[TABLE.index(name)]}))


def test_a_measured_value_just_beyond_its_bound_trips(bench: SmallBench) -> None:
    for name in (*CELLS, "supply/current", "bms/temperature_1"):
        n = TABLE.index(name)
        assert bench.tripped(bench.verdict(bench.gate(), values={name: just_above(HIGH[n])}), name, "above")
        assert bench.tripped(bench.verdict(bench.gate(), values={name: just_below(LOW[n])}), name, "below")


def test_an_infinite_measured_value_trips(bench: SmallBench) -> None:
    assert bench.tripped(bench.verdict(bench.gate(), values={"cell_02/voltage": INF}), "above")
    assert bench.tripped(bench.verdict(bench.gate(), values={"cell_02/voltage": -INF}), "below")


def test_a_violation_names_channel_value_unit_bound_and_where_it_is_declared(bench: SmallBench) -> None:
    verdict = bench.verdict(bench.gate(), values={"cell_02/voltage": 5.012})
    assert verdict.reason == "cell_02/voltage 5.012 V above 5.000 V (hil24.toml:58)"


def test_tripped_applies_no_current_and_cells_as_last_allowed(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate, command(30.0, (3.6, 3.9), 300.0))
    verdict = bench.verdict(gate, command(40.0, (4.0, 4.0)), values={"supply/current": 81.0})
    assert bench.tripped(verdict)
    assert verdict.requested.current_a == 40.0
    assert verdict.apply.current_a == 0.0
    assert verdict.apply.cell_voltage_v.tolist() == [3.6, 3.9]
    assert verdict.apply.cell_temperature_k.tolist() == [300.0, 300.0]


def test_a_trip_latches_with_its_first_reason(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate, values={"supply/current": 81.0})
    for _ in range(3):
        assert bench.tripped(bench.verdict(gate, values={"cell_01/voltage": 5.5}), "supply/current 81.000 A")
    assert bench.tripped(bench.verdict(gate), "supply/current 81.000 A")


def test_a_reset_with_a_reason_opens_the_gate_again(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate, values={"supply/current": 81.0})
    gate.reset("shunt was recalibrated")
    assert bench.allowed(bench.verdict(gate))


def test_a_reset_without_a_reason_is_refused_and_changes_nothing(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate, values={"supply/current": 81.0})
    for nothing in ("", "  "):
        with pytest.raises(ValueError, match="reason"):
            gate.reset(nothing)
    assert bench.tripped(bench.verdict(gate))


def test_what_still_is_wrong_trips_again_after_a_reset(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate, values={"supply/current": 81.0})
    gate.reset("hoping")
    assert bench.tripped(bench.verdict(gate, values={"supply/current": 82.0}), "82.000 A")


def test_a_reset_starts_from_zero_current_and_full_hold(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate, command(30.0))
    bench.verdict(gate, command(99.0))
    bench.verdict(gate, values={"supply/current": 81.0})
    gate.reset("checked")
    held = bench.verdict(gate, command(99.0))
    assert held.apply.current_a == 0.0
    assert held.ticks_left == HOLD_TICKS - 1


def test_a_trip_seen_by_somebody_else_latches_and_the_first_reason_stays(bench: SmallBench) -> None:
    gate = bench.gate()
    gate.trip("guard: OUTPUTS OFF was pressed")
    gate.trip("something later")
    assert bench.tripped(bench.verdict(gate), "OUTPUTS OFF")


def test_an_open_emergency_stop_chain_trips(bench: SmallBench) -> None:
    for reading in (0.0, just_below(1.0), just_above(1.0), 2.0):
        assert bench.tripped(bench.verdict(bench.gate(), values={"io/estop": reading}), "io/estop", "emergency-stop")


def test_a_value_is_fresh_up_to_its_late_age(bench: SmallBench) -> None:
    gate = bench.gate(late_s=np.where(np.isinf(LATE_S), INF, 0.25), lost_s=LOST_S * 4)
    for name in (*CELLS, "supply/current", "io/estop"):
        assert bench.allowed(bench.verdict(gate, ages_s={name: 0.25}))
        assert bench.held(bench.verdict(gate, ages_s={name: 0.2501}), f"{name} is late", "0.250")


def test_one_late_value_holds_and_names_itself(bench: SmallBench) -> None:
    verdict = bench.verdict(bench.gate(), ages_s={"cell_02/voltage": 0.05})
    assert bench.held(verdict, "cell_02/voltage is late: 0.050 s old, limit 0.040 s")
    assert verdict.ticks_left == HOLD_TICKS - 1


def test_a_value_that_need_not_be_known_may_be_old_or_missing(bench: SmallBench) -> None:
    assert bench.allowed(bench.verdict(bench.gate(), ages_s={"bms/temperature_1": 1e6}))
    assert bench.allowed(bench.verdict(bench.gate(), values={"bms/temperature_1": math.nan, "bms/charge_limit": INF}))


def test_a_required_value_that_is_not_a_number_holds_at_once(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate)
    for name in (*CELLS, "supply/current", "io/estop"):
        assert bench.held(bench.verdict(gate, values={name: math.nan}), f"{name} is not a number")
        assert bench.allowed(bench.verdict(gate))


def test_lost_knowledge_of_a_required_channel_trips(bench: SmallBench) -> None:
    for name in (*CELLS, "supply/current", "io/estop"):
        lost_s = LOST_S[TABLE.index(name)]
        assert bench.held(bench.verdict(bench.gate(), ages_s={name: lost_s - 1e-6}), "late")
        verdict = bench.verdict(bench.gate(), ages_s={name: lost_s + 1e-6})
        assert bench.tripped(verdict, f"{name} is lost", f"{lost_s:.3f} s")


def test_knowledge_is_lost_only_beyond_its_age(bench: SmallBench) -> None:
    bench.t_s = 0.0
    gate = bench.gate(lost_s=np.where(np.isinf(LOST_S), INF, 0.25))
    assert bench.held(bench.verdict(gate, ages_s={"cell_01/voltage": 0.25}, after_s=1.0), "late")


def test_a_channel_that_stays_not_a_number_is_lost_though_it_is_sampled(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate)
    missing = {"cell_01/voltage": math.nan}
    assert bench.held(bench.verdict(gate, values=missing, after_s=0.24))
    assert bench.tripped(
        bench.verdict(gate, values=missing, after_s=0.02), "cell_01/voltage is lost: not known for 0.260 s"
    )


def test_a_channel_that_was_never_known_trips(bench: SmallBench) -> None:
    assert bench.tripped(bench.verdict(bench.gate(), values={"cell_01/voltage": math.nan}), "cell_01/voltage is lost")
    assert bench.tripped(bench.verdict(bench.gate(), ages_s={"cell_01/voltage": math.nan}), "cell_01/voltage is lost")


def test_a_sample_from_the_future_is_not_fresh(bench: SmallBench) -> None:
    assert bench.held(bench.verdict(bench.gate(), ages_s={"cell_01/voltage": -0.05}), "late")
    assert bench.tripped(bench.verdict(bench.gate(), ages_s={"cell_01/voltage": -1.0}), "lost")


def test_time_that_is_not_a_number_trips(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate)
    assert bench.tripped(bench.verdict(gate, after_s=math.nan), "lost")


def test_a_silent_device_means_zero_current_at_once_and_no_trip(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate, command(30.0, (3.6, 3.9)))
    silent = {"bms/state": 0.301, "bms/temperature_1": 0.301}
    verdict = bench.verdict(gate, command(30.0), ages_s=silent)
    assert bench.held(verdict, "device under test is silent", "0.300 s")
    assert (verdict.apply.current_a, verdict.ticks_left) == (0.0, 0)
    assert verdict.apply.cell_voltage_v.tolist() == [3.6, 3.9]
    assert bench.allowed(bench.verdict(gate))


def test_a_device_is_heard_while_any_of_its_values_is_new_enough(bench: SmallBench) -> None:
    bench.t_s = 0.0
    gate = bench.gate(device_silent_s=0.25)
    assert bench.allowed(bench.verdict(gate, ages_s={"bms/state": 0.25, "bms/temperature_1": 9.0}, after_s=1.0))
    assert bench.allowed(bench.verdict(gate, ages_s={"bms/state": math.nan, "bms/temperature_1": 0.1}))
    assert bench.held(bench.verdict(gate, ages_s={"bms/state": 0.26, "bms/temperature_1": 9.0}), "silent")


def test_a_device_that_was_never_heard_is_silent(bench: SmallBench) -> None:
    for age_s in (math.nan, INF):
        ages = {"bms/state": age_s, "bms/temperature_1": age_s}
        assert bench.held(bench.verdict(bench.gate(), ages_s=ages), "silent")


def test_a_pack_advertises_limits_that_bind(bench: SmallBench) -> None:
    gate = bench.gate(advertised=tuple(TABLE.indices(["bms/charge_limit", "bms/discharge_limit"]).tolist()))
    assert bench.allowed(bench.verdict(gate, command(40.0)))
    assert bench.allowed(bench.verdict(gate, command(-30.0)))
    assert bench.held(bench.verdict(gate, command(just_above(40.0))), "the device allows -30.000 to 40.000 A")
    assert bench.held(bench.verdict(gate, command(just_below(-30.0))), "asked -30.000 A")
    for unknown in ("bms/charge_limit", "bms/discharge_limit"):
        assert bench.held(bench.verdict(gate, command(0.0), values={unknown: math.nan}), "the device allows")


def test_of_several_broken_limits_the_one_that_was_sampled_first_is_told(bench: SmallBench) -> None:
    values = {"cell_01/voltage": 0.001, "cell_02/voltage": 5.1}
    verdict = bench.verdict(bench.gate(), values=values, ages_s={"cell_02/voltage": 0.02})
    assert bench.tripped(verdict, "cell_02/voltage 5.100 V above 5.000 V")
    verdict = bench.verdict(bench.gate(), values=values, ages_s={"cell_02/voltage": math.nan})
    assert bench.tripped(verdict, "cell_01/voltage 0.001 V below")
