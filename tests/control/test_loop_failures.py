"""Whatever the loop is made of may raise: the loop turns on, or ends with zero current asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.gate import Allowed, Held, Tripped
from control.ports import Decision
from control.state import BenchState
from drivers.event import EventKind, Level
from drivers.snapshot import Estimate, Quality
from tests.control.walks import assert_nothing_out, failing, running, told
from twin.ports import PackState

if TYPE_CHECKING:
    from control.tick import Tick

TRIPPED = BenchState.TRIPPED


@pytest.mark.parametrize("role", ["twin", "estimator", "controller"])
def test_an_active_lane_that_raises_leaves_the_loop_turning_within_limits(role: str) -> None:
    made = running()
    fail = failing(ZeroDivisionError("float division by zero"))
    parts = {"twin": made.active_twin, "estimator": made.estimator, "controller": made.active}
    setattr(parts[role], {"twin": "step", "estimator": "update", "controller": "decide"}[role], fail)
    made.turns(50)
    (failed,) = told(made, EventKind.LANE_FAILED)
    assert (failed.level, failed.data["role"], "float division by zero" in failed.text) == (Level.ALARM, role, True)
    for tick in made.kept.ticks:
        assert_nothing_out(tick)
    if role != "estimator":
        assert made.kept.ticks[-1].verdict.apply.current_a == 0.0


SIX = np.full(3, 0.6)


@pytest.mark.parametrize(
    ("role", "answer", "said"),
    [
        (
            "twin",
            PackState(SIX, SIX, SIX, SIX),
            r"voltage_v has shape \(3,\) for 2 cells",
        ),
        ("twin", None, "a defect of the lane"),
        ("estimator", Estimate(np.full(2, 0.6), np.full(1, 0.1)), r"soc_std has shape \(1,\) for 2 cells"),
        ("estimator", None, "a defect of the lane"),
        ("controller", Decision("much", 0.0, 0), "could not convert"),  # pyright: ignore[reportArgumentType]  # on purpose
        ("controller", None, "a defect of the lane"),
    ],
)
def test_a_lane_that_answers_another_shape_is_out_like_one_that_raises(role: str, answer: object, said: str) -> None:
    made = running()

    def work(*_: Any) -> Any:
        return answer

    parts = {"twin": made.other_twin, "estimator": made.estimator, "controller": made.other}
    setattr(parts[role], {"twin": "step", "estimator": "update", "controller": "decide"}[role], work)
    made.turns(3)
    (failed,) = told(made, EventKind.LANE_FAILED)
    assert failed.data["role"] == role
    assert re.search(said, failed.text)
    assert isinstance(made.kept.ticks[-1].verdict, Allowed), "the rest goes on"


def test_a_twin_that_cannot_say_its_age_is_out_and_the_loop_turns_on() -> None:
    made = running()
    fail = failing(BrokenPipeError("worker is gone"))
    made.other_twin.age_s = fail
    made.turns(2)
    (failed,) = told(made, EventKind.LANE_FAILED)
    assert (failed.level, failed.data["lane"]) == (Level.WARNING, "other")
    assert "worker is gone" in failed.text
    assert isinstance(made.kept.ticks[-1].verdict, Allowed)


def test_an_actuator_that_raises_trips_asks_for_zero_and_is_recorded_as_a_trip() -> None:
    made = running()
    fail = failing(OSError("no route to the supply"))
    made.bench.apply = fail
    safes = made.bench.safes
    tick = made.turns(1)
    assert isinstance(tick.verdict, Tripped)
    assert tick.verdict.reason == "the actuator failed: no route to the supply"
    assert (tick.state, tick.verdict.apply.current_a) == (TRIPPED, 0.0)
    assert made.bench.safes > safes
    assert made.turns(5).state is TRIPPED


def test_an_actuator_that_cannot_even_be_asked_for_zero_is_told_once_and_the_loop_turns_on() -> None:
    made = running()
    fail = failing(OSError("no route to the supply"))
    made.bench.apply = made.bench.safe = fail
    made.turns(10)
    assert made.kept.ticks[-1].state is TRIPPED
    (failed,) = told(made, EventKind.ZERO_CURRENT_FAILED)
    assert (failed.level, "no route to the supply" in failed.text) == (Level.ALARM, True)


def test_a_source_that_raises_is_told_once_is_not_known_and_trips_when_it_stays_away() -> None:
    made = running()
    read = made.bench.read
    fail = failing(ValueError("could not convert string to float: '3.7O'"))
    made.bench.read = fail
    tick = made.turns(2)
    assert isinstance(tick.verdict, Held)
    assert np.isnan(tick.snapshot.values).all()
    assert (tick.snapshot.quality == Quality.MISSING).all()
    made.bench.read = read
    assert isinstance(made.turns(1).verdict, Allowed)
    made.bench.read = fail
    assert made.turns(60).state is TRIPPED
    failed = [(event.level, event.data["name"]) for event in told(made, EventKind.SOURCE_FAILED)]
    assert failed == [(Level.WARNING, "fake")] * 2


def test_a_sink_that_raises_trips_and_the_other_sinks_still_get_the_tick() -> None:
    made = running()

    class Full:
        def put(self, tick: Tick) -> None:
            raise OSError("No space left on device")

    made.loop.parts.sinks.insert(0, Full())
    kept = len(made.kept.ticks)
    tick = made.turns(2)
    assert len(made.kept.ticks) == kept + 2
    assert tick.state is TRIPPED
    (tripped,) = told(made, EventKind.TRIPPED)
    assert tripped.data["reason"] == "Full failed: No space left on device"


def test_what_nobody_foresaw_asks_for_zero_current_before_it_ends_the_loop() -> None:
    made = running()
    safes = made.bench.safes

    def surprise(_: Tick) -> bool:
        raise KeyError("bms/nothing")

    with pytest.raises(KeyError, match="bms/nothing"):
        made.loop.run(surprise)
    assert made.loop.machine.state is TRIPPED
    assert made.loop.machine.reason == "the loop failed: a defect of this program"
    assert made.bench.safes > safes
