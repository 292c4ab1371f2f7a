from __future__ import annotations

import math
from dataclasses import replace

import pytest

from control.clock import WallClock
from control.gate import Allowed
from control.jitter import KEPT, LoopJitter
from control.loop import Loop
from control.state import BenchState
from tests.control.fakes import PERIOD_S, rig

CONNECTED, ARMED, RUNNING = BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING


def test_the_same_loop_turns_on_the_wall_clock_and_never_before_its_time() -> None:
    made, clock = rig(), WallClock()
    made.bench.now = clock.now
    made.loop = Loop(replace(made.loop.parts, clock=clock))
    made.to(CONNECTED, ARMED, RUNNING)
    began_s = clock.now()
    made.loop.run(lambda tick: tick.number >= 20)
    assert clock.now() - began_s >= 19 * PERIOD_S
    assert all(tick.late_s >= 0.0 for tick in made.kept.ticks)
    assert isinstance(made.kept.ticks[-1].verdict, Allowed)
    assert made.bench.applied[-1].current_a == 5.0


def test_lateness_keeps_the_newest_turns_and_the_worst_of_all() -> None:
    lateness = LoopJitter(PERIOD_S)
    for turn in range(KEPT + 5):
        lateness.add(1.0 if turn == 0 else 1e-6 * turn, missed=0)
    assert sorted(lateness.newest(3).tolist()) == pytest.approx([1e-6 * (KEPT + n) for n in (2, 3, 4)])
    assert lateness.newest(10**9).size == KEPT
    assert (lateness.turns, lateness.missed) == (KEPT + 5, 0)
    assert lateness.percentiles_ms()["max"] == 1e3


def test_what_was_left_out_is_late_until_the_turn_behind_it() -> None:
    lateness = LoopJitter(PERIOD_S)
    lateness.add(0.0, missed=0)
    lateness.add(0.001, missed=3)
    assert sorted(lateness.newest(9).tolist()) == pytest.approx([0.0, 0.001, 0.011, 0.021, 0.031])
    assert (lateness.turns, lateness.missed) == (2, 3)
    assert lateness.percentiles_ms()["max"] == pytest.approx(31.0)


def test_an_hour_left_out_fills_what_is_kept_and_no_more() -> None:
    lateness = LoopJitter(PERIOD_S)
    lateness.add(0.0, missed=360_000)
    assert lateness.newest(10**9).size == KEPT
    assert lateness.newest(10**9).min() == 0.0
    assert lateness.percentiles_ms()["max"] == pytest.approx(3_600_000.0)


def test_lateness_before_the_first_turn_is_not_known() -> None:
    assert all(math.isnan(value) for value in LoopJitter(PERIOD_S).percentiles_ms().values())


def test_the_wall_clock_waits_until_due_and_not_for_the_past() -> None:
    clock = WallClock()
    due_s = clock.now() + 0.01
    clock.wait_until(due_s)
    assert clock.now() >= due_s
    clock.wait_until(due_s - 5.0)
    assert clock.now() - due_s < 4.0
