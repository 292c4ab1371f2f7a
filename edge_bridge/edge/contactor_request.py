"""The contactor request of the edge to the pack: closed while the gate has not tripped, open once it tripped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drivers.canbus.dut import Contactor

WITHDRAW_S: Final = 1.0
REQUEST_S: Final = 3.0


class ContactorRequest:
    """The request of each turn: a close counts once, so withdraw and repeat it until the contactor is closed."""

    def __init__(self, now_s: float) -> None:
        self._since_s = now_s
        self._requesting = False

    def update(self, now_s: float, *, closed: bool, tripped: bool) -> Contactor:
        """Return the request of this turn; times in s of a monotonic clock."""
        if tripped:
            return "open"
        if closed:
            self._since_s, self._requesting = now_s, True
            return "close"
        if now_s - self._since_s >= (REQUEST_S if self._requesting else WITHDRAW_S):
            self._since_s, self._requesting = now_s, not self._requesting
        return "close" if self._requesting else "none"
