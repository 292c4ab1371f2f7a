"""The probation of a new configuration: finite estimates, no trip and rows on the disk, for long enough."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STEADY_S: Final = 5.0
TIMEOUT_S: Final = 60.0
MAX_BOOTS: Final = 3  # starts on probation that may end before it is healthy


class ProbationState(StrEnum):
    """The state of a probation."""

    WAITING = "waiting"
    HEALTHY = "healthy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HealthSample:
    """The health of one turn: why the estimate is unusable, why the gate tripped, why no row was written (or empty)."""

    estimate_fault: str = ""
    trip: str = ""
    disk_fault: str = ""


class Probation:
    """The probation of one configuration, updated every turn; times in s of a monotonic clock."""

    def __init__(self, now_s: float, steady_s: float = STEADY_S, timeout_s: float = TIMEOUT_S) -> None:
        self._until_s, self._steady_s, self._timeout_s = now_s + timeout_s, steady_s, timeout_s
        self._since_s: float | None = None
        self.reason = "it has not run yet"

    def update(self, now_s: float, sample: HealthSample) -> ProbationState:
        """Update with one sample: a trip fails at once, any other fault only restarts the healthy time."""
        if sample.trip:
            self.reason = f"the gate tripped: {sample.trip}"
            return ProbationState.FAILED
        if wrong := sample.estimate_fault or sample.disk_fault:
            self._since_s, self.reason = None, wrong
        elif self._since_s is None:
            self._since_s, self.reason = now_s, f"it was healthy for less than {self._steady_s:g} s"
        if self._since_s is not None and now_s - self._since_s >= self._steady_s:
            return ProbationState.HEALTHY
        if now_s >= self._until_s:
            self.reason = f"not healthy within {self._timeout_s:g} s: {self.reason}"
            return ProbationState.FAILED
        return ProbationState.WAITING
