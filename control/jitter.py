"""Jitter of the loop: how late due instants were served. A stalled loop serves every instant of the stall late.

To count the turns alone would hide that (coordinated omission, Tene 2013): the turns that a stall skips never begin,
so they would never be late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Floats

KEPT: Final = 1 << 17  # due instants: 22 min at 100 Hz; the maximum counts all
FIGURES: Final = ("p50", "p99", "p999", "max")


def compute_due_lateness(late_s: Floats, missed: Floats, period_s: float) -> Floats:
    """Return the lateness of every due instant in s, in order; turn n began `late_s[n]` after its own instant.

    `missed[n]` instants were left out just before turn n, which is the first to serve them: each is one period later
    than the one after it.
    """
    count = np.asarray(missed, dtype=np.int64) + 1
    ends = np.cumsum(count)
    before = np.repeat(ends, count) - 1 - np.arange(ends[-1] if len(ends) else 0)
    return np.repeat(np.asarray(late_s, dtype=np.float64), count) + period_s * before


def figures_ms(late_s: Floats) -> dict[str, float]:
    """Return `p50`, `p99`, `p999` and `max` in ms; NaN for an empty array."""
    if not late_s.size:
        return dict.fromkeys(FIGURES, float("nan"))
    p50, p99, p999 = np.percentile(late_s, (50.0, 99.0, 99.9)) * 1e3
    return {"p50": float(p50), "p99": float(p99), "p999": float(p999), "max": float(late_s.max() * 1e3)}


class LoopJitter:
    """Lateness of the newest due instants in s; `turns` counts all that ran, `missed` all that were left out."""

    def __init__(self, period_s: float) -> None:
        self.turns = 0
        self.missed = 0
        self._period_s = period_s
        self._instants = 0
        self._max_s = 0.0
        self._late_s = np.zeros(KEPT)

    def add(self, late_s: float, missed: int) -> None:
        """Add a turn that began `late_s` after its own due instant, before which `missed` instants were left out."""
        self.turns += 1
        self.missed += missed
        self._max_s = max(self._max_s, late_s + missed * self._period_s)
        kept = min(missed, KEPT - 1)
        at = np.arange(self._instants, self._instants + kept + 1) % KEPT
        self._late_s[at] = late_s + self._period_s * np.arange(kept, -1, -1)
        self._instants += kept + 1

    def newest(self, count: int) -> Floats:
        """Return the lateness of the newest due instants, at most `count`, in no order, in s."""
        at = np.arange(max(0, self._instants - min(count, KEPT)), self._instants) % KEPT
        return self._late_s[at]

    def percentiles_ms(self) -> dict[str, float]:
        """Return `p50`, `p99`, `p999`, `max` in ms; NaN before the first turn."""
        figures = figures_ms(self.newest(KEPT))
        return figures | {"max": self._max_s * 1e3} if self.turns else figures
