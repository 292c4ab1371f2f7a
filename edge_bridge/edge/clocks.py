"""The two clocks of an edge: a monotonic one, and the time of day, which may jump."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

from drivers.clock import monotonic


class Clocks(Protocol):
    """The clocks that an edge uses, passed as an argument."""

    def now(self) -> float:
        """Return monotonic seconds, for order, ages and deadlines."""
        ...

    def utc(self) -> datetime:
        """Return the time of day, for time stamps only."""
        ...

    def stamp_ms(self) -> int:
        """Return the time of day in ms since 1970, never below 0."""
        ...


class MachineClocks:
    """The clocks of this machine."""

    def now(self) -> float:
        return monotonic()

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def stamp_ms(self) -> int:
        return max(0, time.time_ns() // 1_000_000)

    def wait_until(self, due_s: float) -> None:
        time.sleep(max(0.0, due_s - monotonic()))
