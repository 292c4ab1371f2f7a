"""What the MPC requests while it finds no new plan: the last plan, then less and less current, then nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from control.bumpless import clamp
from control.ports import Fallback

if TYPE_CHECKING:
    from control.ports import CurrentRange

KEPT: Final = 4  # the last plan is followed for one part in so many of its horizon
DERATES: Final = 0.8  # of the last current, each time
LEAST: Final = 0.01  # of the rating: a smaller current is none


class MpcRequest(NamedTuple):
    """A requested current (A of the pack), where it comes from, and why."""

    current_a: float
    fallback: Fallback
    note: str


class FallbackChain:
    """Chooses the first that is left: last plan shifted, derated, zero. `rating_a` is that of the pack."""

    def __init__(self, rating_a: float, horizon: int) -> None:
        self._least_a, self._most = LEAST * rating_a, max(1, horizon // KEPT)
        self._left, self._last_a = 0, 0.0

    def accept(self, current_a: float) -> MpcRequest:
        """Take the current of a new plan."""
        self._left, self._last_a = self._most, current_a
        return MpcRequest(current_a, Fallback.NONE, "")

    def choose(self, shifted_a: float, safe: CurrentRange, reason: str) -> MpcRequest:
        """Fall back, within the range that the shield allows, because of `reason`."""
        if self._left > 0:
            self._left -= 1
            self._last_a = clamp(shifted_a, safe)
            return MpcRequest(self._last_a, Fallback.SHIFTED, f"{reason}: the last plan, one step on")
        self._last_a = clamp(DERATES * self._last_a, safe)
        if abs(self._last_a) > self._least_a:
            return MpcRequest(self._last_a, Fallback.DERATED, f"{reason}: {100 * (1 - DERATES):.0f} % less current")
        return self.stop(reason)

    def stop(self, reason: str) -> MpcRequest:
        """MpcRequest nothing from now on, until a new plan."""
        self._left, self._last_a = 0, 0.0
        return MpcRequest(0.0, Fallback.ZERO, f"{reason}: no current")
