"""The past of one node: rows, roll-ups and archive as one answer of at most so many points.

A reader has a connection of its own that cannot write: it never waits for the writer, and the writer never for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import URL, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from drivers.errors import Usage
from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.fleet.store.history_slice import HistoryQuery, HistorySlice, Partial, make_slice
from edge_bridge.fleet.store.open_store import parse_address
from edge_bridge.fleet.store.raw_history import read_raw
from edge_bridge.fleet.store.sql_store import make_failure
from edge_bridge.sparkplug.payload import DataType

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Engine

MAX_POINTS: Final = 20_000
NUMERIC: Final = tuple(column.name for column in COLUMNS if column.datatype is not DataType.STRING)
_READERS: Final = 4  # connections of one process
_TIMEOUT: Final = "30s"  # of one statement of a server


class History:
    """The reader of one store; threads may share it."""

    def __init__(self, where: Path | str) -> None:
        """`where` is a file or the URL of a database; raise `Usage` or `StoreFailed`."""
        address = parse_address(where)
        self._where = str(address)
        self.engine = open_reader(address)

    def read(self, node: str, columns: Sequence[str], from_ms: int, to_ms: int, points: int) -> HistorySlice:
        """Read columns of a node from `from_ms` up to, not including, `to_ms`, as at most `points` points.

        Raise `Usage` for a column that has no numbers or for impossible bounds, `StoreFailed` if the database fails.
        """
        _check(columns, from_ms, to_ms, points)
        query = HistoryQuery(node, tuple(columns), from_ms, to_ms, max(1, -(-(to_ms - from_ms) // points)))
        try:
            with self.engine.connect() as connection:
                partials: list[Partial] = [read_raw(connection, query)]
        except SQLAlchemyError as error:
            raise make_failure(self._where, error) from error
        return make_slice(query, partials)

    def close(self) -> None:
        self.engine.dispose()


def open_reader(address: Path | URL) -> Engine:
    """Return an engine of connections that only read, with the planner's own settings."""
    if isinstance(address, URL):
        return create_engine(
            address.set(drivername="postgresql+psycopg"),
            pool_size=_READERS,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 5,
                "application_name": "pulsebms fleet reader",
                "options": f"{address.query.get('options', '')} -c default_transaction_read_only=on "
                f"-c statement_timeout={_TIMEOUT}",
            },
        )
    if not address.is_file():
        raise Usage("does not exist", where=str(address), key="db", value=str(address), hint="start a fleet first")
    url = f"sqlite:///file:{address.absolute()}?mode=ro&uri=true"
    engine = create_engine(url, pool_size=_READERS, connect_args={"timeout": 2.0, "check_same_thread": False})
    event.listen(engine, "connect", _only_query)
    return engine


def _only_query(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _check(columns: Sequence[str], from_ms: int, to_ms: int, points: int) -> None:
    for name in columns:
        if name not in NUMERIC:
            raise Usage(f"{name} is not a column of numbers", key="columns", value=name, bound=list(NUMERIC))
    if not columns:
        raise Usage("no column is named", key="columns", bound=list(NUMERIC), hint="name at least one")
    if not 1 <= points <= MAX_POINTS:
        raise Usage(f"{points} points cannot be read", key="points", value=points, bound=[1, MAX_POINTS])
    if not 0 <= from_ms < to_ms < np.iinfo(np.int64).max:
        raise Usage("the end is not after the begin", key="to_ms", value=to_ms, bound=from_ms)
