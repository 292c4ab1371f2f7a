"""When a new configuration counts as healthy: finite beliefs, a gate at peace and rows on the disk, long enough."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STEADY_S: Final = 5.0
WITHIN_S: Final = 60.0
BOOTS: Final = 3  # starts on probation that may end before it is proven


class Standing(StrEnum):
    """How far the proof is."""

    WAITING = "waiting"
    HEALTHY = "healthy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Sign:
    """What one turn showed: why the belief is not finite, why the gate tripped, why no row was written (or empty)."""

    belief: str = ""
    trip: str = ""
    disk: str = ""


class Proof:
    """Asked every turn, in s of a monotonic clock."""

    def __init__(self, now_s: float, steady_s: float = STEADY_S, within_s: float = WITHIN_S) -> None:
        self._until_s, self._steady_s, self._within_s = now_s + within_s, steady_s, within_s
        self._since_s: float | None = None
        self.reason = "it has not run yet"

    def see(self, now_s: float, sign: Sign) -> Standing:
        """A trip fails at once; anything else that is wrong only begins the time of peace anew."""
        if sign.trip:
            self.reason = f"the gate tripped: {sign.trip}"
            return Standing.FAILED
        if wrong := sign.belief or sign.disk:
            self._since_s, self.reason = None, wrong
        elif self._since_s is None:
            self._since_s, self.reason = now_s, f"it was well for less than {self._steady_s:g} s"
        if self._since_s is not None and now_s - self._since_s >= self._steady_s:
            return Standing.HEALTHY
        if now_s >= self._until_s:
            self.reason = f"not healthy within {self._within_s:g} s: {self.reason}"
            return Standing.FAILED
        return Standing.WAITING
