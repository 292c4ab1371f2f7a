"""Running counts of rows: what one batch changes, boot by boot, and the totals, which stay in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import and_, delete, func, select

from edge_bridge.fleet.store.newest_kept import split_names
from edge_bridge.fleet.store.tables import BOOT, TOUCHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy import Connection

MAX_CLAIMED: Final = 1 << 32  # rows that one birth may add to those known: 248 days at 200 rows a second
MAX_CLAIMED_BOOTS: Final = 100  # boots of a node that only births report

_IS_CLAIM: Final = and_(BOOT.c.stored == 0, BOOT.c.named == 0)
_FIND: Final = select(BOOT).join(TOUCHED, and_(BOOT.c.node == TOUCHED.c.node, BOOT.c.boot == TOUCHED.c.boot))

_BootKey: TypeAlias = tuple[str, str]  # node and boot
_BootRow: TypeAlias = tuple[str, str, int, int, int, "int | None", "int | None"]
_Added: TypeAlias = "list[tuple[str, _BootCount]]"


@dataclass(slots=True)
class _BootCount:
    """Rows of one boot: the newest that is known, those stored, those that only a gap names; the times between."""

    highest: int = 0
    stored: int = 0
    named: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    claimed: int = 0  # the newest row that a birth reports


@dataclass
class BatchCounts:
    """The changes of one batch, by node and boot."""

    boots: defaultdict[_BootKey, _BootCount] = field(default_factory=lambda: defaultdict(_BootCount))
    dropped: set[str] = field(default_factory=set[str])  # nodes whose claims are deleted

    def add(self, node: str, boot: str, seq: int, t_ms: int, *, named: int = 0) -> None:
        """Add a stored row."""
        count = self.boots[node, boot]
        count.highest = max(count.highest, seq)
        count.stored += 1
        count.named += named
        count.first_ms = t_ms if count.first_ms is None or t_ms < count.first_ms else count.first_ms
        count.last_ms = t_ms if count.last_ms is None or t_ms > count.last_ms else count.last_ms

    def name(self, node: str, boot: str, last: int, named: int = 0) -> None:
        """Add rows up to `last` that a gap names; `named` of them are nowhere else."""
        count = self.boots[node, boot]
        count.highest = max(count.highest, last)
        count.named += named

    def claim(self, node: str, boot: str, seq: int) -> None:
        """Add what a birth reports as its newest row, which nothing proves."""
        count = self.boots[node, boot]
        count.claimed = max(count.claimed, seq)

    def drop_claims(self, node: str) -> None:
        """Drop the boots of a node that only births reported."""
        self.dropped.add(node)
        for key in [key for key, count in self.boots.items() if key[0] == node and not count.highest]:
            del self.boots[key]


class RowCounts:
    """The counts of all boots, summed over all nodes, and stored `rows` by node. Integers here have no bound."""

    def __init__(self, connection: Connection) -> None:
        self.produced = self.stored = self.named = 0
        self.rows = defaultdict[str, int](int)
        for node, *numbers in connection.execute(select(BOOT.c.node, BOOT.c.highest, BOOT.c.stored, BOOT.c.named)):
            self._add(node, _BootCount(*map(int, numbers)))

    def add_ordered(self, produced: int, rows: Mapping[str, int]) -> None:
        """Add stored rows by node, whose boots grew by `produced` rows."""
        self.produced += produced
        for node, count in rows.items():
            self.stored += count
            self.rows[node] += count

    def apply(self, added: _Added, forgotten: Iterable[str]) -> None:
        """Apply what `write_counts` added, after the commit."""
        for node, count in added:
            self._add(node, count)
        for node in forgotten:
            if not self.rows.get(node):
                self.rows.pop(node, None)

    def _add(self, node: str, count: _BootCount) -> None:
        self.produced += count.highest
        self.stored += count.stored
        self.named += count.named
        self.rows[node] += count.stored


@dataclass(frozen=True, slots=True)
class WrittenCounts:
    """What a batch added, for `RowCounts.apply`, and the newest row of each boot that it wrote."""

    added: _Added
    newest: Mapping[_BootKey, int]


def write_counts(
    connection: Connection, changes: BatchCounts, write: Callable[[list[_BootRow]], None]
) -> WrittenCounts:
    """Write the changes, within the transaction of the batch.

    `TOUCHED` contains the boots of `changes`; `write` inserts or replaces rows of `BOOT`.
    """
    added = _drop_claims(connection, changes.dropped)
    if not changes.boots:
        return WrittenCounts(added, {})
    known = {(row.node, row.boot): _BootCount(*row[2:]) for row in connection.execute(_FIND)}
    claims = _count_claims(
        connection, (key[0] for key, change in changes.boots.items() if not change.highest and key not in known)
    )
    written = list[_BootRow]()
    for (node, boot), change in changes.boots.items():
        old = known.get((node, boot))
        if old is None and not change.highest:
            if claims.get(node, 0) >= MAX_CLAIMED_BOOTS:
                continue
            claims[node] = claims.get(node, 0) + 1
        new, more = _sum(old or _BootCount(), change)
        written.append((node, boot, new.highest, new.stored, new.named, new.first_ms, new.last_ms))
        added.append((node, more))
    if written:
        write(written)
    return WrittenCounts(added, {(node, boot): highest for node, boot, highest, *_ in written})


def _count_claims(connection: Connection, nodes: Iterable[str]) -> dict[str, int]:
    """Count the boots that only births report, of each of these nodes."""
    found = dict[str, int]()
    for names in split_names(nodes):  # the planner knows nothing of a temporary table: with it, it reads all boots
        counted = select(BOOT.c.node, func.count()).where(_IS_CLAIM, BOOT.c.node.in_(names)).group_by(BOOT.c.node)
        found.update({node: int(count) for node, count in connection.execute(counted)})
    return found


def _drop_claims(connection: Connection, nodes: Iterable[str]) -> _Added:
    added: _Added = []
    for node in nodes:
        gone = connection.execute(delete(BOOT).where(BOOT.c.node == node, _IS_CLAIM).returning(BOOT.c.highest))
        added += [(node, _BootCount(-int(highest))) for (highest,) in gone]
    return added


def _sum(old: _BootCount, change: _BootCount) -> tuple[_BootCount, _BootCount]:
    """Return the new count of a boot, and what it adds to the totals."""
    known = max(old.highest, change.highest)
    highest = max(known, min(change.claimed, known + MAX_CLAIMED))
    times = _span(old.first_ms, change.first_ms, min), _span(old.last_ms, change.last_ms, max)
    new = _BootCount(highest, old.stored + change.stored, old.named + change.named, *times)
    return new, _BootCount(highest - old.highest, change.stored, change.named)


def _span(one: int | None, other: int | None, choose: Callable[[int, int], int]) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return choose(one, other)
