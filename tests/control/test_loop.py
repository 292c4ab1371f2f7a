from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from control.gate import Allowed, Gate, Held, Tripped
from control.loop import Loop
from control.ports import CurrentRange
from control.snapshot_builder import PackView, Wiring
from control.state import BenchState
from drivers.errors import Refused
from drivers.event import EventKind, Level
from drivers.snapshot import Command
from tests.control.fakes import CELLS, PERIOD_S, Rig, rig

CONNECTED, ARMED, RUNNING = BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING


def running() -> Rig:
    made = rig()
    made.to(CONNECTED, ARMED, RUNNING)
    return made


def test_nothing_is_applied_before_arming() -> None:
    made = rig()
    made.to(CONNECTED)
    tick = made.turns(3)
    assert made.bench.applied == []
    assert isinstance(tick.verdict, Held)
    assert tick.verdict.reason == "not armed"


def test_armed_plays_the_cells_and_asks_for_no_current() -> None:
    made = rig()
    made.to(CONNECTED, ARMED)
    made.turns(2)
    assert made.bench.applied[-1].current_a == 0.0
    assert made.bench.applied[-1].cell_voltage_v.tolist() == [3.7, 3.7]


def test_running_applies_the_active_controllers_current_and_the_active_twins_cells() -> None:
    made = running()
    tick = made.turns(3)
    assert isinstance(tick.verdict, Allowed)
    assert made.bench.applied[-1].current_a == 5.0
    assert made.bench.applied[-1].cell_voltage_v == pytest.approx([3.695, 3.695])


def test_twins_step_with_the_loops_current_plus_each_cells_own() -> None:
    made = running()
    made.bench.values |= {"cell_02/current": 0.5}
    made.turns(3)
    for twin in (made.active_twin, made.other_twin):
        current_a, dt_s = twin.stepped[-1]
        assert current_a.tolist() == [5.0, 5.5]
        assert dt_s == pytest.approx(PERIOD_S)


def test_a_current_that_is_not_known_is_held_for_the_twins() -> None:
    made = running()
    made.turns(3)
    made.bench.stuck |= {"supply/current"}
    made.bench.values["supply/current"] = math.nan
    made.turns(1)
    assert made.active_twin.stepped[-1][0].tolist() == [5.0, 5.0]


def test_an_open_contactor_asks_for_zero_current() -> None:
    for feedback in (0.0, math.nan):
        made = running()
        made.bench.values["io/contactor"] = feedback
        assert made.turns(2).requested.current_a == 0.0


def test_estimators_see_what_the_device_measures() -> None:
    made = running()
    made.bench.stuck |= {"bms/pack_current"}
    made.bench.values |= {"bms/pack_current": 4.9, "bms/cell_02/voltage": 3.61, "cell_01/current": 0.1}
    made.turns(1)
    reading = made.estimator.readings[-1]
    assert reading.current_a == 4.9
    assert reading.balancing_a.tolist() == [0.1, 0.0]
    assert reading.voltage_v.tolist() == [3.7, 3.61]
    assert reading.temperature_k.tolist() == [298.0, 298.0]


def test_what_the_device_does_not_allow_is_zero() -> None:
    made = running()
    made.bench.values |= {"bms/charge_limit": math.nan, "bms/discharge_limit": -3.0}
    made.turns(1)
    assert made.active.allowed is not None
    assert (made.active.allowed.charge_a, made.active.allowed.discharge_a) == (0.0, 0.0)
    reading = made.estimator.readings[-1]
    assert math.isnan(reading.charge_limit_a)
    assert reading.discharge_limit_a == -3.0


def test_an_injected_fault_is_added_before_the_gate() -> None:
    made = running()
    made.loop.faults[2] = 0.3
    tick = made.turns(2)
    assert tick.requested.cell_voltage_v[1] - tick.twins["model"].voltage_v[1] == pytest.approx(0.3)
    made.loop.faults[2] = 2.0
    assert isinstance(made.turns(1).verdict, Held)
    assert made.bench.applied[-1].cell_voltage_v[1] == pytest.approx(3.995)


def test_a_shadow_lane_that_raises_is_out_and_the_rest_goes_on() -> None:
    made = running()
    made.other_twin.broken = True
    tick = made.turns(1)
    (failed,) = [event for event in tick.events if event.kind == EventKind.LANE_FAILED]
    assert (failed.level, failed.data["role"], failed.data["lane"]) == (Level.WARNING, "twin", "other")
    assert "solver gave up" in failed.text
    assert isinstance(made.turns(2).verdict, Allowed)
    assert "other" not in made.turns(1).twins
    assert made.loop.parts.twins["other"].failure


