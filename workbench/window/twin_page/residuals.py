"""Reduce the table of a twin to what plots show: extremes over time, sums of the residual by SoC and temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.window.twin_page.model import ResidualBin, ThinnedCurve

if TYPE_CHECKING:
    from drivers.snapshot import Floats

POINTS: Final = 400  # slots of time; each keeps its lowest and its highest value
SOC_STEP: Final = 0.05
KELVIN_STEP: Final = 2.0
ZERO_C_K: Final = 273.15


def thin_curve(time_s: Floats, values: Floats) -> ThinnedCurve:
    """Return the curve with the lowest and the highest value of each of `POINTS` slots; missing values are left out."""
    known = np.flatnonzero(np.isfinite(values) & np.isfinite(time_s))
    if len(known) <= 2 * POINTS:
        return ThinnedCurve(tuple(time_s[known].tolist()), tuple(values[known].tolist()))
    kept: set[int] = set()
    slots = np.linspace(time_s[known[0]], time_s[known[-1]], POINTS + 1)
    ends = np.searchsorted(time_s[known], slots[1:], side="right")
    for part in np.split(known, ends[:-1]):
        if len(part):
            kept |= {int(part[np.argmin(values[part])]), int(part[np.argmax(values[part])])}
    rows = np.array(sorted(kept))
    return ThinnedCurve(tuple(time_s[rows].tolist()), tuple(values[rows].tolist()))


def bin_residual(over: Floats, residual_v: Floats, step: float, origin: float = 0.0) -> tuple[ResidualBin, ...]:
    """Return sums of the residual (V) in bins of `over`, `step` wide, one of which begins at `origin`."""
    known = np.isfinite(over) & np.isfinite(residual_v)
    places, which = np.unique(np.floor((over[known] - origin) / step + 1e-9), return_inverse=True)
    counts = np.bincount(which, minlength=len(places))
    totals = np.bincount(which, residual_v[known], minlength=len(places))
    squares = np.bincount(which, residual_v[known] ** 2, minlength=len(places))
    return tuple(
        ResidualBin(round(origin + (float(place) + 0.5) * step, 6), int(count), float(total), float(square))
        for place, count, total, square in zip(places, counts, totals, squares, strict=True)
    )
