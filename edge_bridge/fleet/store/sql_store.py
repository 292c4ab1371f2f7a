"""The rows of a fleet in an SQL database: what SQLite and PostgreSQL have in common."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import and_, delete, insert, or_, select, true
from sqlalchemy.exc import SQLAlchemyError

from drivers.errors import StoreFailed, StoreUnreachable, Usage
from edge_bridge.fleet.store.archived_spans import drop_archived
from edge_bridge.fleet.store.audit_chain import append_entry
from edge_bridge.fleet.store.event_writer import insert_conflicts, insert_events
from edge_bridge.fleet.store.forget_node import forget_node, remove_old_files
from edge_bridge.fleet.store.gaps import GapRanges, insert_gap
from edge_bridge.fleet.store.hour_marks import HourMarks
from edge_bridge.fleet.store.missing_rows import find_missing
from edge_bridge.fleet.store.newest_kept import delete_old
from edge_bridge.fleet.store.node_groups import find_strangers, may_replace_node
from edge_bridge.fleet.store.ordered_rows import NewestRows, OrderedRows, OrderLost, count_ordered
from edge_bridge.fleet.store.read_engine import open_reader
from edge_bridge.fleet.store.records import (
    CONFLICT,
    MAX_BIRTHS,
    OTHER_GROUP,
    REFUSED,
    Batch,
    CommitResult,
    NodeRecord,
    RowName,
    Totals,
)
from edge_bridge.fleet.store.row_counts import BatchCounts, RowCounts, write_counts
from edge_bridge.fleet.store.staging import StagedBatch
from edge_bridge.fleet.store.tables import (
    BIRTH,
    BOOT,
    CONTENT,
    COUNTER,
    KEY,
    NODE,
    ROW,
    STAGED,
    STAGED_BOOT,
    STAGED_NODE,
    TOUCHED,
    as_columns,
)
from edge_bridge.fleet.summary import parse_status, summarise

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import URL, Connection, Engine, Table

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.store.audit_chain import AuditNote
    from edge_bridge.fleet.store.records import Birth
    from edge_bridge.fleet.summary import NodeSummary
    from edge_bridge.ranges import Range

_CONFLICTS: Final = (
    select(*(STAGED.c[name] for name in KEY))
    .join_from(STAGED, ROW, and_(*(STAGED.c[name] == ROW.c[name] for name in KEY)))
    .where(or_(*(STAGED.c[name].is_distinct_from(ROW.c[name]) for name in CONTENT)))
)

_STAGED_OF: Final = {BOOT: STAGED_BOOT, NODE: STAGED_NODE}


class SqlStore(ABC):
    """A `FleetStore` on an engine of one connection; a subclass has what its database does in its own way."""

    sql: Any  # the SQLAlchemy module with the `insert` of this database
    insert_rows: Any  # the statement that inserts the staged rows that are not there yet

    def __init__(self, engine: Engine, where: str, address: Path | URL) -> None:
        """`where` names the database in errors, `address` is where others read it. Raise `StoreFailed`."""
        self.notices = list[str]()
        self._engine, self._where = engine, where
        self._reader = open_reader(address)  # connects when it is asked
        self._upserts = {table: self._make_upsert(table, staged) for table, staged in _STAGED_OF.items()}
        self._insert_and_count = self.insert_rows.execution_options(preserve_rowcount=True)
        self._insert_with_keys = self.insert_rows.returning(*(self.insert_rows.table.c[name] for name in KEY))
        counted = self.sql.insert(COUNTER)
        self._count = counted.on_conflict_do_update(
            index_elements=list(COUNTER.primary_key), set_={"count": COUNTER.c.count + counted.excluded.count}
        )
        self._counts = self._load_counts()
        self._are_counts_sure = True
        self._marks, self._newest = HourMarks(), NewestRows()

    def close(self) -> None:
        self._reader.dispose()
        self._engine.dispose()

    def commit(self, batch: Batch) -> CommitResult:
        try:
            if not self._are_counts_sure:
                self._counts, self._are_counts_sure = self._load_counts(), True
            self._prepare(batch.rows)
            try:
                return self._commit(batch)
            except OrderLost:
                self._newest.clear()
                return self._commit(batch)
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:  # COPY is the driver's own
            self._forget_written()
            self._are_counts_sure = False  # the connection may have been lost after the database committed
            operational = self._engine.dialect.loaded_dbapi.OperationalError
            is_operational = isinstance(getattr(error, "orig", error), operational)
            raise make_failure(self._where, error, StoreUnreachable if is_operational else StoreFailed) from error

    def read_nodes(self, report: Callable[[str], None] | None = None) -> list[NodeRecord]:
        with self._begin() as connection:
            rows = connection.execute(select(NODE)).all()
        found = list[NodeRecord]()
        for node, online, last_ms, text, group in sorted(rows):
            status = parse_status(text)
            if status is None and report is None:
                what = f"contains a status of {node} that cannot be read"
                hint = "restore the database from a copy, or name another one"
                raise Usage(what, where=self._where, key="db", value=node, hint=hint)
            if status is None and report is not None:
                report(f"the stored status of {node} cannot be read; it is unknown until the next birth")
            found.append(NodeRecord(node, bool(online), last_ms, status or {}, group))
        return found

    def forget(self, node: str, *, delete_rows: bool, note: AuditNote | None = None) -> int:
        with self._begin_without_upkeep() as connection:
            self._lock_nodes(connection, [node])
            rows = forget_node(connection, node, delete_rows=delete_rows)
            if note is not None:
                append_entry(connection, note)
        with self._begin_without_upkeep() as connection:
            remove_old_files(connection)
        self._forget_written()
        self._counts = self._load_counts()
        return rows

    def read_counts(self, kind: str) -> dict[str, int]:
        wanted = select(COUNTER.c.reason, COUNTER.c.count).where(COUNTER.c.kind == kind).order_by(COUNTER.c.reason)
        with self._begin() as connection:
            return {reason: int(count) for reason, count in connection.execute(wanted)}

    def read_totals(self) -> Totals:
        return Totals(self._counts.produced, self._counts.stored, self._counts.named)

    def count_rows(self) -> Mapping[str, int]:
        return self._counts.rows

    def summary(self) -> list[NodeSummary]:
        with self._begin() as connection:
            self._avoid_indexes(connection)
            return summarise(connection)

    def find_missing(self, node: str, kept: Mapping[str, Sequence[Range]]) -> dict[str, list[Range]]:
        try:
            with self._reader.begin() as connection:
                return find_missing(connection, node, kept)
        except SQLAlchemyError as error:
            raise make_failure(self._where, error) from error

    @abstractmethod
    def _fill(self, connection: Connection, table: Table, rows: Iterable[Sequence[object]]) -> None:
        """Replace the content of a temporary table."""

    @abstractmethod
    def _lock_nodes(self, connection: Connection, nodes: Collection[str]) -> None:
        """Keep other writers from these nodes until the transaction ends."""

    @abstractmethod
    def _begin_without_upkeep(self) -> AbstractContextManager[Connection]:
        """Begin a transaction, and keep upkeep from running until it ends; raise `Usage` if it runs now."""

    @abstractmethod
    def _prepare(self, rows: Sequence[StoredRow]) -> None:
        """Make room for the rows, before their transaction begins."""

    def _insert_rows(self, connection: Connection) -> tuple[list[RowName], list[RowName]]:
        """Insert the staged rows; return the keys of the new ones, and of those with a conflicting time."""
        keys = connection.execute(self._insert_with_keys)
        return [(key.node, key.boot, key.seq) for key in keys], []

    @abstractmethod
    def _avoid_indexes(self, connection: Connection) -> None:
        """Count from the table until the transaction ends: an index would hide a row that was stored twice."""

    def _stage(self, rows: Sequence[StoredRow], changes: BatchCounts) -> StagedBatch:  # noqa: ARG002  # for defects
        """Return the rows to store; a defect of a test changes them here."""
        return StagedBatch(rows)

    def _commit(self, batch: Batch) -> CommitResult:
        """Commit the batch in one transaction. Each step is a statement or two, whatever the number of rows."""
        changes, conflicts = BatchCounts(), list[RowName]()
        with self._engine.begin() as connection:
            self._lock_nodes(connection, batch.nodes)
            if strangers := find_strangers(connection, batch.births):
                batch = batch.drop_nodes(strangers)
                batch.counts[REFUSED, OTHER_GROUP] += len(strangers)
            ordered = self._newest.choose(batch.rows)
            grown, news = self._insert_ordered(connection, ordered), ordered.rows
            staged = self._stage(ordered.others, changes)
            if staged.rows:
                others, conflicts = self._insert_staged(connection, staged, changes)
                news = [*ordered.rows, *others]
            self._marks.write(connection, news)
            self._insert_births(connection, batch.births, changes)
            for node in batch.forgotten:  # what a node without a place told of itself; its rows stay
                connection.execute(delete(NODE).where(NODE.c.node == node))
                connection.execute(delete(BIRTH).where(BIRTH.c.node == node))
                changes.drop_claims(node)
            notes = [
                (note.node, note.online, note.last_ms, _format_status(note), note.group)
                for note in batch.notes.values()
            ]
            self._write(connection, NODE, notes)
            insert_events(connection, batch.events)
            insert_conflicts(connection, conflicts, batch.t_ms)
            if changes.boots:
                self._fill(connection, TOUCHED, changes.boots)
            written = write_counts(connection, changes, lambda boots: self._write(connection, BOOT, boots))
            counts = dict(batch.counts) | ({CONFLICT: len(conflicts)} if conflicts else {})
            if counts:
                names = COUNTER.c.keys()
                connection.execute(
                    self._count, [dict(zip(names, (*key, count), strict=True)) for key, count in counts.items()]
                )
        self._counts.add_ordered(grown, ordered.count_nodes())
        self._counts.apply(written.added, batch.forgotten)
        self._newest.remember({**ordered.newest, **written.newest})
        self._marks.remember()
        return CommitResult(
            len(news), len(batch.rows) - len(news), len(conflicts), _group_numbers(batch.rows), strangers
        )

    def _insert_ordered(self, connection: Connection, ordered: OrderedRows) -> int:
        """Insert and count rows that follow those before them; return by how many rows their boots grew."""
        if not ordered.rows:
            return 0
        self._fill(connection, STAGED, map(as_columns, ordered.rows))
        grown = count_ordered(connection, len(ordered.newest))
        if connection.execute(self._insert_and_count).rowcount != len(ordered.rows):
            raise OrderLost
        return grown

    def _insert_staged(
        self, connection: Connection, staged: StagedBatch, changes: BatchCounts
    ) -> tuple[list[StoredRow], list[RowName]]:
        """Insert the rows that are not there yet and the gaps that they name; return new rows and conflicts."""
        self._fill(connection, STAGED, map(as_columns, staged.rows))
        gaps = GapRanges(connection)
        archived = drop_archived(connection)
        keys, misplaced = self._insert_rows(connection)
        conflicts = [*staged.conflicts, *misplaced]
        if len(keys) + len(misplaced) + archived < len(staged.rows):
            conflicts += [(key.node, key.boot, key.seq) for key in connection.execute(_CONFLICTS)]
        times = {(row.node, row.boot, row.seq): row.t_ms for row in staged.rows}
        for node, boot, seq in keys:
            named = -1 if gaps.has(node, boot, seq) else 0
            changes.add(node, boot, seq, times[node, boot, seq], named=named)
        inserted = set(keys)
        news = [row for row in staged.rows if (row.node, row.boot, row.seq) in inserted]
        for row in news:
            if row.gap is not None:
                changes.name(row.node, row.gap.boot, row.gap.last, insert_gap(connection, row.node, row.gap))
        return news, conflicts

    def _forget_written(self) -> None:
        """Forget what this program remembers of its own commits."""
        self._marks.clear()
        self._newest.clear()

    def _insert_births(self, connection: Connection, births: Sequence[Birth], changes: BatchCounts) -> None:
        if not births:
            return
        values = [(birth.node, birth.t_ms, birth.bd_seq, _drop_zeros(birth.bundle)) for birth in births]
        names = ("node", "t_ms", "bd_seq", "bundle")
        connection.execute(insert(BIRTH), [dict(zip(names, value, strict=True)) for value in values])
        delete_old(connection, BIRTH, (birth.node for birth in births), MAX_BIRTHS)
        for birth in births:
            if birth.newest is not None:
                changes.claim(birth.node, *birth.newest)

    @contextmanager
    def _begin(self) -> Generator[Connection]:
        """Begin a transaction; raise `StoreFailed` if the database does not answer."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise make_failure(self._where, error) from error

    def _load_counts(self) -> RowCounts:
        with self._engine.begin() as connection:
            return RowCounts(connection)

    def _write(self, connection: Connection, table: Table, rows: Sequence[Sequence[object]]) -> None:
        """Insert or replace rows of `BOOT` or `NODE`."""
        if rows:
            self._fill(connection, _STAGED_OF[table], rows)
            connection.execute(self._upserts[table])

    def _make_upsert(self, table: Table, staged: Table) -> Any:
        insert_all = self.sql.insert(table).from_select(staged.c.keys(), select(staged).where(true()))
        values = {column.name: insert_all.excluded[column.name] for column in table.c if not column.primary_key}
        guard = may_replace_node(insert_all.excluded) if table is NODE else None
        return insert_all.on_conflict_do_update(index_elements=list(table.primary_key), set_=values, where=guard)


def make_failure(where: str, error: Exception, kind: type[StoreFailed] = StoreFailed) -> StoreFailed:
    """Make the error for a database that did not do what it was asked, in one line of its own words."""
    words = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    hint = "the rows stay with the packs until it works again"
    return kind(words or type(error).__name__, where=where, key="store", hint=hint)


def _drop_zeros(words: str | None) -> str | None:
    """Drop the one character that PostgreSQL cannot store: a stranger's birth must not stop the commit of all."""
    return words and words.replace("\0", "")


def _format_status(note: NodeRecord) -> str:
    status = dict(note.status)
    try:
        return orjson.dumps(status).decode()
    except TypeError:  # a number or a text of an edited database that orjson does not write
        return json.dumps(status, allow_nan=False)


def _group_numbers(rows: Iterable[StoredRow]) -> Mapping[str, Mapping[str, Sequence[int]]]:
    kept = defaultdict[str, "defaultdict[str, list[int]]"](lambda: defaultdict(list))
    for row in rows:
        kept[row.node][row.boot].append(row.seq)
    return kept
