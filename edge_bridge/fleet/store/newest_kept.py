"""Tables of which only the newest entries of each node are kept: births and events."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection, Table

MAX_NAMES: Final = 500  # in one statement


def delete_old(connection: Connection, table: Table, nodes: Iterable[str], most: int) -> None:
    """Delete all but the newest `most` entries of each of these nodes; `id` is their order."""
    for names in split_names(nodes):
        counted = select(table.c.node).where(table.c.node.in_(names)).group_by(table.c.node)
        crowded = connection.execute(counted.having(func.count() > most)).scalars().all()
        if crowded:
            place = func.row_number().over(partition_by=table.c.node, order_by=table.c.id.desc()).label("place")
            placed = select(table.c.id, place).where(table.c.node.in_(crowded)).subquery()
            old = select(placed.c.id).where(placed.c.place > most)
            connection.execute(delete(table).where(table.c.id.in_(old)))


def split_names(names: Iterable[str]) -> Iterator[list[str]]:
    """Yield the different names in their order, as many as a statement takes."""
    ordered = iter(sorted(set(names)))
    while some := list(islice(ordered, MAX_NAMES)):
        yield some
