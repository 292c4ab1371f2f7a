"""What follows from damaged rows of an outbox: what a person is told, and what must be named in gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_bridge.ranges import subtract
from edge_bridge.row_span import RowSpan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_bridge.edge.outbox_rows import BootCount, LostRow, RowTable

MAX_NAMED: Final = 10  # damaged rows that a notice lists
MAX_HOLES: Final = 100  # gap rows of a boot that are made again after a gap row was damaged


def find_holes(rows: RowTable, counts: Mapping[str, BootCount], named: Sequence[RowSpan]) -> list[RowSpan]:
    """Return what a lost gap row may have named: the numbers of all boots that are neither here nor in `named`."""
    found = list[RowSpan]()
    for boot, count in counts.items():
        if count.evicted:
            known = [(span.first, span.last) for span in named if span.boot == boot]
            holes = subtract(rows.find_holes(boot, count.last, MAX_HOLES), known)
            found += [RowSpan(boot, first, last) for first, last in holes]
    return found


def describe_damage(lost: Sequence[LostRow]) -> str:
    """Describe what was damaged."""
    if not lost:
        return "an index or a count of the outbox was damaged; it was made anew from the rows"
    named = [f"{row.key.seq} of boot {row.key.boot}" if row.key else "of an unknown number" for row in lost[:MAX_NAMED]]
    more = f" and {len(lost) - MAX_NAMED} more" if len(lost) > MAX_NAMED else ""
    return f"damaged rows of the outbox were set aside and are named in gap rows: {', '.join(named)}{more}"
