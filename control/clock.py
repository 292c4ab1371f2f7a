"""Clocks of the loop: the machine's, and one that tests step."""

from __future__ import annotations

import time

from drivers.clock import monotonic


class WallClock:
    """CLOCK_MONOTONIC, the same in every process; it sleeps, because a spinning real-time thread gets throttled."""

    def now(self) -> float:
        return monotonic()

    def wait_until(self, due_s: float) -> None:
        rest_s = due_s - monotonic()
        if rest_s > 0.0:
            time.sleep(rest_s)


class SteppedClock:
    """A clock that advances only in `wait_until` and `advance`."""

    def __init__(self, t_s: float = 0.0) -> None:
        self._t_s = t_s

    def now(self) -> float:
        return self._t_s

    def wait_until(self, due_s: float) -> None:
        self._t_s = max(self._t_s, due_s)

    def advance(self, dt_s: float) -> None:
        """Advance the time, as if a turn took `dt_s`."""
        self._t_s += dt_s
