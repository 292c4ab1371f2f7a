"""The fleet's rows in SQLite: each row is stored exactly once and acknowledged only after the commit."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.errors import Usage
from edge_bridge.fleet import schema
from edge_bridge.fleet.columns import COLUMN_NAMES
from edge_bridge.fleet.summary import summarise

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.summary import NodeSummary
    from edge_bridge.metrics import Scalar
    from edge_bridge.row_span import RowSpan

CONFLICT: Final = ("refused", "conflict")  # a row arrived again with the same number and other values

_COLUMNS: Final = (
    "node",
    "boot",
    "seq",
    "t_ms",
    "historical",
    "clock",
    "gap_boot",
    "gap_first",
    "gap_last",
    *COLUMN_NAMES,
)
_INSERT: Final = f"INSERT INTO row ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  # our own names
_ONCE: Final = f"{_INSERT} ON CONFLICT (node, boot, seq) DO NOTHING"
_SAME: Final = f"SELECT {', '.join(_COLUMNS)} FROM row WHERE node = ? AND boot = ? AND seq = ?"  # noqa: S608
_OF_ARRIVAL: Final = slice(4, 6)  # `historical` and `clock` describe how a row arrived, not its content
_BOOT: Final = """
INSERT INTO boot (node, boot, highest, stored, named) VALUES (?, ?, ?, ?, ?) ON CONFLICT (node, boot) DO UPDATE SET
    highest = max(highest, excluded.highest), stored = stored + excluded.stored, named = named + excluded.named"""
_COUNT: Final = """
INSERT INTO counter (kind, reason, count) VALUES (?, ?, ?)
    ON CONFLICT (kind, reason) DO UPDATE SET count = count + excluded.count"""
_WITHIN_GAP: Final = "SELECT 1 FROM gap WHERE node = ? AND boot = ? AND last >= ? AND first <= ? LIMIT 1"
_BETWEEN: Final = "SELECT count(*) FROM row WHERE node = ? AND boot = ? AND seq BETWEEN ? AND ?"


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """What the store keeps of a node: its status by metric name, the time of its newest row."""

    node: str
    online: bool
    last_ms: int | None
    status: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Birth:
    """A birth, and the newest row that it reports."""

    node: str
    t_ms: int
    bd_seq: int
    bundle: str | None
    newest: tuple[str, int] | None


@dataclass
class Batch:
    """All changes of one transaction; `counts` by kind (`refused`, `flagged`) and reason."""

    rows: list[StoredRow] = field(default_factory=list["StoredRow"])
    births: list[Birth] = field(default_factory=list[Birth])
    notes: dict[str, NodeRecord] = field(default_factory=dict[str, NodeRecord])
    counts: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict[tuple[str, str], int](int))

    def __bool__(self) -> bool:
        return bool(self.rows or self.births or self.notes or self.counts)

    def join(self, later: Batch) -> Batch:
        """Return one batch of both, in this order."""
        both = Batch(self.rows + later.rows, self.births + later.births, self.notes | later.notes)
        for counts in (self.counts, later.counts):
            for key, count in counts.items():
                both.counts[key] += count
        return both


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The result of a committed batch: rows `new` and seen before, and `kept`, which may be acknowledged."""

    new: int
    duplicates: int
    conflicts: int
    kept: Mapping[str, Mapping[str, Sequence[int]]]  # numbers by node and boot


@dataclass(frozen=True, slots=True)
class Totals:
    """Rows so far, from running counts; `summary` counts the tables themselves."""

    produced: int
    stored: int
    named: int

    @property
    def missing(self) -> int:
        return max(0, self.produced - self.stored - self.named)


