"""Gaps that edges reported: ranges of one boot that do not overlap, so that no number is named twice."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, delete, func, insert, select

from edge_bridge.fleet.store.archived_spans import count_archived
from edge_bridge.fleet.store.tables import GAP, ROW, STAGED
from edge_bridge.ranges import Range, subtract

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_bridge.row_span import RowSpan

_KEY: Final = (GAP.c.node, GAP.c.boot)
_SPANS: Final = (
    select(STAGED.c.node, STAGED.c.boot, func.min(STAGED.c.seq).label("low"), func.max(STAGED.c.seq).label("high"))
    .group_by(STAGED.c.node, STAGED.c.boot)
    .subquery()
)
_TOUCHED: Final = (
    select(*_KEY, GAP.c.first, GAP.c.last)
    .join_from(_SPANS, GAP, and_(GAP.c.node == _SPANS.c.node, GAP.c.boot == _SPANS.c.boot))
    .where(GAP.c.last >= _SPANS.c.low, GAP.c.first <= _SPANS.c.high)
)
_OVERLAPS: Final = and_(
    GAP.c.node == bindparam("of_node"),
    GAP.c.boot == bindparam("of_boot"),
    GAP.c.last >= bindparam("from_seq"),
    GAP.c.first <= bindparam("to_seq"),
)
_FIND: Final = select(GAP.c.first, GAP.c.last).where(_OVERLAPS)
_DELETE: Final = delete(GAP).where(_OVERLAPS)
_BETWEEN: Final = select(func.count()).where(
    ROW.c.node == bindparam("of_node"),
    ROW.c.boot == bindparam("of_boot"),
    ROW.c.seq.between(bindparam("from_seq"), bindparam("to_seq")),
)


class GapRanges:
    """The gaps, as of one moment, that the staged rows may lie in."""

    def __init__(self, connection: Connection) -> None:
        self._ranges = defaultdict[tuple[str, str], list[Range]](list)
        for node, boot, first, last in connection.execute(_TOUCHED):
            self._ranges[node, boot].append((last, first))
        for ranges in self._ranges.values():
            ranges.sort()

    def has(self, node: str, boot: str, seq: int) -> bool:
        """Return whether a gap names this row."""
        ranges = self._ranges.get((node, boot))
        if not ranges:
            return False
        place = bisect_left(ranges, (seq, 0))
        return place < len(ranges) and ranges[place][1] <= seq


def insert_gap(connection: Connection, node: str, gap: RowSpan) -> int:
    """Insert a gap, joined with those that it overlaps; return how many rows it names that nothing else accounts for.

    The rows of the batch are stored already.
    """
    asked = {"of_node": node, "of_boot": gap.boot, "from_seq": gap.first, "to_seq": gap.last}
    known: list[Range] = [(first, last) for first, last in connection.execute(_FIND, asked)]
    added = subtract([(gap.first, gap.last)], known)
    named = 0
    for first, last in added:
        stored = connection.execute(_BETWEEN, asked | {"from_seq": first, "to_seq": last}).scalar_one()
        named += last - first + 1 - int(stored) - count_archived(connection, node, gap.boot, (first, last))
    if added:
        connection.execute(_DELETE, asked)
        first = min(gap.first, *(first for first, _ in known)) if known else gap.first
        last = max(gap.last, *(last for _, last in known)) if known else gap.last
        connection.execute(insert(GAP), {"node": node, "boot": gap.boot, "first": first, "last": last})
    return named
