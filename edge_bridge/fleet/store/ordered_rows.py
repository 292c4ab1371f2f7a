"""Rows that follow all that the database knows of their boot: none of them can be there, in a gap or in the archive.

Almost every row is one. Such rows are stored and counted by three statements, whatever their number, and nothing of
them comes back. What this program remembers only chooses them; the database itself says whether they follow.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import and_, case, func, select, update

from edge_bridge.fleet.store.tables import BOOT, STAGED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from edge_bridge.fleet.row import StoredRow

BootKey: TypeAlias = tuple[str, str]  # node and boot

MAX_BOOTS: Final = 100_000  # boots whose newest row is remembered
_SPAN: Final = (
    select(
        STAGED.c.node,
        STAGED.c.boot,
        func.min(STAGED.c.seq).label("low"),
        func.max(STAGED.c.seq).label("high"),
        func.count().label("rows"),
        func.min(STAGED.c.t_ms).label("first_ms"),
        func.max(STAGED.c.t_ms).label("last_ms"),
    )
    .group_by(STAGED.c.node, STAGED.c.boot)
    .subquery("span")
)
_FOLLOWS: Final = and_(BOOT.c.node == _SPAN.c.node, BOOT.c.boot == _SPAN.c.boot, BOOT.c.highest < _SPAN.c.low)
_LOOK: Final = select(func.count(), func.sum(_SPAN.c.high - BOOT.c.highest)).join_from(_SPAN, BOOT, _FOLLOWS)
_COUNT: Final = (
    update(BOOT)
    .where(_FOLLOWS)
    .values(
        highest=_SPAN.c.high,
        stored=BOOT.c.stored + _SPAN.c.rows,
        first_ms=case((BOOT.c.first_ms < _SPAN.c.first_ms, BOOT.c.first_ms), else_=_SPAN.c.first_ms),
        last_ms=case((BOOT.c.last_ms > _SPAN.c.last_ms, BOOT.c.last_ms), else_=_SPAN.c.last_ms),
    )
)


@dataclass
class OrderedRows:
    """Rows of a batch that follow those before them, and the `newest` of each boot; `others` are not sure."""

    rows: Sequence[StoredRow] = ()
    newest: dict[BootKey, int] = field(default_factory=dict[BootKey, int])
    others: Sequence[StoredRow] = ()

    def count_nodes(self) -> Counter[str]:
        """Return how many rows each node has."""
        return Counter(row.node for row in self.rows)


class OrderLost(Exception):  # noqa: N818  # it is no error: the rows are stored the other way
    """Rows do not follow what the database knows: another program has written it."""


class NewestRows:
    """The newest row of each boot, as the database had it when this program wrote it last."""

    def __init__(self) -> None:
        self._newest = dict[BootKey, int]()

    def choose(self, rows: Sequence[StoredRow]) -> OrderedRows:
        """Choose the rows of the boots whose rows all follow what is remembered, in ascending order, without a gap."""
        newest, known, loose = dict[BootKey, int](), self._newest, set[BootKey]()
        for row in rows:
            key = row.node, row.boot
            before = newest.get(key) or known.get(key)
            if before is None or row.seq <= before or row.gap is not None:
                loose.add(key)
            newest[key] = row.seq
        if not loose:
            return OrderedRows(rows, newest)
        for key in loose:
            del newest[key]
        chosen = [row for row in rows if (row.node, row.boot) not in loose]
        return OrderedRows(chosen, newest, [row for row in rows if (row.node, row.boot) in loose])

    def remember(self, newest: Mapping[BootKey, int]) -> None:
        """Remember the newest row of boots, after their commit."""
        self._newest.update(newest)
        if len(self._newest) > MAX_BOOTS:
            self.clear()

    def clear(self) -> None:
        """Remember nothing: nobody knows whether the last transaction was done, or a node was forgotten."""
        self._newest.clear()


def count_ordered(connection: Connection, boots: int) -> int:
    """Count the staged rows of so many boots as stored; return by how many rows the boots grew. Raise `OrderLost`."""
    found, grown = connection.execute(_LOOK).one()
    if found != boots or connection.execute(_COUNT).rowcount != boots:
        raise OrderLost
    return int(grown)
