"""How many rows may be on their way: few at first, more while acknowledgements come quickly.

A fleet that has waited for its host would else send all that waits at once: the broker drops what the host cannot
take, so all is sent again, and the host never catches up. It is the slow start of TCP (RFC 5681, section 3.1), which
ends where acknowledgements begin to come later (as in TCP Vegas): rows that wait at the broker help nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge_bridge.ranges import Range

START: Final = 4  # rows, while nothing is known of the host
LEAST: Final = 2  # rows, after some were not acknowledged in time
MOST: Final = 1_000
SLOWER_S: Final = 1.0  # than the quickest acknowledgement: the host has more to do than it can


class SendWindow:
    """The window of one connection; times in s are monotonic. It grows by each acknowledged row, while it is used."""

    def __init__(self) -> None:
        self.size = START
        self._probe: tuple[str, int, float] | None = None  # a row that was sent once, and when
        self._quickest_s = float("inf")
        self._is_quick = True

    def restart(self) -> None:
        """Begin with few rows: those on their way may be lost."""
        self.size, self._probe = START, None

    def note_late(self) -> None:
        """Note that rows were not acknowledged in time."""
        self.size, self._probe = LEAST, None

    def note_sent(self, boot: str, seq: int, now_s: float) -> None:
        """Note a row that was sent."""
        if self._probe is None:
            self._probe = boot, seq, now_s

    def note_acknowledged(self, boots: Mapping[str, Iterable[Range]], rows: int, in_flight: int, now_s: float) -> None:
        """Note that `rows` were acknowledged, by the ranges of each boot; `in_flight` were on their way before."""
        self._measure(boots, now_s)
        if self._is_quick and 2 * in_flight >= self.size:
            self.size = min(MOST, self.size + rows)

    def _measure(self, boots: Mapping[str, Iterable[Range]], now_s: float) -> None:
        if self._probe is None:
            return
        boot, seq, sent_s = self._probe
        if any(first <= seq <= last for first, last in boots.get(boot, ())):
            self._probe = None
            self._quickest_s = min(self._quickest_s, now_s - sent_s)
            self._is_quick = now_s - sent_s <= self._quickest_s + SLOWER_S
