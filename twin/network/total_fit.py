"""Approximate weighted total least squares: a slope where both coordinates are uncertain, each point by itself.

G. L. Plett, "Recursive approximate weighted total least squares estimation of battery cell total capacity", J. Power
Sources 196 (2011) 2319. Six sums stand for all points, so that it is recursive and forgets. The paper scales both axes
alike first; here both are fractions of the capacity already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Flags, Floats

FORGET: Final = 0.8  # what a point still weighs when the next one comes
SUMS: Final = 6
LEAST_SLOPE, MOST_SLOPE = 0.2, 3.0  # beyond, the points are of no cell of this nameplate
GRID: Final = 57  # slopes that are compared at once
ROUNDS: Final = 8  # of Newton's method


class TotalFit:
    """The slope `y = slope x` of each of `lines` lines."""

    def __init__(self, lines: int) -> None:
        self._sums = np.zeros((SUMS, lines))

    def add(self, which: Flags, x: Floats, y: Floats, x_var: Floats, y_var: Floats) -> None:
        """Forget a share of the older points of the lines `which[lines]`, and add a point to each (all `[lines]`)."""
        seen = np.stack([x * x / y_var, x * y / y_var, y * y / y_var, x * x / x_var, x * y / x_var, y * y / x_var])
        self._sums = np.where(which, FORGET * self._sums + seen, self._sums)

    def solve(self) -> tuple[Floats, Floats]:
        """Return `slope[lines]` and its standard deviation; NaN for a line that its points do not determine."""
        slope, std = solve_lines(self._sums)
        return slope, std


@kernel
def compute_cost(sums: Floats, slope: float) -> float:
    """Return the chi-square of the points at `slope`; `sums[6]`."""
    c1, c2, c3, c4, c5, c6 = sums
    polynomial = c4 * slope**4 - 2.0 * c5 * slope**3 + (c1 + c6) * slope**2 - 2.0 * c2 * slope + c3
    return polynomial / (slope**2 + 1.0) ** 2


@kernel
def compute_curvature(sums: Floats, slope: float) -> float:
    """Return the second derivative of `compute_cost`."""
    c1, c2, c3, c4, c5, c6 = sums
    polynomial = -2.0 * c5
    for term in (
        3.0 * c1 - 6.0 * c4 + 3.0 * c6,
        -12.0 * c2 + 16.0 * c5,
        -8.0 * c1 + 10.0 * c3 + 6.0 * c4 - 8.0 * c6,
        12.0 * c2 - 6.0 * c5,
        c1 - 2.0 * c3 + c6,
    ):
        polynomial = polynomial * slope + term
    return 2.0 * polynomial / (slope**2 + 1.0) ** 4


@kernel
def solve_lines(sums: Floats) -> Floats:
    """Return `[2, lines]`: the slope of least cost and its standard deviation, for `sums[6, lines]`.

    From the best of a grid, Newton's method goes to the root of the derivative; NaN where the best lies at an end.
    """
    out, costs = np.full((2, sums.shape[1]), np.nan), np.empty(GRID)
    for n in range(sums.shape[1]):
        own = sums[:, n].copy()
        c1, c2, c3, c4, c5, c6 = own
        if not c5 > 0.0:
            continue
        step = (MOST_SLOPE - LEAST_SLOPE) / (GRID - 1)
        for at in range(GRID):
            costs[at] = compute_cost(own, LEAST_SLOPE + at * step)
        best = np.argmin(costs)
        if best in {0, GRID - 1}:
            continue
        low, high = LEAST_SLOPE + (best - 1) * step, LEAST_SLOPE + (best + 1) * step
        slope = 0.5 * (low + high)
        for _ in range(ROUNDS):
            value, rise = c5, 0.0
            for term in (2.0 * c4 - c1 - c6, 3.0 * c2 - 3.0 * c5, c1 - 2.0 * c3 + c6, -c2):
                rise = rise * slope + value
                value = value * slope + term
            slope = min(max(slope - value / rise, low), high)
        curvature = compute_curvature(own, slope)
        if curvature > 0.0:
            out[0, n], out[1, n] = slope, np.sqrt(2.0 / curvature)
    return out
