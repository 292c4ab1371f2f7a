"""The rows that a node keeps and the database lacks, for instance because it was restored from a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, select

from edge_bridge.fleet.store.archived_spans import read_spans
from edge_bridge.fleet.store.tables import BOOT, GAP, ROW
from edge_bridge.ranges import Range, subtract

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

_COUNTS: Final = select(BOOT.c.boot, BOOT.c.highest, BOOT.c.stored, BOOT.c.named).where(
    BOOT.c.node == bindparam("of_node"), BOOT.c.boot.in_(bindparam("boots", expanding=True))
)
_NUMBERED: Final = (
    select(ROW.c.seq, (ROW.c.seq - func.row_number().over(order_by=ROW.c.seq)).label("island"))
    .where(
        ROW.c.node == bindparam("of_node"),
        ROW.c.boot == bindparam("of_boot"),
        ROW.c.seq.between(bindparam("low"), bindparam("high")),
    )
    .subquery()
)
_ISLANDS: Final = select(func.min(_NUMBERED.c.seq), func.max(_NUMBERED.c.seq)).group_by(_NUMBERED.c.island)
_GAPS: Final = select(GAP.c.first, GAP.c.last).where(
    GAP.c.node == bindparam("of_node"), GAP.c.boot == bindparam("of_boot"), GAP.c.last >= bindparam("low")
)


def find_missing(connection: Connection, node: str, kept: Mapping[str, Sequence[Range]]) -> dict[str, list[Range]]:
    """Return which rows of `kept` are neither stored, archived nor named in a gap, by boot.

    The running counts say first whether any can be missing: if not, no row is read.
    """
    if not kept:
        return {}
    counted = {row.boot: row for row in connection.execute(_COUNTS, {"of_node": node, "boots": list(kept)})}
    found = dict[str, list[Range]]()
    for boot, ranges in kept.items():
        count = counted.get(boot)
        low, high = min(first for first, _ in ranges), max(last for _, last in ranges)
        if count is not None and count.highest >= high and count.stored + count.named >= count.highest:
            continue
        asked = {"of_node": node, "of_boot": boot, "low": low, "high": high}
        here = [] if count is None else [(int(a), int(b)) for a, b in connection.execute(_ISLANDS, asked)]
        gaps = [(int(a), int(b)) for a, b in connection.execute(_GAPS, asked)]
        archived = read_spans(connection, node, boot, (low, high))
        if missing := subtract(ranges, [*here, *gaps, *archived]):
            found[boot] = missing
    return found
