"""A fleet's rows on a PostgreSQL server: partitioned by day, written by binary COPY, by any number of hosts."""

from __future__ import annotations

import zlib
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import literal_column, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import SQLAlchemyError

from edge_bridge.fleet.store.partitions import DayPartitions
from edge_bridge.fleet.store.postgres_server import SESSION, open_server
from edge_bridge.fleet.store.sql_store import SqlStore, make_failure
from edge_bridge.fleet.store.tables import DATED_ROW, DAY_MS, KEY, STAGED
from edge_bridge.fleet.store.upkeep_lock import exclude_upkeep

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Sequence

    from sqlalchemy import URL, Connection, Table

    from edge_bridge.fleet.row import StoredRow

NODE_LOCK: Final = 0x5043  # the first key of the advisory locks of nodes
MAX_DEAD_ROWS: Final = 20_000
STRIPES: Final = 64  # locks for all nodes: two hosts wait for each other only if they write the same node, or by chance

_INSERT: Final = (
    postgresql.insert(DATED_ROW)
    .from_select([*STAGED.c.keys(), "day"], select(STAGED, literal_column(f"t_ms / {DAY_MS}")))
    .on_conflict_do_nothing()
)
# A row that is stored under another day: its time has changed. Only a number up to the newest one can be, and only
# within the times of its boot; so a row in its order costs one look into `boot`. The planner must begin with `late`.
_FIND_MISPLACED: Final = text(f"""
WITH late AS MATERIALIZED (
    SELECT s.node, s.boot, s.seq, s.t_ms / {DAY_MS} AS day, b.first_ms / {DAY_MS} AS low, b.last_ms / {DAY_MS} AS high
    FROM staged_row AS s JOIN boot AS b ON b.node = s.node AND b.boot = s.boot
    WHERE s.seq <= b.highest)
SELECT late.node, late.boot, late.seq FROM late WHERE EXISTS (
    SELECT FROM row AS r WHERE r.node = late.node AND r.boot = late.boot AND r.seq = late.seq
        AND r.day BETWEEN late.low AND late.high AND r.day <> late.day)""")  # noqa: S608  # our own figures
_TAKE: Final = text("DELETE FROM staged_row WHERE node = :node AND boot = :boot AND seq = :seq")
_LOCK: Final = text("SELECT pg_advisory_xact_lock(:first, stripe) FROM unnest(CAST(:stripes AS integer[])) AS stripe")
_COPY_TYPES: Final = {"BIGINT": "int8", "BOOLEAN": "bool", "DOUBLE PRECISION": "float8", "TEXT": "text"}


class PostgresStore(SqlStore):
    """The store on a server, which others may read and write at any time."""

    sql = postgresql
    insert_rows = _INSERT

    def __init__(self, url: URL, *, session: str = SESSION) -> None:
        """Connect and bring the tables up to date; raise `Usage` for a database not its own, `StoreFailed`."""
        where = url.render_as_string(hide_password=True)
        notices = list[str]()
        self._dead_rows = Counter[str]()  # in each temporary table, which nobody vacuums
        try:
            engine = open_server(url, where, notices.append, session)
            try:
                self._partitions = DayPartitions(engine)
                super().__init__(engine, where, url)
            except BaseException:
                engine.dispose()
                raise
        except SQLAlchemyError as error:
            raise make_failure(where, error) from error
        self.notices += notices

    def _fill(self, connection: Connection, table: Table, rows: Iterable[Sequence[object]]) -> None:
        values = list(rows)
        cursor: Any = connection.connection.cursor()
        types = [_COPY_TYPES[column.type.compile(connection.dialect)] for column in table.c]
        with cursor:
            cursor.execute(self._make_room(table, len(values)))
            with cursor.copy(f"COPY {table.name} FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(types)
                for row in values:
                    copy.write_row(row)

    def _make_room(self, table: Table, rows: int) -> str:
        """Return the statement that empties a temporary table; `TRUNCATE` makes new files, so it is not used often."""
        self._dead_rows[table.name] += rows
        if self._dead_rows[table.name] < MAX_DEAD_ROWS:
            return f"DELETE FROM {table.name}"  # noqa: S608  # our own name
        self._dead_rows[table.name] = rows
        return f"TRUNCATE {table.name}"

    def _lock_nodes(self, connection: Connection, nodes: Collection[str]) -> None:
        stripes = sorted({zlib.crc32(node.encode()) % STRIPES for node in nodes})  # in this order: no deadlock
        connection.execute(_LOCK, {"first": NODE_LOCK, "stripes": stripes})

    @contextmanager
    def _begin_without_upkeep(self) -> Generator[Connection]:
        with self._begin() as connection:
            exclude_upkeep(connection)
            yield connection

    def _prepare(self, rows: Sequence[StoredRow]) -> None:
        self._partitions.prepare({row.t_ms // DAY_MS for row in rows})

    def _insert_rows(self, connection: Connection) -> tuple[list[tuple[str, str, int]], int]:
        misplaced = connection.execute(_FIND_MISPLACED).all()
        if misplaced:
            connection.execute(_TAKE, [dict(zip(KEY, key, strict=True)) for key in misplaced])
        keys, _ = super()._insert_rows(connection)
        return keys, len(misplaced)

    def _avoid_indexes(self, connection: Connection) -> None:
        for setting in ("seqscan = on", "hashjoin = on", "indexscan = off", "indexonlyscan = off", "bitmapscan = off"):
            connection.execute(text(f"SET LOCAL enable_{setting}"))
