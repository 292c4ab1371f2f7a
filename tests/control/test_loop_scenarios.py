"""Long walks through the whole loop on the stepped clock: what goes wrong, what may still be applied, what ends it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.gate import Allowed, Held, Tripped
from control.state import BenchState
from drivers.errors import Refused
from drivers.event import EventKind, Level
from drivers.snapshot import Quality
from tests.control.fakes import LIMITED, START, rig
from tests.control.walks import applied_a, assert_nothing_out, freeze, running, told

if TYPE_CHECKING:
    from drivers.snapshot import Command

CONNECTED, ARMED, RUNNING, TRIPPED = BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING, BenchState.TRIPPED
HOLD_TICKS = 3  # of the fakes' gate


def test_a_late_value_holds_then_ramps_then_trips_once_it_is_lost() -> None:
    made = running()
    freeze(made, "cell_01/voltage")
    currents = applied_a(made, 40)
    verdicts = [type(tick.verdict) for tick in made.kept.ticks[-40:]]
    fresh = verdicts.index(Held)
    lost = verdicts.index(Tripped)
    assert (fresh, lost) == (5, 26), "late after 40 ms, lost after 250 ms"
    assert currents[: fresh + HOLD_TICKS] == [5.0] * (fresh + HOLD_TICKS)
    assert currents[fresh + HOLD_TICKS : fresh + HOLD_TICKS + 6] == pytest.approx([4.0, 3.0, 2.0, 1.0, 0.0, 0.0])
    assert set(currents[lost:]) == {0.0}
    assert made.kept.ticks[-1].state is TRIPPED
    assert [(event.kind, event.level) for event in told(made)] == [
        (EventKind.HELD, Level.WARNING),
        (EventKind.TRIPPED, Level.ALARM),
    ]


def test_a_value_that_comes_back_during_the_ramp_ends_it_and_the_next_hold_has_all_its_ticks() -> None:
    made = running()
    freeze(made, "supply/current")
    assert applied_a(made, 10)[-1] == pytest.approx(3.0)
    made.bench.sampled_s.clear()
    assert applied_a(made, 2) == [5.0, 5.0]
    freeze(made, "supply/current")
    assert applied_a(made, 9)[4:] == pytest.approx([5.0, 5.0, 5.0, 5.0, 4.0])
    assert len(told(made, EventKind.HELD)) == 2


def test_cells_stay_as_last_allowed_while_current_ramps() -> None:
    made = running()
    before_v = made.bench.applied[-1].cell_voltage_v
    made.active_twin.offset_v = 2.0
    made.turns(20)
    assert made.bench.applied[-1].cell_voltage_v.tolist() == before_v.tolist()
    assert made.bench.applied[-1].current_a == 0.0
    assert made.kept.ticks[-1].state is RUNNING


def test_a_trip_during_the_ramp_cuts_it_short_and_a_reset_with_a_reason_ends_it() -> None:
    made = running(50.0)
    made.active.current_a = math.nan
    assert applied_a(made, 8)[-1] == pytest.approx(45.0)
    made.bench.stuck |= {"cell_02/voltage"}
    made.bench.values["cell_02/voltage"] = 5.3
    assert applied_a(made, 3) == [0.0, 0.0, 0.0]
    with pytest.raises(Refused, match="needs a reason"):
        made.loop.reset("  ")
    made.loop.reset("sense wire pressed on")
    made.to(ARMED)
    assert made.turns(1).state is TRIPPED, "what still is wrong trips again"
    made.bench.values["cell_02/voltage"] = 3.7
    made.bench.stuck.clear()
    made.loop.reset("now it is")
    made.active.current_a = 2.0
    assert applied_a(made, 3) == [0.0, 0.0, 0.0]
    made.to(ARMED, RUNNING)
    assert applied_a(made, 2) == [2.0, 2.0]


def test_a_source_that_repeats_an_old_value_is_judged_by_its_time_not_by_its_quality() -> None:
    made = running()
    made.bench.stuck |= {"supply/current"}
    freeze(made, "supply/current")
    tick = made.turns(60)
    column = made.loop.parts.snapshot_builder.table.index("supply/current")
    assert tick.snapshot.quality[column] == Quality.GOOD
    assert isinstance(tick.verdict, Tripped)
    assert "supply/current is lost" in tick.verdict.reason


def test_a_snapshot_of_nothing_but_nan_holds_then_trips_and_lets_no_nan_out() -> None:
    made = running()
    made.bench.stuck |= set(START)
    made.bench.values = dict.fromkeys(START, math.nan)
    made.turns(60)
    assert made.kept.ticks[-1].state is TRIPPED
    for tick in made.kept.ticks:
        assert_nothing_out(tick)


def test_a_silent_device_stops_current_at_once_is_no_trip_and_comes_back() -> None:
    made = running()
    freeze(made, *(name for name in START if name.startswith("bms/")))
    currents = applied_a(made, 200)
    assert currents[:30] == [5.0] * 30, "not silent before 0.3 s"
    assert set(currents[31:]) == {0.0}
    assert made.kept.ticks[-1].state is RUNNING
    made.bench.sampled_s.clear()
    assert applied_a(made, 1) == [5.0]


def test_the_clock_may_jump_ahead_without_turns_being_made_up_for() -> None:
    made = running()
    apply = made.bench.apply

    def jump(command: Command) -> None:
        made.clock.advance(3600.0)
        made.bench.apply = apply
        apply(command)

    made.bench.apply = jump
    made.turns(4)
    missed = [tick.missed for tick in made.kept.ticks[-4:]]
    assert missed == [0, pytest.approx(360_000, abs=1), 0, 0]
    assert made.active_twin.stepped[-3][1] == pytest.approx(3600.0, abs=0.02)
    assert isinstance(made.kept.ticks[-1].verdict, Allowed)


def test_values_from_before_a_jump_of_the_clock_trip() -> None:
    for jump_s in (3600.0, -3600.0):
        made = running()
        freeze(made, *LIMITED, "io/estop")
        made.clock.advance(jump_s)
        tick = made.turns(2)
        assert tick.state is TRIPPED
        assert tick.verdict.apply.current_a == 0.0


def test_a_clock_that_jumps_back_neither_stops_time_for_the_lanes_nor_raises_current() -> None:
    made = running()
    made.active.current_a = math.nan
    made.turns(5)
    before_a = made.kept.ticks[-1].verdict.apply.current_a
    made.clock.advance(-2.0)
    tick = made.turns(1)
    assert abs(tick.verdict.apply.current_a) <= abs(before_a)
    assert made.active_twin.stepped[-1][1] > 0.0


def test_who_leaves_armed_leaves_no_current_behind() -> None:
    for before, steps in ((RUNNING, ()), (ARMED, (ARMED,))):
        made = running(30.0)
        made.to(*steps)
        if before is RUNNING:
            assert made.bench.values["supply/current"] == 30.0
        made.loop.machine.to(CONNECTED)
        safes = made.bench.safes
        made.turns(3)
        assert made.bench.safes == safes + 1
        assert made.bench.values["supply/current"] == 0.0


def test_a_hold_that_begins_with_arming_is_told() -> None:
    made = rig()
    made.to(CONNECTED)
    made.turns(2)
    freeze(made, "cell_01/voltage")
    made.clock.advance(0.1)
    made.to(ARMED)
    made.turns(3)
    (held,) = told(made, EventKind.HELD)
    assert held.level is Level.INFO, "nothing runs yet"


def test_hand_overs_amid_a_run_step_neither_current_nor_cells() -> None:
    made = running(20.0)
    made.loop.activate("controller", "other")
    made.loop.activate("twin", "other")
    before = made.kept.ticks[-1].verdict.apply
    made.other.current_a = made.other.taken_over_a or 0.0  # what a bumpless controller wishes first
    after = made.turns(1).verdict
    assert isinstance(after, Allowed)
    assert after.apply.current_a == before.current_a
    assert np.abs(after.apply.cell_voltage_v - before.cell_voltage_v).max() < 0.002


def test_a_failed_active_controller_is_replaced_live_from_the_current_that_is_left() -> None:
    made = running(20.0)
    made.active.broken = True
    made.turns(HOLD_TICKS + 5)
    left_a = made.kept.ticks[-1].verdict.apply.current_a
    made.loop.activate("controller", "other")
    assert 0.0 < left_a < 20.0
    assert made.other.taken_over_a == left_a
    assert isinstance(made.turns(1).verdict, Allowed)


@pytest.mark.parametrize("troubles", [80, pytest.param(400, marks=pytest.mark.long)])
def test_thousands_of_turns_of_changing_troubles_never_let_a_command_out(troubles: int) -> None:
    made = running()
    random = np.random.default_rng(7)
    names = list(START)
    for _ in range(troubles):
        made.bench.stuck = set(random.choice(names, 2).tolist()) if random.random() < 0.3 else set()
        for name in made.bench.stuck:
            made.bench.values[name] = float(random.choice([math.nan, math.inf, -1e9, 0.0, 1e9]))
        made.bench.sampled_s = {str(random.choice(names)): made.clock.now()} if random.random() < 0.3 else {}
        made.active.current_a = float(random.choice([5.0, -80.0, 80.0, 81.0, math.nan, -math.inf]))
        made.active_twin.offset_v = float(random.choice([0.0, 0.0, 0.4, 3.0, math.nan]))
        made.clock.advance(float(random.choice([0.0, 0.0, 0.05, 3.0])))
        tick = made.turns(int(random.integers(1, 90)))
        assert_nothing_out(tick)
        if tick.state is TRIPPED:
            made.bench.values |= {name: value for name, value in START.items() if name not in made.bench.stuck}
            made.bench.stuck.clear()
            made.loop.reset("next trouble")
            made.to(ARMED, RUNNING)
    for command in made.bench.applied:
        assert abs(command.current_a) <= 80.0
        assert np.isfinite(command.cell_voltage_v).all()
    assert made.loop.lateness.turns > 25 * troubles
