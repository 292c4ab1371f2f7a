"""Short changes beside the host's store: accounts, sessions, audit. On connections of their own, for any thread."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from drivers.errors import StoreFailed, Usage
from edge_bridge.fleet.store.migrate import VERSION
from edge_bridge.fleet.store.open_store import open_store, parse_address
from edge_bridge.fleet.store.sql_store import make_failure

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import URL, Connection, Engine

CONNECTIONS: Final = 2
WAIT_S: Final = 10.0  # for the host, whose transactions take milliseconds, and for other writers
_POSTGRESQL: Final = {"lock_timeout": f"{WAIT_S:g}s", "statement_timeout": "30s", "synchronous_commit": "on"}


class FleetWriter:
    """A writer of what people change. SQLite has one writer at a time, so each transaction is short."""

    def __init__(self, where: Path | str) -> None:
        """`where` is a file or a URL of a database that a `FleetStore` has opened, so that it has all tables."""
        address = parse_address(where)
        self._where = str(address) if isinstance(address, Path) else address.render_as_string(hide_password=True)
        self._engine = _open_file(address) if isinstance(address, Path) else _open_server(address)

    @contextmanager
    def begin(self) -> Generator[Connection]:
        """Begin a transaction, which is committed at the end; raise `StoreFailed`."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise make_failure(self._where, error) from error

    def close(self) -> None:
        self._engine.dispose()


def open_writer(where: Path | str) -> FleetWriter:
    """Return a writer; make or convert the database first if it has not all tables. Raise `Usage` or `StoreFailed`."""
    address = parse_address(where)
    if not isinstance(address, Path):
        with closing(open_store(where)):
            return FleetWriter(where)
    if _read_file_version(address) != VERSION:  # else a fleet may run, and hold the file
        open_store(where).close()
    return FleetWriter(where)


def _read_file_version(path: Path) -> int:
    if not path.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            return int(database.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        hint = "name the database of a fleet"
        raise Usage(f"cannot be read: {error}", where=str(path), key="store", value=str(path), hint=hint) from error


def _open_file(path: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        address = f"{path.resolve().as_uri()}?mode=rw"
        database = sqlite3.connect(address, WAIT_S, uri=True, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA synchronous = FULL")
        return database

    if not path.is_file():
        raise StoreFailed("does not exist", where=str(path), key="store", hint="name the database of a fleet")
    engine = create_engine("sqlite:///file", creator=connect, pool_size=CONNECTIONS, max_overflow=0)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # the lock comes first, so that what was read stays true


def _open_server(url: URL) -> Engine:
    options = [str(value) for value in [url.query.get("options")] if value]
    options += [f"-c {name}={value}" for name, value in _POSTGRESQL.items()]
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": round(WAIT_S),
            "application_name": "pulsebms people",
            "options": " ".join(options),
        },
    )
