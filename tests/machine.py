"""What this machine can carry at once, told by how quick its Python is."""

from __future__ import annotations

import time
from typing import Final

QUICK_S: Final = 0.15
VERY_QUICK_S: Final = 0.08


def python_s() -> float:
    """Seconds for two million additions: 0.18 where two whole benches did not fit (docs/measured.md)."""
    began_s, total = time.perf_counter(), 0
    for number in range(2_000_000):
        total += number
    return time.perf_counter() - began_s


def is_quick(within_s: float = QUICK_S) -> bool:
    """Whether two whole benches with their windows (`VERY_QUICK_S`: or three without) leave each other their time.

    Their loops, guards and emulated instruments have real-time priority: where these fill both cores, whatever else
    runs, a window above all, waits for seconds, and every bench trips as it should.
    """
    return min(python_s() for _ in range(3)) < within_s
