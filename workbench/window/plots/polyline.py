"""Shapes for the painter, made from bins: polylines through minimum and maximum, and filled bands."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shiboken6
from PySide6.QtGui import QPolygonF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workbench.window.plots.min_max_bins import Extremes, Numbers

    Flags = NDArray[np.bool_]

_STEEP_PX: Final = 3.0


def split_runs(number: Numbers, gap: int) -> Iterator[slice]:
    """Yield runs of bins no further apart than `gap`; a longer gap stays visible."""
    if not len(number):
        return
    if number[-1] - number[0] == len(number) - 1:
        yield slice(0, len(number))
        return
    breaks = np.flatnonzero(np.diff(number) > gap) + 1
    for start, end in zip((0, *breaks.tolist()), (*breaks.tolist(), len(number)), strict=True):
        yield slice(start, end)


def find_steep(low: Extremes, high: Extremes) -> Flags:
    """Return which bins have a step in them or beside them; a gap between dashes must not hide it."""
    steep = high - low > _STEEP_PX
    if len(low) > 1:
        jumps = np.maximum(low[1:] - high[:-1], low[:-1] - high[1:]) > _STEEP_PX
        steep[1:] |= jumps
        steep[:-1] |= jumps
    return steep


def split_dashes(number: Numbers, gap: int, pattern: tuple[int, int], steep: Flags) -> Iterator[slice]:
    """Yield the runs that show: `pattern` is bins on and off; it depends on bin numbers and so moves with the curve."""
    for run in split_runs(number, gap):
        phase = (number[run] % sum(pattern) < pattern[0]) | steep[run]
        edges = np.flatnonzero(np.diff(phase)) + 1
        bounds = (0, *edges.tolist(), run.stop - run.start)
        for start, end in pairwise(bounds):
            if phase[start]:
                yield slice(run.start + start, run.start + end)


def make_polyline(x: Extremes, low: Extremes, high: Extremes) -> QPolygonF:
    """Make a polyline through minimum and maximum of each bin, in the order in which the curve goes."""
    points = np.empty((len(x), 2, 2))
    points[:, :, 0] = x[:, None]
    points[:, 0, 1] = low
    points[:, 1, 1] = high
    middle = low + high
    falling = (middle[1:] < middle[:-1]).nonzero()[0] + 1
    points[falling, 0, 1], points[falling, 1, 1] = high[falling], low[falling]
    return _polygon(points.reshape(-1, 2))


def make_band(x: Extremes, low: Extremes, high: Extremes) -> QPolygonF:
    """Make the area between two lines: forth along one and back along the other."""
    points = np.empty((2 * len(x), 2))
    points[:, 0] = np.concatenate([x, x[::-1]])
    points[:, 1] = np.concatenate([high, low[::-1]])
    return _polygon(points)


def _polygon(points: Extremes) -> QPolygonF:
    polygon = QPolygonF()
    polygon.resize(len(points))
    if len(points):  # one copy of the whole array instead of a Python call per point
        pointer: Any = shiboken6.VoidPtr  # its stub knows one argument of three
        memory = pointer(polygon.data(), points.nbytes, True)  # noqa: FBT003  # takes no keywords
        np.frombuffer(memory, dtype=np.float64)[:] = points.ravel()
    return polygon
