"""What the edge asks of the pack's contactor: closed while the gate is at peace, open once it tripped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drivers.canbus.dut import Contactor

WITHDRAWN_S: Final = 1.0
ASKED_S: Final = 3.0


class Wish:
    """A close counts once, so it is withdrawn and asked anew until the contactor is closed."""

    def __init__(self, now_s: float) -> None:
        self._since_s = now_s
        self._asking = False

    def word(self, now_s: float, *, closed: bool, tripped: bool) -> Contactor:
        """For this turn; times in s of a monotonic clock."""
        if tripped:
            return "open"
        if closed:
            self._since_s, self._asking = now_s, True
            return "close"
        if now_s - self._since_s >= (ASKED_S if self._asking else WITHDRAWN_S):
            self._since_s, self._asking = now_s, not self._asking
        return "close" if self._asking else "none"