def test_an_active_controller_that_raises_holds_then_ramps_to_zero() -> None:
    made = running()
    made.turns(3)
    made.active.broken = True
    tick = made.turns(1)
    assert isinstance(tick.verdict, Held)
    assert math.isnan(tick.requested.current_a)
    assert tick.verdict.apply.current_a == 5.0
    (failed,) = [event for event in tick.events if event.kind == EventKind.LANE_FAILED]
    assert (failed.level, failed.data["role"], failed.data["lane"]) == (Level.ALARM, "controller", "duty")
    assert made.turns(10).verdict.apply.current_a == 0.0


def test_an_active_twin_that_raises_never_reaches_the_cells() -> None:
    made = running()
    made.turns(3)
    made.active_twin.broken = True
    assert isinstance(made.turns(5).verdict, Held)
    assert np.isfinite(made.bench.applied[-1].cell_voltage_v).all()


def test_a_trip_zeroes_through_the_actuator_and_stays_until_reset() -> None:
    made = running()
    made.turns(2)
    made.bench.stuck |= {"cell_02/voltage"}
    made.bench.values["cell_02/voltage"] = 5.2
    tick = made.turns(1)
    assert isinstance(tick.verdict, Tripped)
    assert tick.state is BenchState.TRIPPED
    assert made.bench.safes > 0
    (tripped,) = [event for event in tick.events if event.kind == EventKind.TRIPPED]
    assert tripped.level is Level.ALARM
    assert "cell_02/voltage 5.200 V above 5.000 V (bench.toml:1)" in tripped.text
    made.bench.values["cell_02/voltage"] = 3.7
    assert made.turns(5).state is BenchState.TRIPPED
    made.loop.reset("wire was mended")
    assert made.turns(1).state is CONNECTED


def test_a_trip_from_outside_latches_the_gate_too() -> None:
    made = running()
    made.turns(1)
    made.loop.trip("guard: client has gone")
    tick = made.turns(1)
    assert isinstance(tick.verdict, Tripped)
    assert tick.verdict.reason == "guard: client has gone"
    assert tick.verdict.apply.current_a == 0.0


def test_a_controller_takes_over_from_the_current_that_flows() -> None:
    made = running()
    made.turns(2)
    made.loop.activate("controller", "other")
    assert made.other.taken_over_a == 5.0
    assert made.turns(1).requested.current_a == -7.0


def test_a_live_twin_takes_over_with_a_small_step() -> None:
    made = running()
    made.turns(2)
    made.loop.activate("twin", "other")
    tick = made.turns(1)
    assert tick.requested.cell_voltage_v == pytest.approx([3.695, 3.695], abs=0.002)
    (active,) = [event for event in tick.events if event.kind == EventKind.LANE_ACTIVE]
    assert (active.level, active.data["role"], active.data["lane"]) == (Level.INFO, "twin", "other")


def test_a_live_twin_that_would_step_the_cells_is_refused_with_the_figure() -> None:
    made = running()
    made.other_twin.follows = False
    made.turns(2)
    with pytest.raises(Refused, match=r"100\.00 mV, live limit 2 mV"):
        made.loop.activate("twin", "other")
    assert made.loop.parts.twins.active == "model"


def test_a_disarmed_twin_changes_with_any_step() -> None:
    made = rig()
    made.to(CONNECTED)
    made.other_twin.follows = False
    made.turns(2)
    made.loop.activate("twin", "other")
    assert made.turns(1).requested.cell_voltage_v == pytest.approx([3.8, 3.8])


def test_a_twin_of_some_cells_can_only_watch() -> None:
    made = rig()
    made.other_twin.columns = (0,)
    with pytest.raises(Refused, match="computes 1 of 2 cells"):
        made.loop.activate("twin", "other")


def test_a_failed_or_unknown_lane_cannot_become_active() -> None:
    made = running()
    made.other.broken = True
    made.turns(1)
    with pytest.raises(Refused, match="has failed: no plan"):
        made.loop.activate("controller", "other")
    with pytest.raises(Refused, match="'nobody' does not exist"):
        made.loop.activate("controller", "nobody")
    with pytest.raises(Refused, match="no role 'cook'"):
        made.loop.activate("cook", "other")


def test_turns_keep_an_absolute_schedule() -> None:
    made = running()
    made.turns(50)
    dues = [tick.due_s for tick in made.kept.ticks]
    assert np.diff(dues) == pytest.approx(np.full(49, PERIOD_S))
    assert made.loop.lateness.missed == 0


