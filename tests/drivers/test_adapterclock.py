"""An adapter's clock that runs wrong for hours, or is set, against a stepped clock of our own."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pytest

from drivers.canbus.adapter_clock import MEMORY_S, STEP_S, SURE_S, AdapterClock

EPOCH_S: Final = 1.8e9  # an adapter that stamps with a wall clock
CYCLE_S: Final = 0.02


def errors(
    clock: AdapterClock, seconds: float, drift: float, *, cycle_s: float = 1.0, begin_s: float = 0.0
) -> list[float]:
    """How far each frame's time lies from the truth while the adapter's clock drifts by `drift` s/s."""
    ways_s = np.random.default_rng(3).exponential(0.002, round(seconds / cycle_s)) + 0.0003
    found: list[float] = []
    for number, way_s in enumerate(ways_s.tolist()):
        sent_s = begin_s + number * cycle_s
        found.append(clock.ours(EPOCH_S + sent_s * (1.0 + drift), sent_s + way_s) - sent_s)
    return found


@pytest.mark.parametrize("drift", [50e-6, -50e-6, 0.0, 300e-6])
def test_hours_of_drift_leave_a_frames_time_within_milliseconds(drift: float) -> None:
    clock = AdapterClock()
    found = np.array(errors(clock, 6 * 3600.0, drift))[120:]
    assert np.abs(found).max() < 0.006
    assert clock.steps == 0


def test_a_frame_that_was_held_up_is_as_old_as_it_is() -> None:
    clock = AdapterClock()
    errors(clock, 30.0, 50e-6, cycle_s=CYCLE_S)
    held_up = clock.ours(EPOCH_S + 30.0 * (1.0 + 50e-6), 30.0 + 0.4)
    assert held_up == pytest.approx(30.0, abs=0.005)
    assert clock.steps == 0


def test_a_queue_that_drains_late_is_no_step() -> None:
    clock = AdapterClock()
    errors(clock, 30.0, 0.0, cycle_s=CYCLE_S)
    for number in range(200):  # four seconds of frames, read at once after a stall
        assert clock.ours(EPOCH_S + 30.0 + number * CYCLE_S, 34.0) == pytest.approx(30.0 + number * CYCLE_S, abs=0.005)
    assert clock.steps == 0


@pytest.mark.parametrize("by_s", [0.08, 3600.0, -3600.0, -0.2])
def test_a_clock_that_is_set_starts_anew_and_says_so(by_s: float) -> None:
    clock = AdapterClock()
    errors(clock, 90.0, 50e-6, cycle_s=CYCLE_S)
    found = [
        clock.ours(EPOCH_S + by_s + 90.0 + n * CYCLE_S, 90.0003 + n * CYCLE_S) - 90.0 - n * CYCLE_S for n in range(200)
    ]
    assert clock.steps == 1
    assert f"stepped by {by_s:+.0f}"[:13] in clock.news
    assert clock.news_s == pytest.approx(90.0, abs=0.1)
    assert np.abs(found[5:]).max() < 0.005


def test_a_small_step_back_is_known_within_a_second_and_old_until_then() -> None:
    clock = AdapterClock()
    errors(clock, 90.0, 0.0, cycle_s=0.1)
    found = [clock.ours(EPOCH_S - 0.07 + 90.0 + n * 0.1, 90.0003 + n * 0.1) - 90.0 - n * 0.1 for n in range(30)]
    assert found[0] == pytest.approx(-0.07, abs=0.005)  # on the safe side
    assert clock.steps == 1
    assert abs(clock.news_s - 90.0) < SURE_S + 0.3
    assert abs(found[-1]) < 0.005


def test_less_than_a_step_is_followed_without_a_word() -> None:
    clock = AdapterClock()
    errors(clock, 10.0, 0.0, cycle_s=CYCLE_S)
    assert clock.ours(EPOCH_S + 10.0 + 0.9 * STEP_S, 10.0003) == pytest.approx(10.0003, abs=0.001)
    assert clock.steps == 0


def test_frames_from_before_the_bus_was_opened_are_no_step() -> None:
    clock = AdapterClock()
    for number in range(10):
        clock.ours(EPOCH_S + number * 0.1, 5.0 + number * 0.001)
    assert clock.ours(EPOCH_S + 5.1, 5.1) == pytest.approx(5.1)
    assert clock.steps == 0


def test_a_long_silence_forgets_what_was_learned_without_a_word() -> None:
    clock = AdapterClock()
    errors(clock, 90.0, 300e-6, cycle_s=CYCLE_S)
    late_s = 90.0 + 10 * MEMORY_S
    assert clock.ours(EPOCH_S + late_s * (1.0 + 300e-6), late_s) == late_s
    assert clock.steps == 0


@pytest.mark.parametrize("stamp", [0.0, -1.0, math.nan, math.inf])
def test_an_adapter_without_stamps_gives_the_arrival(stamp: float) -> None:
    clock = AdapterClock()
    assert [clock.ours(stamp, arrived_s) for arrived_s in (1.0, 2.0, 3.0)] == [1.0, 2.0, 3.0]


def test_a_stamp_that_stands_still_is_none() -> None:
    clock = AdapterClock()
    assert [clock.ours(7.0, arrived_s) for arrived_s in (1.0, 2.0, 3.0)] == [1.0, 2.0, 3.0]
    assert clock.steps == 0


def test_no_frame_is_newer_than_its_arrival() -> None:
    clock = AdapterClock()
    random = np.random.default_rng(5)
    for number in range(2000):
        arrived_s = number * 0.01
        assert clock.ours(EPOCH_S + arrived_s + float(random.normal(0.0, 0.03)), arrived_s) <= arrived_s
