"""Approximate weighted total least squares: a slope where both coordinates are uncertain, each point by itself.

G. L. Plett, "Recursive approximate weighted total least squares estimation of battery cell total capacity", J. Power
Sources 196 (2011) 2319. Six sums stand for all points, so that it is recursive and forgets. The paper scales both axes
alike first; here both are fractions of the capacity already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Flags, Floats

FORGET: Final = 0.8  # what a point still weighs when the next one comes
SUMS: Final = 6
LEAST_SLOPE, MOST_SLOPE = 0.2, 3.0  # beyond, the points are of no cell of this nameplate
REAL: Final = 1e-9  # largest imaginary part of a real root, relative


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
        pairs = [_solve_line(sums) for sums in self._sums.T]
        return np.array([slope for slope, _ in pairs]), np.array([std for _, std in pairs])


def compute_cost(sums: Floats, slope: Floats) -> Floats:
    """Return the chi-square of the points at `slope[...]`."""
    c1, c2, c3, c4, c5, c6 = sums
    polynomial = c4 * slope**4 - 2.0 * c5 * slope**3 + (c1 + c6) * slope**2 - 2.0 * c2 * slope + c3
    return polynomial / (slope**2 + 1.0) ** 2


def compute_curvature(sums: Floats, slope: float) -> float:
    """Return the second derivative of `compute_cost`."""
    c1, c2, c3, c4, c5, c6 = sums
    terms = (
        -2.0 * c5,
        3.0 * c1 - 6.0 * c4 + 3.0 * c6,
        -12.0 * c2 + 16.0 * c5,
        -8.0 * c1 + 10.0 * c3 + 6.0 * c4 - 8.0 * c6,
        12.0 * c2 - 6.0 * c5,
        c1 - 2.0 * c3 + c6,
    )
    return float(2.0 * np.polyval(terms, slope) / (slope**2 + 1.0) ** 4)


def _solve_line(sums: Floats) -> tuple[float, float]:
    """Return the slope of least cost among the roots of the derivative, and its standard deviation."""
    c1, c2, c3, c4, c5, c6 = sums
    if not c5 > 0.0:
        return np.nan, np.nan
    terms = np.array([c5, 2.0 * c4 - c1 - c6, 3.0 * c2 - 3.0 * c5, c1 - 2.0 * c3 + c6, -c2])
    roots: Any = np.roots(terms)
    real: Floats = roots.real[np.abs(roots.imag) <= REAL * np.abs(roots)]
    real = real[(real > LEAST_SLOPE) & (real < MOST_SLOPE)]
    if not real.size:
        return np.nan, np.nan
    slope = float(real[np.argmin(compute_cost(sums, real))])
    curvature = compute_curvature(sums, slope)
    return (slope, float(np.sqrt(2.0 / curvature))) if curvature > 0.0 else (np.nan, np.nan)
