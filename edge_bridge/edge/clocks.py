"""The two clocks of an edge: one that only goes forward, and one that tells the time of day and may jump."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clocks(Protocol):
    """Time as an argument."""

    def now(self) -> float:
        """Seconds, monotonic: order, ages and deadlines."""
        ...

    def utc(self) -> datetime:
        """The time of day: stamps, and nothing else."""
        ...

    def stamp_ms(self) -> int:
        """The time of day in ms since 1970, never below 0."""
        ...


class MachineClocks:
    """Those of this machine."""

    def now(self) -> float:
        return time.monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def stamp_ms(self) -> int:
        return max(0, time.time_ns() // 1_000_000)

    def wait_until(self, due_s: float) -> None:
        time.sleep(max(0.0, due_s - time.monotonic()))
