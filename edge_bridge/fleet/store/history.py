"""The past of one node: rows, roll-ups and archive as one answer of at most so many points.

A reader has a connection of its own that cannot write: it never waits for the writer, and the writer never for it.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from drivers.errors import Usage
from edge_bridge.fleet.store.archive_history import read_files
from edge_bridge.fleet.store.history_slice import HistoryQuery, HistorySlice, Partial, make_slice
from edge_bridge.fleet.store.open_store import parse_address
from edge_bridge.fleet.store.pack_days import find_unsummed, read_pack_days
from edge_bridge.fleet.store.raw_history import find_hours, read_raw, read_rollups
from edge_bridge.fleet.store.read_engine import open_reader
from edge_bridge.fleet.store.sql_store import make_failure
from edge_bridge.fleet.store.tables import DAY_MS
from edge_bridge.fleet.store.upkeep_tables import (
    ARCHIVED_DAY,
    HOUR,
    HOUR_BLOCK,
    HOUR_MS,
    HOURS_OF_DAY,
    MINUTE,
    MINUTE_MS,
    NUMERIC,
    STALE_HOUR,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from sqlalchemy import Connection

MAX_POINTS: Final = 20_000


class History:
    """The reader of one store; threads may share it."""

    def __init__(self, where: Path | str) -> None:
        """`where` is a file or the URL of a database; raise `Usage` or `StoreFailed`."""
        address = parse_address(where)
        self._where = str(address)
        self.engine = open_reader(address)

    def read(self, node: str, columns: Sequence[str], from_ms: int, to_ms: int, points: int) -> HistorySlice:
        """Read columns of a node from `from_ms` up to, not including, `to_ms`, as at most `points` points.

        Points that are a minute or more apart begin at whole minutes or hours.
        Raise `Usage` for a column that has no numbers or for impossible bounds, `StoreFailed` if the database fails.
        """
        _check(columns, from_ms, to_ms, points)
        query = _align(node, tuple(columns), from_ms, to_ms, points)
        with self._begin() as connection:
            return make_slice(query, _read(connection, query))

    def read_days(self, days: range) -> Sequence[Sequence[Any]]:
        """Return what upkeep summed up of all packs on days from 1970: rows of `PACK_DAY`; raise `StoreFailed`."""
        with self._begin() as connection:
            return read_pack_days(connection, days)

    def find_unsummed(self, days: range) -> set[tuple[int, str]]:
        """Return days and nodes whose newest rows upkeep has not summed up yet; raise `StoreFailed`."""
        with self._begin() as connection:
            return find_unsummed(connection, days)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _begin(self) -> Generator[Connection]:
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise make_failure(self._where, error) from error


def _align(node: str, columns: tuple[str, ...], from_ms: int, to_ms: int, points: int) -> HistoryQuery:
    """Return the query in whole minutes or hours, if its points are so far apart: then roll-ups answer it."""
    step_ms = max(1, -(-(to_ms - from_ms) // points))
    for unit_ms in (HOUR_MS, MINUTE_MS):
        if step_ms >= unit_ms:
            start_ms, step_ms = from_ms // unit_ms * unit_ms, -(-step_ms // unit_ms) * unit_ms
            while -(-(to_ms - start_ms) // step_ms) > points:  # the earlier start may need one point more
                step_ms += unit_ms
            return HistoryQuery(node, columns, start_ms, -(-to_ms // unit_ms) * unit_ms, step_ms)
    return HistoryQuery(node, columns, from_ms, to_ms, step_ms)


def _read(connection: Connection, query: HistoryQuery) -> list[Partial]:
    """Read each row once: from a roll-up, from the tables or from a file."""
    days = range(query.from_ms // DAY_MS, (query.to_ms - 1) // DAY_MS + 1)
    wanted = select(ARCHIVED_DAY).where(ARCHIVED_DAY.c.day.between(days[0], days[-1]))
    parts = connection.execute(wanted.order_by(ARCHIVED_DAY.c.day, ARCHIVED_DAY.c.part)).all()
    archived = {part.day for part in parts}
    moving = {part.day for part in parts if not part.is_done}  # their rows are in a file, and some in the table too
    if query.step_ms < MINUTE_MS:
        files = [Path(part.folder) / part.file for part in parts]
        return [read_raw(connection, query, None, moving), read_files(query, files)]
    stale = {hour for hour in find_hours(connection, STALE_HOUR, query) if hour // HOURS_OF_DAY not in archived}
    late = {hour for hour in find_hours(connection, HOUR_BLOCK, query) if hour // HOURS_OF_DAY in archived - moving}
    table = MINUTE if query.step_ms < HOUR_MS else HOUR
    return [read_rollups(connection, query, table, stale), read_raw(connection, query, stale | late, moving)]


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
