"""Whether an MQTT connection still lives: any byte that came is a sign of it (MQTT 3.1.1, 3.1.2.10).

paho counts only what passes through it, and here all messages of QoS 0 pass it by. So a flood would hide the answer to
its ping, and it would end a connection that is busy.
"""

from __future__ import annotations

from typing import Final

PING: Final = b"\xc0\x00"
PATIENCE: Final = 1.5  # so many times the keep-alive may pass without a byte, as the broker grants


class KeepAlive:
    """Times in s, monotonic; `period_s` is the keep-alive that CONNECT told the broker."""

    def __init__(self, period_s: float, now_s: float) -> None:
        self._period_s = period_s
        self._pinged_s = self._alive_s = now_s

    def note_received(self, now_s: float) -> None:
        """Note that something was received, or that this side does not read now: then silence says nothing."""
        self._alive_s = now_s

    def is_due(self, now_s: float) -> bool:
        """Return whether to send a ping now."""
        if now_s - self._pinged_s < self._period_s / 2.0:
            return False
        self._pinged_s = now_s
        return True

    def is_lost(self, now_s: float) -> bool:
        """Return whether the other side has been silent for too long."""
        return now_s - self._alive_s > PATIENCE * self._period_s
