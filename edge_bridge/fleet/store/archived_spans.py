"""Rows that the archive holds and the tables do not any more: ranges of each boot, which count as stored."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import and_, bindparam, delete, func, insert, select

from edge_bridge.fleet.store.tables import STAGED
from edge_bridge.fleet.store.upkeep_tables import ARCHIVED_SPAN as SPAN
from edge_bridge.ranges import Range, unite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

Spans: TypeAlias = "Mapping[tuple[str, str], Sequence[Range]]"  # by node and boot
_NODES: Final = 500  # in one statement

_STAGED: Final = (
    select(STAGED.c.node, STAGED.c.boot, func.min(STAGED.c.seq).label("low"), func.max(STAGED.c.seq).label("high"))
    .group_by(STAGED.c.node, STAGED.c.boot)
    .subquery()
)
_MEETS: Final = (
    select(SPAN)
    .join_from(_STAGED, SPAN, and_(SPAN.c.node == _STAGED.c.node, SPAN.c.boot == _STAGED.c.boot))
    .where(SPAN.c.last >= _STAGED.c.low, SPAN.c.first <= _STAGED.c.high)
)
_TAKE: Final = delete(STAGED).where(
    STAGED.c.node == bindparam("of_node"),
    STAGED.c.boot == bindparam("of_boot"),
    STAGED.c.seq.between(bindparam("from_seq"), bindparam("to_seq")),
)
_OVERLAP: Final = select(SPAN.c.first, SPAN.c.last).where(
    SPAN.c.node == bindparam("of_node"),
    SPAN.c.boot == bindparam("of_boot"),
    SPAN.c.last >= bindparam("from_seq"),
    SPAN.c.first <= bindparam("to_seq"),
)


def drop_archived(connection: Connection) -> int:
    """Delete staged rows that the archive holds; return how many: each one is known, and must not be stored anew."""
    gone = 0
    for node, boot, first, last in connection.execute(_MEETS).all():
        asked = {"of_node": node, "of_boot": boot, "from_seq": first, "to_seq": last}
        gone += connection.execute(_TAKE, asked).rowcount
    return gone


def count_archived(connection: Connection, node: str, boot: str, rows: Range) -> int:
    """Return how many rows of a range the archive holds."""
    found = read_spans(connection, node, boot, rows)
    return sum(min(last, rows[1]) - max(first, rows[0]) + 1 for first, last in found)


def read_spans(connection: Connection, node: str, boot: str, rows: Range) -> list[Range]:
    """Return the ranges of the archive that meet a range."""
    asked = {"of_node": node, "of_boot": boot, "from_seq": rows[0], "to_seq": rows[1]}
    return [(int(first), int(last)) for first, last in connection.execute(_OVERLAP, asked)]


def count_archived_of(connection: Connection, node: str) -> int:
    """Return how many rows of a node the archive holds."""
    counted = select(func.coalesce(func.sum(SPAN.c.last - SPAN.c.first + 1), 0)).where(SPAN.c.node == node)
    return int(connection.execute(counted).scalar_one())


def add_spans(connection: Connection, added: Spans) -> None:
    """Add ranges to those of their boots, joined where they touch."""
    nodes = sorted({node for node, _ in added})
    for start in range(0, len(nodes), _NODES):
        some = nodes[start : start + _NODES]
        known = defaultdict[tuple[str, str], list[Range]](list)
        for node, boot, first, last in connection.execute(select(SPAN).where(SPAN.c.node.in_(some))):
            known[node, boot].append((first, last))
        chosen = [key for key in added if key[0] in set(some)]
        old = [{"of_node": node, "of_boot": boot} for node, boot in chosen if known.get((node, boot))]
        if old:
            of_boot = delete(SPAN).where(SPAN.c.node == bindparam("of_node"), SPAN.c.boot == bindparam("of_boot"))
            connection.execute(of_boot, old)
        new = [
            {"node": node, "boot": boot, "first": first, "last": last}
            for node, boot in chosen
            for first, last in unite([*known.get((node, boot), ()), *added[node, boot]])
        ]
        connection.execute(insert(SPAN), new)
