"""The acknowledged rows that an outbox keeps for a while, so that a restored fleet can ask for what it lacks.

They are the first to go: when they are too old or too many, and when an unacknowledged row needs their room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_bridge.row_span import RowSpan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_bridge.edge.outbox_rows import RowCheck, RowTable
    from edge_bridge.edge.row import RowKey
    from edge_bridge.ranges import Range

KEEP_DAYS: Final = 7.0
KEEP_SHARE: Final = 5  # up to a fifth of the outbox
MAX_BOOTS: Final = 50  # boots that a birth names
MAX_RESENT: Final = 5_000  # rows of one request to send rows again
MAX_DROPPED: Final = 5_000  # in one transaction, so that the pack does not wait
LOOK_MS: Final = 60_000  # between two looks for rows that are too old
_CHUNK_SHARE: Final = 64  # drop this part of the kept rows at once, not one row at each commit
_DAY_MS: Final = 86_400_000


class KeptRows:
    """The kept rows of all boots; the caller opens transactions."""

    def __init__(self, table: RowTable, check: RowCheck, capacity: int, keep_days: float) -> None:
        """`capacity` is that of the whole outbox; with `keep_days` 0 no row is kept."""
        self._table, self._capacity, self._keep_days = table, capacity, keep_days
        self._ranges = dict(check.kept)
        self._looked_ms: int | None = None
        self.count = table.count_kept()

    @property
    def _is_on(self) -> bool:
        return self._keep_days > 0.0

    @property
    def ranges(self) -> dict[str, list[Range]]:
        """Return the first and the last kept row of the newest boots; not every number between must be here."""
        return {boot: [self._ranges[boot]] for boot in [*self._ranges][-MAX_BOOTS:]}

    def mark(self, spans: Iterable[RowSpan]) -> None:
        """Mark rows as acknowledged, or delete them if none are to be kept."""
        for span in spans:
            if self._is_on:
                self._table.keep(span)
            else:
                self._table.delete(span)

    def unmark(self, boot: str, ranges: Iterable[Range], newest: int) -> int:
        """Let up to `MAX_RESENT` kept rows wait again; return how many."""
        again = 0
        for first, last in ranges:
            again += self._table.unkeep(RowSpan(boot, max(1, first), min(last, newest)), MAX_RESENT - again)
        return again

    def add(self, keys: Iterable[RowKey]) -> None:
        """Add rows that were marked, after the commit."""
        if not self._is_on:
            return
        for key in keys:
            first, last = self._ranges.get(key.boot, (key.seq, key.seq))
            self._ranges[key.boot] = min(first, key.seq), max(last, key.seq)
            self.count += 1

    def is_trim_due(self, waiting: int, t_ms: int) -> bool:
        """Return whether rows are too many beside those that wait, or may be too old."""
        return self._find_excess(waiting) > 0 or self._is_look_due(t_ms)

    def trim(self, waiting: int, t_ms: int) -> None:
        """Drop the rows that are too many or too old."""
        if excess := self._find_excess(waiting):
            self.drop(excess)
        if self._is_look_due(t_ms) and self.drop(MAX_DROPPED, t_ms - round(self._keep_days * _DAY_MS)) < MAX_DROPPED:
            self._looked_ms = t_ms

    def _find_excess(self, waiting: int) -> int:
        """Return how many kept rows are too many beside those that wait, 0 for none."""
        allowed = max(0, min(self._capacity // KEEP_SHARE, self._capacity - waiting)) if self._is_on else 0
        excess = self.count - allowed
        return min(excess + allowed // _CHUNK_SHARE, MAX_DROPPED) if excess > 0 else 0

    def _is_look_due(self, t_ms: int) -> bool:
        """Return whether it is time to look for rows that are too old; the wall clock may jump."""
        return self.count > 0 and (self._looked_ms is None or abs(t_ms - self._looked_ms) >= LOOK_MS)

    def drop(self, most: int, before_ms: int | None = None) -> int:
        """Drop the oldest kept rows; return how many."""
        keys = self._table.drop_kept(most, before_ms)
        for key in keys:
            last = self._ranges.get(key.boot, (0, 0))[1]
            if key.seq < last:
                self._ranges[key.boot] = key.seq + 1, last
            else:
                self._ranges.pop(key.boot, None)
        self.count -= len(keys)
        return len(keys)
