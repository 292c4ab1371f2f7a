"""Running counts of rows: what one batch changes, written boot by boot, and the totals, which stay in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

MAX_CLAIMED: Final = 1 << 32  # rows that one birth may add to those known: 248 days at 200 rows a second
MAX_CLAIMED_BOOTS: Final = 100  # boots of a node that only births report

_READ: Final = "SELECT highest, stored, named FROM boot WHERE node = ? AND boot = ?"
_WRITE: Final = "INSERT OR REPLACE INTO boot (node, boot, highest, stored, named) VALUES (?, ?, ?, ?, ?)"
_CLAIMS: Final = "FROM boot WHERE node = ? AND stored = 0 AND named = 0"

_Written: TypeAlias = "list[tuple[str, _BootCount]]"


@dataclass(slots=True)
class _BootCount:
    """Rows of one boot: the newest that is known, those stored, those that only a gap names."""

    highest: int = 0
    stored: int = 0
    named: int = 0
    claimed: int = 0  # the newest row that a birth reports


@dataclass
class BatchCounts:
    """The changes of one batch, by node and boot."""

    boots: defaultdict[tuple[str, str], _BootCount] = field(default_factory=lambda: defaultdict(_BootCount))
    dropped: set[str] = field(default_factory=set[str])  # nodes whose claims are deleted

    def add(self, node: str, boot: str, seq: int, *, stored: int = 0, named: int = 0) -> None:
        """Add rows of a boot whose newest known row is `seq`."""
        count = self.boots[node, boot]
        count.highest = max(count.highest, seq)
        count.stored += stored
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

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.produced = self.stored = self.named = 0
        self.rows = defaultdict[str, int](int)
        for node, *numbers in database.execute("SELECT node, highest, stored, named FROM boot"):
            self._add(node, _BootCount(*map(int, numbers)))

    def write(self, changes: BatchCounts) -> _Written:
        """Write the changes, within the transaction of the batch; return what they add, for `apply`."""
        added: _Written = []
        for node in changes.dropped:
            for (highest,) in self._database.execute(f"SELECT highest {_CLAIMS}", (node,)).fetchall():
                added.append((node, _BootCount(-int(highest))))
            self._database.execute(f"DELETE {_CLAIMS}", (node,))  # our own words
        for (node, boot), change in changes.boots.items():
            found = self._database.execute(_READ, (node, boot)).fetchone()
            if found is None and not change.highest and self._is_full(node):
                continue
            old = _BootCount(*map(int, found or (0, 0, 0)))
            known = max(old.highest, change.highest)
            highest = max(known, min(change.claimed, known + MAX_CLAIMED))
            new = (highest, old.stored + change.stored, old.named + change.named)
            self._database.execute(_WRITE, (node, boot, *new))
            added.append((node, _BootCount(highest - old.highest, change.stored, change.named)))
        return added

    def apply(self, written: _Written, forgotten: Iterable[str]) -> None:
        """Apply what `write` returned, after the commit."""
        for node, count in written:
            self._add(node, count)
        for node in forgotten:
            if not self.rows.get(node):
                self.rows.pop(node, None)

    def _add(self, node: str, count: _BootCount) -> None:
        self.produced += count.highest
        self.stored += count.stored
        self.named += count.named
        self.rows[node] += count.stored

    def _is_full(self, node: str) -> bool:
        """Return whether births alone report as many boots of this node as are kept."""
        (claimed,) = self._database.execute(f"SELECT count(*) {_CLAIMS}", (node,)).fetchone()
        return claimed >= MAX_CLAIMED_BOOTS
