"""Half cycles against the counts that ASTM E1049-85 gives for its own example, and against a second count."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from twin.half_cycles import DIRECTION, POINTS, follow_charge, make_turns

EXAMPLE = (-2.0, 1.0, -3.0, 5.0, -1.0, 3.0, -4.0, 4.0, -2.0)  # figure 6 of the standard
HALVES = {3.0: 1, 4.0: 3, 6.0: 1, 8.0: 2, 9.0: 1}  # its half cycles by range
STEP = 0.002
ERROR = 2.0 * STEP * 9.0  # the step that closes a cycle counts as one of the larger half cycle


def walk(peaks: tuple[float, ...], least: float = 0.0) -> float:
    """Return the integral of twice the depth over the way through `peaks`: the sum of all squared half cycles."""
    turns, squared = make_turns(np.array([peaks[0]]))[0], 0.0
    for begins, ends in pairwise(peaks):
        steps = round(abs(ends - begins) / STEP)
        for place in np.linspace(begins, ends, steps + 1)[1:]:
            squared += 2.0 * STEP * (follow_charge(turns, float(place), least) - 0.5 * STEP)
    return squared


def test_the_example_of_the_standard() -> None:
    assert walk(EXAMPLE) == pytest.approx(sum(n * depth**2 for depth, n in HALVES.items()), abs=4 * ERROR)


def test_a_pulse_against_the_current_makes_nothing_cheaper() -> None:
    whole = walk((0.0, 8.0))
    assert walk((0.0, 4.0, 3.9, 8.0)) == pytest.approx(whole + 2 * 0.1**2, abs=ERROR), "the pulse is counted beside it"
    pulses = tuple(value for peak in range(1, 8) for value in (float(peak), peak - 0.1))
    assert walk((0.0, *pulses, 8.0)) > whole - ERROR


def test_noise_below_the_least_turn_is_no_turn() -> None:
    turns, depth = make_turns(np.array([0.5]))[0], 0.0
    for place in np.linspace(0.5, 0.8, 301):
        follow_charge(turns, float(place), 0.002)
        depth = follow_charge(turns, float(place) - 0.001, 0.002)
    assert depth == pytest.approx(0.299)
    assert turns[DIRECTION] == 1.0
    assert follow_charge(turns, 0.79, 0.002) == pytest.approx(0.01), "it turned where it was farthest"
    assert turns[DIRECTION] == -1.0


def test_more_turns_than_are_remembered_forget_the_oldest() -> None:
    peaks = [0.5 + 0.4 * (-0.9) ** n for n in range(4 * POINTS)]  # every one within the one before
    turns = make_turns(np.array(peaks[:1]))[0]
    for before, peak in pairwise(peaks):
        assert follow_charge(turns, peak, 0.0) == pytest.approx(abs(peak - before))
