"""Lateness counts every instant that was due: a loop that stands still is late for all that it covered."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.jitter import compute_due_lateness
from control.state import BenchState
from tests.control.fakes import PERIOD_S, Rig, rig
from workbench import jitter

if TYPE_CHECKING:
    from control.tick import Tick
    from drivers.snapshot import Estimate, PackReading

STALL_S, EVERY_S = 0.5, 0.55


def running() -> Rig:
    made = rig()
    made.to(BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING)
    return made


def columns(ticks: list[Tick]) -> dict[str, np.ndarray]:
    """The run's columns of these ticks."""
    return {
        "t_s": np.array([tick.due_s + tick.late_s for tick in ticks]),
        "loop/late": np.array([tick.late_s for tick in ticks]),
        "loop/turn": np.array([tick.turn_s for tick in ticks]),
        "loop/missed": np.array([float(tick.missed) for tick in ticks]),
        "loop/number": np.array([float(tick.number) for tick in ticks]),
    }


def stall(made: Rig, at: set[int] | None = None) -> None:
    """Hold the loop for `STALL_S` in every `EVERY_S`, or in the turns `at`, between what it reads and what it does."""
    update, next_s = made.estimator.update, made.clock.now()

    def slow(reading: PackReading, dt_s: float) -> Estimate:
        nonlocal next_s
        now = made.clock.now() >= next_s if at is None else made.loop.lateness.turns in at
        if now:
            next_s = made.clock.now() + EVERY_S
            made.clock.advance(STALL_S)
        return update(reading, dt_s)

    made.estimator.update = slow  # pyright: ignore[reportAttributeAccessIssue]  # a fake


def test_a_loop_that_stands_still_half_a_second_in_every_0_55_s_says_so() -> None:
    made = running()
    stall(made)
    made.turns(60)
    assert max(tick.late_s for tick in made.kept.ticks) < PERIOD_S, "by its own turns alone it is punctual"
    kept = jitter.compute_served(columns(made.kept.ticks))
    for figures in (made.loop.lateness.percentiles_ms(), kept.figures_ms()):
        assert figures["p50"] > 150.0
        assert figures["p99"] > 450.0
        assert figures["max"] == pytest.approx(490.0, abs=2e3 * PERIOD_S)
    assert kept.missed_pct > 80.0
    newest_s = made.loop.lateness.newest(round(60.0 / PERIOD_S))
    assert np.percentile(newest_s, 99) > 0.45, "what the window shows"


def test_a_punctual_loop_is_late_by_nothing() -> None:
    made = running()
    made.turns(300)
    kept = jitter.compute_served(columns(made.kept.ticks))
    assert (len(kept.late_s), kept.missed) == (300, 0)
    assert kept.figures_ms()["max"] == pytest.approx(0.0, abs=1e-6)


def test_a_stall_that_ends_the_run_counts_too() -> None:
    made = running()
    stall(made, at={20})
    made.turns(21)
    kept = jitter.compute_served(columns(made.kept.ticks))
    assert kept.figures_ms()["max"] == pytest.approx(490.0, abs=1.0)
    assert kept.missed in {49, 50}, "by rounding: the last one is due as the turn ends"
    assert len(kept.late_s) == 21 + kept.missed


def test_a_stall_that_trips_the_bench_counts_for_the_run_that_it_ended() -> None:
    made = running()
    stall(made, at={20})
    made.turns(40)
    run, during = columns(made.kept.ticks), np.arange(40) <= 20  # what the trip came to is no longer running
    kept = jitter.compute_served(run, during)
    assert kept.missed >= 48
    assert kept.figures_ms()["p99"] > 400.0
    later = jitter.compute_served(run, ~during)
    assert later.missed == 0
    assert later.figures_ms()["max"] < 1e3 * PERIOD_S


@given(st.lists(st.tuples(st.floats(0.0, 0.0099), st.integers(0, 70)), min_size=1, max_size=40))
def test_each_due_instant_counts_once_with_the_time_until_the_turn_that_served_it(
    turns: list[tuple[float, int]],
) -> None:
    late, missed = (np.array(column, dtype=float) for column in zip(*turns, strict=True))
    own_due_s = np.cumsum(missed + 1) * PERIOD_S
    began_s = own_due_s + late
    due_s = PERIOD_S * np.arange(1, int(missed.sum()) + len(turns) + 1)
    served_s = began_s[np.searchsorted(own_due_s, due_s - 1e-9)]
    assert compute_due_lateness(late, missed, PERIOD_S) == pytest.approx(served_s - due_s, abs=1e-9)


def test_no_rows_tell_nothing() -> None:
    kept = jitter.compute_served(columns([]))
    assert math.isnan(kept.missed_pct)
    assert all(math.isnan(value) for value in kept.figures_ms().values())


@pytest.mark.parametrize(
    ("value", "own", "held"),
    [
        (1.9, 0.0, True),
        (1.9, 50.0, True),
        (2.1, 0.0, False),
        (2.1, 0.04, False),
        (2.1, 0.06, None),
        (60.0, 5.0, False),
        (math.nan, 0.0, False),
        (math.nan, 9.0, False),
    ],
)
def test_what_the_machine_may_account_for_is_not_judged_and_the_rest_is(
    value: float,
    own: float,
    held: bool | None,  # noqa: FBT001  # pytest gives it by name
) -> None:
    assert jitter.is_within(value, 2.0, own) is held
