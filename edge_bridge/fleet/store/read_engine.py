"""Connections to a fleet's database that only read: they never wait for the writer, nor the writer for them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, create_engine, event
from sqlalchemy.pool import QueuePool

from drivers.errors import Usage

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine

_SQLITE: Final[dict[str, Any]] = {"timeout": 2.0, "check_same_thread": False, "isolation_level": None}
_READERS: Final = 4  # connections of one process
_TIMEOUT: Final = "30s"  # of one statement of a server


def open_reader(address: Path | URL) -> Engine:
    """Return an engine of connections that only read, with the planner's own settings."""
    if isinstance(address, URL):
        return create_engine(
            address.set(drivername="postgresql+psycopg"),
            pool_size=_READERS,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",  # all statements of one answer see one moment
            connect_args={
                "connect_timeout": 5,
                "application_name": "pulsebms fleet reader",
                "options": f"{address.query.get('options', '')} -c default_transaction_read_only=on "
                f"-c statement_timeout={_TIMEOUT}",
            },
        )
    if not address.is_file():
        raise Usage("does not exist", where=str(address), key="db", value=str(address), hint="start a fleet first")
    path = address.absolute().as_uri()  # a name may contain a question mark
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(f"{path}?mode=ro", uri=True, **_SQLITE),
        poolclass=QueuePool,
        pool_size=_READERS,
    )
    event.listen(engine, "connect", _only_query)
    event.listen(engine, "begin", _begin)
    return engine


def _only_query(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
