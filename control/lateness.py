"""How late turns began, and how many were left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Floats

KEPT: Final = 1 << 17  # 22 min at 100 Hz; the maximum counts all turns


class Lateness:
    """Start of a turn minus its due time, in s, over the newest turns."""

    def __init__(self) -> None:
        self.turns = 0
        self.missed = 0
        self._max_s = 0.0
        self._late_s = np.zeros(KEPT)

    def add(self, late_s: float, missed: int) -> None:
        self._late_s[self.turns % KEPT] = late_s
        self.turns += 1
        self.missed += missed
        self._max_s = max(self._max_s, late_s)

    def newest(self, count: int) -> Floats:
        """Lateness of the newest turns, at most `count`, in no order, in s."""
        at = np.arange(max(0, self.turns - min(count, KEPT)), self.turns) % KEPT
        return self._late_s[at]

    def percentiles_ms(self) -> dict[str, float]:
        """`p50`, `p99`, `p999`, `max` in ms; NaN before the first turn."""
        kept: Floats = self._late_s[: min(self.turns, KEPT)]
        if not kept.size:
            return dict.fromkeys(("p50", "p99", "p999", "max"), float("nan"))
        p50, p99, p999 = np.percentile(kept, (50.0, 99.0, 99.9)) * 1e3
        return {"p50": float(p50), "p99": float(p99), "p999": float(p999), "max": self._max_s * 1e3}
