"""The rows of one node between two times, and its roll-ups, down-sampled by the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import BigInteger, Double, and_, bindparam, cast, func, literal_column, or_, select

from edge_bridge.fleet.store.tables import DATED_ROW, DAY_MS, ROW
from edge_bridge.fleet.store.upkeep_tables import HOUR_BLOCK, HOUR_MS, HOURS_OF_DAY, PARTS, join_blocks

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Table

    from edge_bridge.fleet.store.history_slice import HistoryQuery

Partials: TypeAlias = "Sequence[Row[Any]]"  # bucket, then n, low, sum, high of each column
_FROM, _TO, _STEP = (bindparam(name, type_=BigInteger) for name in ("from_ms", "to_ms", "step_ms"))


def read_raw(connection: Connection, query: HistoryQuery, hours: Collection[int] | None, without: set[int]) -> Partials:
    """Read the rows with a possible time: those of `hours` (None: of all), but none of the days `without`."""
    if hours is not None and not hours:
        return []
    row = DATED_ROW if connection.dialect.name == "postgresql" else ROW
    within = and_(HOUR_BLOCK.c.node == query.node, _choose(HOUR_BLOCK.c.hour, query, hours))
    wanted = select(_bucket(row.c.t_ms), *(part for name in query.columns for part in summarise_column(row.c[name])))
    wanted = wanted.select_from(join_blocks(row, within))
    wanted = wanted.where(row.c.clock == "", row.c.t_ms >= _FROM, row.c.t_ms < _TO)
    if hours is not None:
        wanted = wanted.where(_choose(row.c.t_ms // HOUR_MS, query, hours))
    if without:
        wanted = wanted.where((row.c.t_ms // DAY_MS).not_in(without))
    if row is DATED_ROW:
        wanted = wanted.where(row.c.day.between(query.from_ms // DAY_MS, (query.to_ms - 1) // DAY_MS))
    return connection.execute(wanted.group_by(literal_column("1")), _bounds(query)).all()


def read_rollups(connection: Connection, query: HistoryQuery, table: Table, without: Collection[int]) -> Partials:
    """Read the roll-ups of all hours but those `without`."""
    columns = (
        choose(table.c[f"{name}_{part}"])
        for name in query.columns
        for part, choose in zip(PARTS, (func.sum, func.min, func.sum, func.max), strict=True)
    )
    wanted = select(_bucket(table.c.start_ms), *columns)
    wanted = wanted.where(table.c.node == query.node, table.c.start_ms >= _FROM, table.c.start_ms < _TO)
    if without:
        ranges = (table.c.start_ms.between(hour * HOUR_MS, (hour + 1) * HOUR_MS - 1) for hour in without)
        wanted = wanted.where(~or_(*ranges))
    return connection.execute(wanted.group_by(literal_column("1")), _bounds(query)).all()


def summarise_column(column: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    """Return n, low, sum and high of a column, as expressions; the sum is a double, which has no overflow."""
    real = cast(column, Double)
    return func.count(column), func.min(real), func.sum(real), func.max(real)


def find_hours(connection: Connection, table: Table, query: HistoryQuery) -> set[int]:
    """Return the hours of the node in `STALE_HOUR` or `HOUR_BLOCK`."""
    wanted = select(table.c.hour).where(table.c.node == query.node, _choose(table.c.hour, query, None)).distinct()
    return set(connection.execute(wanted).scalars())


def hours_of(day: int) -> range:
    """Return the hours of a day."""
    return range(day * HOURS_OF_DAY, (day + 1) * HOURS_OF_DAY)


def _choose(hour: ColumnElement[Any], query: HistoryQuery, hours: Collection[int] | None) -> ColumnElement[bool]:
    if hours is not None:
        return hour.in_(sorted(hours))
    return hour.between(query.from_ms // HOUR_MS, (query.to_ms - 1) // HOUR_MS)


def _bucket(t_ms: ColumnElement[Any]) -> ColumnElement[Any]:
    return ((t_ms - _FROM) // _STEP).label("bucket")


def _bounds(query: HistoryQuery) -> dict[str, int]:
    return {"from_ms": query.from_ms, "to_ms": query.to_ms, "step_ms": query.step_ms}