def test_a_long_turn_leaves_turns_out_instead_of_catching_up() -> None:
    made = running()
    made.turns(3)
    slow = made.bench.apply

    def stall(command: object) -> None:
        made.clock.advance(0.035)
        made.bench.apply = slow
        slow(command)  # pyright: ignore[reportArgumentType]  # what the loop handed over

    made.bench.apply = stall
    made.turns(4)
    last = made.kept.ticks[-4:]
    assert [tick.missed for tick in last] == [0, 2, 0, 0]
    assert last[1].late_s == pytest.approx(0.005)
    assert np.diff([tick.due_s for tick in last]) == pytest.approx([0.03, PERIOD_S, PERIOD_S])
    assert made.active_twin.stepped[-3][1] == pytest.approx(0.03)
    assert made.loop.lateness.missed == 2
    assert made.loop.lateness.percentiles_ms()["max"] == pytest.approx(25.0), "of the first that was left out"


def test_the_stepped_clock_runs_a_minute_of_loop_in_no_time() -> None:
    made = running()
    began_s = made.clock.now()
    made.turns(6000)
    assert made.clock.now() - began_s == pytest.approx(60.0, abs=0.1)


def test_held_is_told_once() -> None:
    made = running()
    made.turns(2)
    made.active.current_a = 500.0
    made.turns(4)
    told = [event for tick in made.kept.ticks for event in tick.events if event.kind == EventKind.HELD]
    (held,) = told
    assert held.level is Level.WARNING
    assert held.data["reason"] == "asked supply/current 500.000 A above 80.000 A (bench.toml:1)"


def test_on_a_real_pack_twins_only_observe_and_no_cells_are_commanded() -> None:
    made = rig()
    parts = made.loop.parts
    nothing = np.empty(0)
    spec = replace(parts.gate.spec, cell_voltage=(), cell_temperature=())
    made.loop = Loop(replace(parts, gate=Gate(spec, Command(0.0, nothing, nothing)), plays_cells=False))
    made.to(CONNECTED, ARMED, RUNNING)
    tick = made.turns(3)
    assert isinstance(tick.verdict, Allowed)
    assert made.bench.applied[-1].current_a == 5.0
    assert made.bench.applied[-1].cell_voltage_v.size == 0
    assert "model" in tick.twins


def test_an_active_twin_without_a_state_cannot_be_left_live() -> None:
    made = running()
    made.active_twin.broken = True
    made.turns(1)
    with pytest.raises(Refused, match="has no state to hand over; disarm first"):
        made.loop.activate("twin", "other")
    made.to(CONNECTED)
    made.loop.activate("twin", "other")
    assert made.loop.parts.twins.active == "other"


def test_a_refused_twin_goes_on_from_its_own_state() -> None:
    made = running()
    made.turns(2)
    taken: list[float] = []
    made.other_twin.take_over = lambda state: taken.append(float(state.voltage_v[0]))
    with pytest.raises(Refused, match="would step the cells"):
        made.loop.activate("twin", "other")
    assert taken == pytest.approx([3.695, 3.795])


def test_any_healthy_estimator_may_become_active() -> None:
    made = running()
    made.loop.activate("estimator", "belief")
    assert made.loop.parts.estimators.active == "belief"


def test_a_device_that_advertises_nothing_sets_no_limit() -> None:
    made = rig()
    table = made.loop.parts.snapshot_builder.table
    free = PackView(
        table, replace(Wiring.hil(CELLS, thermistors=1), charge_limit=None, contactor=None, cell_current=())
    )
    snapshot = made.loop.parts.snapshot_builder.build(1.0, [])
    assert free.allowed(snapshot) == CurrentRange(math.inf, math.inf)
    assert (free.reading(snapshot).charge_limit_a, free.reading(snapshot).discharge_limit_a) == (math.inf, math.inf)
    assert free.contactor_closed(snapshot)
    assert free.twin_current(snapshot).tolist() == [0.0, 0.0]


def test_what_switched_off_before_the_gate_saw_anything_is_the_reason_and_not_what_follows() -> None:
    made = running()
    made.loop.parts = replace(made.loop.parts, find_cause=lambda: "guard: client is silent")
    made.turns(1)
    assert made.loop.machine.state is BenchState.RUNNING  # the gate decides; a cause alone is no violation
    made.bench.values["cell_01/voltage"] = 0.001
    made.bench.stuck.add("cell_01/voltage")
    tick = made.turns(1)
    assert made.loop.machine.reason == "guard: client is silent"
    (tripped,) = [event for event in tick.events if event.kind == EventKind.TRIPPED]
    assert "below 0.500 V" not in tripped.text
