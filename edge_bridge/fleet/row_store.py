"""The fleet's rows in SQLite: each row is stored exactly once and acknowledged only after the commit."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.errors import Usage
from edge_bridge.fleet import schema
from edge_bridge.fleet.columns import COLUMN_NAMES
from edge_bridge.fleet.row_counts import BatchCounts, RowCounts
from edge_bridge.fleet.summary import summarise
from edge_bridge.ranges import subtract

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
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
_SAME: Final = f"SELECT {', '.join(_COLUMNS)} FROM row WHERE node = ? AND boot = ? AND seq = ?"  # noqa: S608  # only names of our own
_OF_ARRIVAL: Final = slice(4, 6)  # `historical` and `clock` describe how a row arrived, not its content
_COUNT: Final = """
INSERT INTO counter (kind, reason, count) VALUES (?, ?, ?)
    ON CONFLICT (kind, reason) DO UPDATE SET count = count + excluded.count"""
_GAP_AT: Final = "SELECT first FROM gap WHERE node = ? AND boot = ? AND last >= ? ORDER BY last LIMIT 1"
_OVERLAPPING: Final = "SELECT rowid, first, last FROM gap WHERE node = ? AND boot = ? AND last >= ? AND first <= ?"
_BETWEEN: Final = "SELECT count(*) FROM row WHERE node = ? AND boot = ? AND seq BETWEEN ? AND ?"
_OLD_BIRTHS: Final = """
DELETE FROM birth WHERE node = ?1 AND rowid <= (
    SELECT rowid FROM birth WHERE node = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2)"""
_TABLES: Final = ("row", "boot", "gap", "birth", "node")
MAX_BIRTHS: Final = 100  # births that are kept of one node
MAX_WAITING_BIRTHS: Final = 1_000  # births that wait for a disk that accepts nothing


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
    forgotten: set[str] = field(default_factory=set[str])  # nodes that lost their place
    counts: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict[tuple[str, str], int](int))

    def __bool__(self) -> bool:
        return bool(self.rows or self.births or self.notes or self.forgotten or self.counts)

    def forget(self, node: str) -> None:
        """Forget a node that lost its place; its rows stay."""
        self.notes.pop(node, None)
        self.forgotten.add(node)

    def join(self, later: Batch) -> Batch:
        """Return one batch of both, in this order; of very many births only the newest."""
        births = (self.births + later.births)[-MAX_WAITING_BIRTHS:]
        notes = {node: note for node, note in self.notes.items() if node not in later.forgotten} | later.notes
        both = Batch(self.rows + later.rows, births, notes, (self.forgotten | later.forgotten) - notes.keys())
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
        self.notices = list[str]()  # what of the file was converted
        self._database = schema.open_database(path, unique=self._unique, report=self.notices.append)
        self._insert = _ONCE if self._unique else _INSERT
        try:
            self._counts = RowCounts(self._database)
        except sqlite3.Error as error:
            self.close()
            raise schema.make_refusal(path, f"cannot be read: {error}") from error
        self._changes = BatchCounts()  # of the present batch

    def close(self) -> None:
        self._database.close()

    def commit(self, batch: Batch) -> CommitResult:
        """Commit all of the batch or nothing; raise `sqlite3.Error` if the disk does not accept it."""
        kept = defaultdict[str, "defaultdict[str, list[int]]"](lambda: defaultdict(list))
        new = conflicts = 0
        self._changes = BatchCounts()
        with self._transaction():
            for row in batch.rows:
                kept[row.node][row.boot].append(row.seq)
                added = self._keep(row)
                new += added
                conflicts += not added and not self._is_same(row)
            for born in batch.births:
                self._insert_birth(born)
            for node in batch.forgotten:
                self._delete_claims(node)
            for note in batch.notes.values():
                self._write_node(note)
            written = self._counts.write(self._changes)
            counts = [(*key, count) for key, count in batch.counts.items()]
            if conflicts:
                counts.append((*CONFLICT, conflicts))
            self._database.executemany(_COUNT, counts)
        self._counts.apply(written, batch.forgotten)
        return CommitResult(new, len(batch.rows) - new, conflicts, kept)

    def read_nodes(self, report: Callable[[str], None] | None = None) -> list[NodeRecord]:
        """Read the stored nodes, by name. `report` a status that is damaged; without `report` raise `Usage`."""
        select = "SELECT node, online, last_ms, status FROM node ORDER BY node"
        found = list[NodeRecord]()
        for node, online, last_ms, text in self._database.execute(select):
            status = _parse_status(text)
            if status is None and report is None:
                what = f"contains a status of {node} that cannot be read"
                raise Usage(what, key="db", value=node, hint="restore the file from a copy, or name another with --db")
            if status is None and report is not None:
                report(f"the stored status of {node} cannot be read; it is unknown until the next birth")
            found.append(NodeRecord(node, bool(online), last_ms, status or {}))
        return found

    def forget(self, node: str, *, delete_rows: bool) -> int:
        """Remove a node and all that is known of it; return how many rows were deleted. Raise `Usage`."""
        (rows,) = self._database.execute("SELECT count(*) FROM row WHERE node = ?", (node,)).fetchone()
        known = any(
            self._database.execute(f"SELECT 1 FROM {table} WHERE node = ? LIMIT 1", (node,)).fetchone()  # noqa: S608  # only names of our own
            for table in _TABLES
        )
        if not known:
            raise Usage(f"no node {node} is known", key="node", value=node, hint="name a node that the fleet reports")
        if rows and not delete_rows:
            what = f"{node} has {rows} rows, which would be deleted"
            raise Usage(what, key="delete-rows", value=node, hint="add --delete-rows")
        with self._transaction():
            for table in _TABLES:
                self._database.execute(f"DELETE FROM {table} WHERE node = ?", (node,))  # noqa: S608  # our own names
        self._counts = RowCounts(self._database)
        return rows

    def read_counts(self, kind: str) -> dict[str, int]:
        """Read the counts of a kind (`refused` or `flagged`), by reason."""
        return dict(self._database.execute("SELECT reason, count FROM counter WHERE kind = ? ORDER BY 1", (kind,)))

    def read_totals(self) -> Totals:
        """Return the row totals over all nodes, from the running counts."""
        return Totals(self._counts.produced, self._counts.stored, self._counts.named)

    def count_rows(self) -> Mapping[str, int]:
        """Return the rows stored, by node."""
        return self._counts.rows

    def summary(self) -> list[NodeSummary]:
        """Return each node's rows, counted from the tables as sets."""
        return summarise(self._database)

    def _keep(self, row: StoredRow) -> bool:
        if self._database.execute(self._insert, _to_columns(row)).rowcount == 0:
            return False
        named = -1 if self._is_in_gap(row) else 0
        self._changes.add(row.node, row.boot, row.seq, stored=1, named=named)
        if row.gap is not None:
            self._insert_gap(row.node, row.gap)
        return True

    def _insert_gap(self, node: str, gap: RowSpan) -> None:
        """Insert a gap, joined with those that it overlaps, so that no number is named twice."""
        known = self._database.execute(_OVERLAPPING, (node, gap.boot, gap.first, gap.last)).fetchall()
        added = subtract([(gap.first, gap.last)], [(first, last) for _, first, last in known])
        named = sum(last - first + 1 - self._count_between(node, gap.boot, first, last) for first, last in added)
        first = min([gap.first, *(first for _, first, _ in known)])
        last = max([gap.last, *(last for _, _, last in known)])
        self._database.executemany("DELETE FROM gap WHERE rowid = ?", [(place,) for place, _, _ in known])
        self._database.execute("INSERT INTO gap VALUES (?, ?, ?, ?)", (node, gap.boot, first, last))
        self._changes.add(node, gap.boot, gap.last, named=named)

    def _count_between(self, node: str, boot: str, first: int, last: int) -> int:
        return self._database.execute(_BETWEEN, (node, boot, first, last)).fetchone()[0]

    def _is_in_gap(self, row: StoredRow) -> bool:
        """Return whether a gap had named this row, which arrived nevertheless."""
        found = self._database.execute(_GAP_AT, (row.node, row.boot, row.seq)).fetchone()
        return found is not None and found[0] <= row.seq

    def _is_same(self, row: StoredRow) -> bool:
        """Return whether the stored row with this key has the same content."""
        there, here = (
            list(self._database.execute(_SAME, (row.node, row.boot, row.seq)).fetchone()),
            list(_to_columns(row)),
        )
        del there[_OF_ARRIVAL], here[_OF_ARRIVAL]
        return there == here

    def _raise_highest(self, node: str, boot: str, seq: int) -> None:
        self._changes.add(node, boot, seq)

    def _insert_birth(self, birth: Birth) -> None:
        insert = "INSERT INTO birth (node, t_ms, bd_seq, bundle) VALUES (?, ?, ?, ?)"
        self._database.execute(insert, (birth.node, birth.t_ms, birth.bd_seq, birth.bundle))
        self._database.execute(_OLD_BIRTHS, (birth.node, MAX_BIRTHS))
        if birth.newest is not None:
            self._changes.claim(birth.node, *birth.newest)

    def _delete_claims(self, node: str) -> None:
        """Delete what a node without a place told of itself; its rows stay."""
        self._database.execute("DELETE FROM node WHERE node = ?", (node,))
        self._database.execute("DELETE FROM birth WHERE node = ?", (node,))
        self._changes.drop_claims(node)

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


def _parse_status(text: Any) -> dict[str, Scalar] | None:
    """Parse a status; return None for a damaged one, which must not read as one that was never reported."""
    try:
        status: Any = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return None
    return cast("dict[str, Scalar]", status) if isinstance(status, dict) else None


def _to_columns(row: StoredRow) -> tuple[Scalar, ...]:
    gap = (row.gap.boot, row.gap.first, row.gap.last) if row.gap else (None, None, None)
    return (row.node, row.boot, row.seq, row.t_ms, int(row.historical), row.clock, *gap, *row.values)
