"""The connections of upkeep: one that writes in short transactions, and those that only read."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from edge_bridge.fleet.store.read_engine import open_reader
from edge_bridge.fleet.store.sql_store import make_failure
from edge_bridge.fleet.store.upkeep_lock import UpkeepLock, hold_server_lock

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine

BUSY_S: Final = 10.0  # for the commit of a host
_SETTINGS: Final = "-c lock_timeout=2s -c synchronous_commit=on -c jit=off"


class UpkeepEngine:
    """The database of a fleet for upkeep; close it at the end."""

    def __init__(self, address: Path | URL) -> None:
        """Raise `Usage` for a file that is not there; the store has been opened once, so that its tables are there."""
        self.address = address
        self.where = str(address)
        self._reader = open_reader(address)
        self.writer = open_writer(address)
        self.is_server = not isinstance(address, Path)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the lock of upkeep; raise `Usage` if another one runs."""
        return hold_server_lock(self.writer) if not isinstance(self.address, Path) else UpkeepLock(self.address)

    @contextmanager
    def begin(self) -> Generator[Connection]:
        """Begin a transaction that writes."""
        with self.writer.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Generator[Connection]:
        """Read all as of one moment, however long it takes."""
        with self._reader.connect() as connection:
            if self.is_server:
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            yield connection

    @contextmanager
    def report_failures(self) -> Generator[None]:
        """Raise `StoreFailed` if the database does not do what it is asked."""
        try:
            yield
        except SQLAlchemyError as error:
            raise make_failure(self.where, error) from error

    def close(self) -> None:
        self.writer.dispose()
        self._reader.dispose()


def open_writer(address: Path | URL) -> Engine:
    """Return an engine for short transactions beside the host; the option `only_reads` begins one without the lock."""
    if not isinstance(address, Path):
        options = {"options": f"{address.query.get('options', '')} {_SETTINGS}", "application_name": "pulsebms upkeep"}
        return create_engine(
            address.set(drivername="postgresql+psycopg"),
            pool_size=2,  # one holds the lock
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5, **options},
        )
    engine = create_engine(
        URL.create("sqlite", database=str(address.absolute())),
        connect_args={"timeout": BUSY_S, "isolation_level": None, "check_same_thread": False},
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("only_reads") else "BEGIN IMMEDIATE")
