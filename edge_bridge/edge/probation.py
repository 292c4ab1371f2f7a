"""When a new configuration counts as healthy: finite beliefs, a gate at peace and rows on the disk, long enough."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STEADY_S: Final = 5.0
TIMEOUT_S: Final = 60.0
MAX_BOOTS: Final = 3  # starts on probation that may end before it is proven


class ProbationState(StrEnum):
    """How far the proof is."""

    WAITING = "waiting"
    HEALTHY = "healthy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HealthSample:
    """What one turn showed: why the belief is not finite, why the gate tripped, why no row was written (or empty)."""

    estimate_fault: str = ""
    trip: str = ""
    disk_fault: str = ""


class Probation:
    """Asked every turn, in s of a monotonic clock."""

    def __init__(self, now_s: float, steady_s: float = STEADY_S, timeout_s: float = TIMEOUT_S) -> None:
        self._until_s, self._steady_s, self._timeout_s = now_s + timeout_s, steady_s, timeout_s
        self._since_s: float | None = None
        self.reason = "it has not run yet"

    def update(self, now_s: float, sample: HealthSample) -> ProbationState:
        """A trip fails at once; anything else that is wrong only begins the time of peace anew."""
        if sample.trip:
            self.reason = f"the gate tripped: {sample.trip}"
            return ProbationState.FAILED
        if wrong := sample.estimate_fault or sample.disk_fault:
            self._since_s, self.reason = None, wrong
        elif self._since_s is None:
            self._since_s, self.reason = now_s, f"it was well for less than {self._steady_s:g} s"
        if self._since_s is not None and now_s - self._since_s >= self._steady_s:
            return ProbationState.HEALTHY
        if now_s >= self._until_s:
            self.reason = f"not healthy within {self._timeout_s:g} s: {self.reason}"
            return ProbationState.FAILED
        return ProbationState.WAITING
