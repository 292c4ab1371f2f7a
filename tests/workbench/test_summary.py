"""The figures of a run: how well the active twin is tracked."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.summary import WRITTEN_TICKS, squared_gaps

STEP_V = 0.08


def read_back(behind: int) -> tuple[np.ndarray, np.ndarray]:
    """Set-points with one step, and what is read that many ticks later."""
    asked = np.where(np.arange(100) < 50, 3.80, 3.80 - STEP_V)
    return asked, np.concatenate([np.full(behind, 3.80), asked[: len(asked) - behind]])


@pytest.mark.parametrize("behind", WRITTEN_TICKS)
def test_a_step_that_is_read_within_the_simulators_periods_is_tracked(behind: int) -> None:
    assert squared_gaps(*read_back(behind), WRITTEN_TICKS).max() == 0.0


@pytest.mark.parametrize("behind", [5, 10])
def test_a_step_that_is_read_later_is_not(behind: int) -> None:
    squares = squared_gaps(*read_back(behind), WRITTEN_TICKS)
    assert (squares > 0.9 * STEP_V**2).sum() == behind - max(WRITTEN_TICKS)


def test_an_offset_counts_whole() -> None:
    asked, read = read_back(2)
    assert np.sqrt(squared_gaps(asked, read + 0.003, WRITTEN_TICKS).mean()) == pytest.approx(0.003)