class RowStore:
    """The row store: one file, used by one process."""

    _unique = True  # a key ensures that a row is stored once

    def __init__(self, path: Path) -> None:
        """Open the file; raise `Usage` if it is not a fleet's, of another version, or held by another process."""
        self._database = schema.open_database(path, unique=self._unique)
        self._insert = _ONCE if self._unique else _INSERT

    def close(self) -> None:
        self._database.close()

    def commit(self, batch: Batch) -> CommitResult:
        """Commit all of the batch or nothing; raise `sqlite3.Error` if the disk does not accept it."""
        kept = defaultdict[str, "defaultdict[str, list[int]]"](lambda: defaultdict(list))
        new = conflicts = 0
        with self._transaction():
            for row in batch.rows:
                kept[row.node][row.boot].append(row.seq)
                added = self._keep(row)
                new += added
                conflicts += not added and not self._is_same(row)
            for born in batch.births:
                self._insert_birth(born)
            for note in batch.notes.values():
                self._write_node(note)
            counts = [(*key, count) for key, count in batch.counts.items()]
            if conflicts:
                counts.append((*CONFLICT, conflicts))
            self._database.executemany(_COUNT, counts)
        return CommitResult(new, len(batch.rows) - new, conflicts, kept)

    def read_nodes(self) -> list[NodeRecord]:
        """Read the stored nodes, by name."""
        select = "SELECT node, online, last_ms, status FROM node ORDER BY node"
        return [
            NodeRecord(node, bool(online), last_ms, _parse_status(node, status))
            for node, online, last_ms, status in self._database.execute(select)
        ]

    def read_counts(self, kind: str) -> dict[str, int]:
        """Read the counts of a kind (`refused` or `flagged`), by reason."""
        return dict(self._database.execute("SELECT reason, count FROM counter WHERE kind = ? ORDER BY 1", (kind,)))

    def read_totals(self) -> Totals:
        """Read the row totals over all nodes, from the running counts."""
        sums = "SELECT coalesce(sum(highest), 0), coalesce(sum(stored), 0), coalesce(sum(named), 0) FROM boot"
        return Totals(*self._database.execute(sums).fetchone())

    def count_rows(self) -> dict[str, int]:
        """Return the rows stored, by node."""
        return dict(self._database.execute("SELECT node, sum(stored) FROM boot GROUP BY node"))

    def summary(self) -> list[NodeSummary]:
        """Return each node's rows, counted from the tables as sets."""
        return summarise(self._database)

    def _keep(self, row: StoredRow) -> bool:
        if self._database.execute(self._insert, _to_columns(row)).rowcount == 0:
            return False
        named = -1 if self._is_in_gap(row) else 0
        self._database.execute(_BOOT, (row.node, row.boot, row.seq, 1, named))
        if row.gap is not None:
            self._insert_gap(row.node, row.gap)
        return True

    def _insert_gap(self, node: str, gap: RowSpan) -> None:
        here = self._database.execute(_BETWEEN, (node, gap.boot, gap.first, gap.last)).fetchone()[0]
        self._database.execute("INSERT INTO gap VALUES (?, ?, ?, ?)", (node, gap.boot, gap.first, gap.last))
        self._database.execute(_BOOT, (node, gap.boot, gap.last, 0, gap.count - here))

    def _is_in_gap(self, row: StoredRow) -> bool:
        """Return whether a gap had named this row, which arrived nevertheless."""
        found = self._database.execute(_WITHIN_GAP, (row.node, row.boot, row.seq, row.seq))
        return found.fetchone() is not None

    def _is_same(self, row: StoredRow) -> bool:
        """Return whether the stored row with this key has the same content."""
        there, here = (
            list(self._database.execute(_SAME, (row.node, row.boot, row.seq)).fetchone()),
            list(_to_columns(row)),
        )
        del there[_OF_ARRIVAL], here[_OF_ARRIVAL]
        return there == here

    def _raise_highest(self, node: str, boot: str, seq: int) -> None:
        self._database.execute(_BOOT, (node, boot, seq, 0, 0))

    def _insert_birth(self, birth: Birth) -> None:
        insert = "INSERT INTO birth (node, t_ms, bd_seq, bundle) VALUES (?, ?, ?, ?)"
        self._database.execute(insert, (birth.node, birth.t_ms, birth.bd_seq, birth.bundle))
        if birth.newest is not None:
            self._raise_highest(birth.node, *birth.newest)

    def _write_node(self, note: NodeRecord) -> None:
        values = (note.node, note.online, note.last_ms, json.dumps(dict(note.status), allow_nan=False))
        self._database.execute("INSERT OR REPLACE INTO node VALUES (?, ?, ?, ?)", values)

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # a full disk may have rolled it back already
                self._database.execute("ROLLBACK")
            raise


def _parse_status(node: str, text: str) -> dict[str, Scalar]:
    """Parse a status; raise `Usage` for a damaged one: it must not read as a node that never reported a status."""
    try:
        status: Any = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        status = None
    if not isinstance(status, dict):
        what = f"contains a status of {node} that cannot be read"
        raise Usage(what, key="db", value=node, hint="restore the file from a copy, or name another with --db")
    return cast("dict[str, Scalar]", status)


def _to_columns(row: StoredRow) -> tuple[Scalar, ...]:
    gap = (row.gap.boot, row.gap.first, row.gap.last) if row.gap else (None, None, None)
    return (row.node, row.boot, row.seq, row.t_ms, int(row.historical), row.clock, *gap, *row.values)
