"""A current over time, from a CSV file in A or in C, linear between points; a repeated time is a step."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import numpy as np

from control.profile_file import ProfileFile
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats


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


def read_current_profile(settings: Mapping[str, Any], pack_ah: float) -> CurrentProfile:
    """Read the duty named by `file` in a lane's settings, with `repeat`; raise `BenchFileError` with its line.

    A duty in C is for any pack: its currents are multiplied by `pack_ah`.
    """
    if not isinstance(name := settings.get("file"), str):
        raise BenchFileError("names no current profile", key="file", value=name, hint='set file = "duty.csv"')
    t_s, current_a = _read_points(name, pack_ah)
    return CurrentProfile(t_s, current_a, repeat=bool(settings.get("repeat", True)))


def _read_points(name: str, pack_ah: float) -> tuple[Floats, Floats]:
    """Return time in s and current in A of the lines; raise `BenchFileError` for what is no profile."""
    rows = ProfileFile(name)
    points: list[tuple[float, float]] = []
    for line, (t_s, current) in rows.read_numbers():
        if points and t_s < points[-1][0]:
            raise BenchFileError("time decreases", where=name, line=line, key="t_s", value=t_s, bound=points[-1][0])
        points.append((t_s, current))
    if len(points) < 2 or not points[-1][0] > points[0][0] == 0.0:  # noqa: PLR2004  # a line has two ends
        hint = "begin at 0 s and give at least two times"
        raise BenchFileError("has no length", where=name, line=rows.last_line, hint=hint)
    t_s, current = np.array(points).T
    return t_s, current * (pack_ah if rows.is_rate else 1.0)
