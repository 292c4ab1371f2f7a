"""A fleet's rows in an SQLite file: the embedded default, with one writer."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, true
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError

from edge_bridge.fleet.store.sql_store import SqlStore
from edge_bridge.fleet.store.sqlite_file import lock_file, make_refusal, open_file
from edge_bridge.fleet.store.tables import ROW, STAGED, TEMPORARY, make_temporary
from edge_bridge.fleet.store.upkeep_lock import UpkeepLock

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Table

    from edge_bridge.fleet.row import StoredRow

_INSERT: Final = (
    sqlite.insert(ROW)
    .from_select(STAGED.c.keys(), select(STAGED).where(true()))  # SQLite needs the condition to read ON CONFLICT
    .on_conflict_do_nothing()
)


class SqliteStore(SqlStore):
    """The store in one file, which other processes may read at any time."""

    sql = sqlite
    insert_rows = _INSERT

    def __init__(self, path: Path) -> None:
        """Open the file; raise `Usage` if it is not a fleet's, of another version, or has another writer."""
        notices = list[str]()
        self._path, self._lock = path, lock_file(path)
        try:
            engine = open_file(path, notices.append)
            try:
                with engine.begin() as connection:
                    for table in TEMPORARY:
                        connection.exec_driver_sql(make_temporary(table, engine.dialect))
                super().__init__(engine, str(path), path)
            except BaseException:
                engine.dispose()
                raise
        except SQLAlchemyError as error:
            self._lock.close()
            raise make_refusal(path, f"cannot be read: {getattr(error, 'orig', error)}") from error
        except BaseException:
            self._lock.close()
            raise
        self.notices += notices

    def close(self) -> None:
        super().close()
        self._lock.close()

    def _fill(self, connection: Connection, table: Table, rows: Iterable[Sequence[object]]) -> None:
        connection.exec_driver_sql(f"DELETE FROM temp.{table.name}")  # noqa: S608  # our own name
        places = ", ".join("?" * len(table.c))
        if values := [tuple(row) for row in rows]:
            connection.exec_driver_sql(f"INSERT INTO temp.{table.name} VALUES ({places})", values)  # noqa: S608  # as above

    def _lock_nodes(self, connection: Connection, nodes: Collection[str]) -> None:
        """Do nothing: this process is the only writer."""

    @contextmanager
    def _begin_without_upkeep(self) -> Generator[Connection]:
        with UpkeepLock(self._path), self._begin() as connection:
            yield connection

    def _prepare(self, rows: Sequence[StoredRow]) -> None:
        """Do nothing: the file has one table of rows."""

    def _avoid_indexes(self, connection: Connection) -> None:
        """Do nothing: the statements themselves keep SQLite from the key."""
