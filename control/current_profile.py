"""A current over time, from our own CSV format: `t_s,current_a`, linear between points, a repeated time is a step."""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats

HEADER: Final = ["t_s", "current_a"]


class CurrentProfile:
    """`current_a` (discharge positive) over `t_s`; at its end it repeats, or is 0 A from there on."""

    def __init__(self, t_s: Floats, current_a: Floats, *, repeat: bool = True) -> None:
        self._t_s, self._current_a, self._repeat = t_s, current_a, repeat
        self._points_s, self._points_a = t_s.tolist(), current_a.tolist()  # lists: faster for one instant at a time

    @property
    def duration_s(self) -> float:
        return float(self._t_s[-1])

    def now(self, t_s: float) -> float:
        """Return `at` for one instant; the loop calls this each turn."""
        within = t_s % self._points_s[-1] if self._repeat else t_s
        if not within < self._points_s[-1]:
            return 0.0
        after = min(max(bisect_right(self._points_s, within), 1), len(self._points_s) - 1)
        begin_s, end_s = self._points_s[after - 1 : after + 1]
        begin_a, end_a = self._points_a[after - 1 : after + 1]
        return begin_a + (within - begin_s) / max(end_s - begin_s, 1e-12) * (end_a - begin_a)

    def at(self, t_s: Floats) -> Floats:
        """Return the current in A at `t_s[n]`; at a step, the value after it."""
        within = np.mod(t_s, self.duration_s) if self._repeat else t_s
        after = np.clip(np.searchsorted(self._t_s, within, side="right"), 1, len(self._t_s) - 1)
        before = after - 1
        share = (within - self._t_s[before]) / np.maximum(self._t_s[after] - self._t_s[before], 1e-12)
        current_a = self._current_a[before] + share * (self._current_a[after] - self._current_a[before])
        return np.where(within < self.duration_s, current_a, 0.0)


def read_current_profile(settings: Mapping[str, Any]) -> CurrentProfile:
    """Read the duty named by `file` in a lane's settings, with `repeat`; raise `BenchFileError` with its line."""
    if not isinstance(name := settings.get("file"), str):
        raise BenchFileError("names no current profile", key="file", value=name, hint='set file = "duty.csv"')
    path = Path(name)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        hint = "check the file of the lane"
        raise BenchFileError(f"cannot be read: {error.strerror}", where=name, key="file", hint=hint) from error
    if not rows or rows[0] != HEADER:
        raise BenchFileError(
            "is not a current profile",
            where=name,
            line=1,
            bound=",".join(HEADER),
            hint="name both columns in the first line",
        )
    points: list[tuple[float, float]] = []
    for line, row in enumerate(rows[1:], start=2):
        points.append(_point(name, line, row))
        if line > 2 and not points[-1][0] >= points[-2][0]:  # noqa: PLR2004  # the first point follows the header
            raise BenchFileError("time decreases", where=name, line=line, key="t_s", value=row[0], bound=points[-2][0])
    if len(points) < 2 or not points[-1][0] > points[0][0] == 0.0:  # noqa: PLR2004  # a line has two ends
        raise BenchFileError(
            "has no length", where=name, line=len(rows), hint="begin at 0 s and give at least two times"
        )
    t_s, current_a = np.array(points).T
    return CurrentProfile(t_s, current_a, repeat=bool(settings.get("repeat", True)))


def _point(name: str, line: int, row: list[str]) -> tuple[float, float]:
    try:
        t_s, current_a = (float(entry) for entry in row)
    except ValueError:
        t_s = current_a = math.nan
    if not (math.isfinite(t_s) and math.isfinite(current_a)):
        raise BenchFileError(
            "is not two numbers", where=name, line=line, value=",".join(row), hint="write time in s and current in A"
        )
    return t_s, current_a
