"""The rows of one node between two times, down-sampled by the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Double, bindparam, cast, func, literal_column, select

from edge_bridge.fleet.store.tables import BOOT, DATED_ROW, DAY_MS, ROW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from edge_bridge.fleet.store.history_slice import HistoryQuery

_FROM, _TO, _STEP = (bindparam(name, type_=BigInteger) for name in ("from_ms", "to_ms", "step_ms"))


def read_raw(connection: Connection, query: HistoryQuery) -> Sequence[Row[Any]]:
    """Return bucket, then n, low, sum, high of each column, of the rows with a possible time."""
    table = DATED_ROW if connection.dialect.name == "postgresql" else ROW
    bucket = ((table.c.t_ms - _FROM) // _STEP).label("bucket")
    wanted = select(bucket, *(part for name in query.columns for part in summarise_column(table.c[name])))
    wanted = wanted.where(table.c.node == query.node, table.c.clock == "", table.c.t_ms >= _FROM, table.c.t_ms < _TO)
    if table is DATED_ROW:
        wanted = wanted.where(table.c.day.between(query.from_ms // DAY_MS, (query.to_ms - 1) // DAY_MS))
    else:
        boots = select(BOOT.c.boot).where(BOOT.c.node == query.node, BOOT.c.first_ms < _TO, BOOT.c.last_ms >= _FROM)
        wanted = wanted.where(table.c.boot.in_(boots))
    bounds = {"from_ms": query.from_ms, "to_ms": query.to_ms, "step_ms": query.step_ms}
    return connection.execute(wanted.group_by(literal_column("1")), bounds).all()


def summarise_column(column: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    """Return n, low, sum and high of a column, as expressions; the sum is a double, which has no overflow."""
    real = cast(column, Double)
    return func.count(column), func.min(real), func.sum(real), func.max(real)
