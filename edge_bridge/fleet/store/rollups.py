"""Roll-ups of rows by minute and by hour, made by the database as sets.

An hour is made anew from all of its rows, so it does not matter how often or in which order that happens. Only rows of
an archived day, whose rows are gone, are added to what is there; `archive` does that in the transaction that records
their file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    BigInteger,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from edge_bridge.fleet.store.pack_days import mark_days, mark_late_day
from edge_bridge.fleet.store.raw_history import summarise_column
from edge_bridge.fleet.store.tables import DATED_ROW, DAY_MS, ROW
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
    join_blocks,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Select, Table

HOURS_AT_ONCE: Final = {"postgresql": 16, "sqlite": 2}  # in one transaction; commits wait for that of an SQLite file
_MARKS: Final = 200
_NEXT: Final = (
    select(STALE_HOUR.c.id, STALE_HOUR.c.node, STALE_HOUR.c.hour)
    .where(STALE_HOUR.c.hour < bindparam("before"))
    .order_by(STALE_HOUR.c.hour, STALE_HOUR.c.node, STALE_HOUR.c.id)
    .limit(_MARKS)
)


def roll_up(connection: Connection, before_hour: int) -> int:
    """Roll up the next marked hours before `before_hour`; return how many, 0 if there is none."""
    marks = connection.execute(_NEXT, {"before": before_hour}).all()
    wanted = list(dict.fromkeys((mark.node, mark.hour) for mark in marks))[: HOURS_AT_ONCE[connection.dialect.name]]
    chosen = set(wanted)
    numbers = [mark.id for mark in marks if (mark.node, mark.hour) in chosen]
    if not numbers:
        return 0
    connection.execute(delete(STALE_HOUR).where(STALE_HOUR.c.id.in_(numbers)))
    days = {hour // HOURS_OF_DAY for _, hour in wanted}
    known = select(ARCHIVED_DAY.c.day).where(ARCHIVED_DAY.c.day.in_(days))
    archived = set(connection.execute(known).scalars())
    if fresh := [key for key in wanted if key[1] // HOURS_OF_DAY not in archived]:
        _make_anew(connection, fresh)
        mark_days(connection, fresh)
    return len(wanted)


def _make_anew(connection: Connection, hours: Sequence[tuple[str, int]]) -> None:
    of_hour = tuple_(MINUTE.c.node, MINUTE.c.start_ms // HOUR_MS)
    for table in (MINUTE, HOUR):
        for node, hour in hours:  # by ranges of the key
            within = table.c.start_ms.between(hour * HOUR_MS, (hour + 1) * HOUR_MS - 1)
            connection.execute(delete(table).where(table.c.node == node, within))
    connection.execute(MINUTE.insert().from_select(MINUTE.c.keys(), select_rollup(connection, MINUTE_MS, hours=hours)))
    nodes = {node for node, _ in hours}
    low, high = min(hour for _, hour in hours) * HOUR_MS, (max(hour for _, hour in hours) + 1) * HOUR_MS
    minutes = _join_minutes().where(
        MINUTE.c.node.in_(nodes), MINUTE.c.start_ms.between(low, high - 1), of_hour.in_(hours)
    )
    connection.execute(HOUR.insert().from_select(HOUR.c.keys(), minutes))


def add_late(connection: Connection, day: int) -> None:
    """Add all rows of an archived day that are in the tables to its roll-ups, with the record of their file."""
    for table, step_ms in ((MINUTE, MINUTE_MS), (HOUR, HOUR_MS)):
        _add(connection, table, select_rollup(connection, step_ms, day=day).where(true()))
    mark_late_day(connection, day)


def _add(connection: Connection, table: Table, more: Select[Any]) -> None:
    is_server = connection.dialect.name == "postgresql"
    added: Any = (postgresql if is_server else sqlite).insert(table).from_select(table.c.keys(), more)
    least, most = (func.least, func.greatest) if is_server else (func.min, func.max)
    values = dict[str, Any]()
    for name in table.c.keys()[2:]:
        old, new = table.c[name], added.excluded[name]
        choose = {"low": least, "high": most}.get(name.rpartition("_")[2])
        values[name] = func.coalesce(choose(old, new) if choose else old + new, old, new)  # one may be null
    connection.execute(added.on_conflict_do_update(index_elements=["node", "start_ms"], set_=values))


def select_rollup(
    connection: Connection, step_ms: int, *, hours: Sequence[tuple[str, int]] | None = None, day: int | None = None
) -> Select[Any]:
    """Return the statement that rolls up the rows of these hours, or of a whole day, by steps."""
    row = DATED_ROW if connection.dialect.name == "postgresql" else ROW
    step = literal(step_ms, BigInteger)
    start = (row.c.t_ms // step * step).label("start_ms")
    verdicts = (
        func.coalesce(func.sum(case((row.c.gate_verdict == verdict, 1), else_=0)), 0) for verdict in ("held", "tripped")
    )
    columns = (part for name in NUMERIC for part in summarise_column(row.c[name]))
    wanted = select(row.c.node, start, func.count(), *(cast(one, BigInteger) for one in verdicts), *columns)
    wanted = wanted.where(row.c.clock == "").group_by(row.c.node, literal_column("2"))
    if day is not None:
        where = HOUR_BLOCK.c.hour.between(day * HOURS_OF_DAY, day * HOURS_OF_DAY + HOURS_OF_DAY - 1)
        within = row.c.t_ms.between(day * DAY_MS, (day + 1) * DAY_MS - 1)
    else:
        hours = hours or []
        where = tuple_(HOUR_BLOCK.c.node, HOUR_BLOCK.c.hour).in_(hours)
        within = tuple_(row.c.node, row.c.t_ms // HOUR_MS).in_(hours)
    if row is DATED_ROW:
        days = [day] if day is not None else sorted({hour // HOURS_OF_DAY for _, hour in hours or []})
        within = and_(within, row.c.day.in_(days))
    return wanted.where(within).select_from(join_blocks(row, where))


def _join_minutes() -> Select[Any]:
    start = (MINUTE.c.start_ms // HOUR_MS * HOUR_MS).label("start_ms")
    wanted = select(MINUTE.c.node, start, *(_join(MINUTE, name) for name in HOUR.c.keys()[2:]))
    return wanted.group_by(MINUTE.c.node, literal_column("2"))


def _join(table: Any, name: str) -> ColumnElement[Any]:
    part = name.rpartition("_")[2]
    if part in {"low", "high"}:
        return (func.min if part == "low" else func.max)(table.c[name])
    total = func.sum(table.c[name])
    return cast(total, BigInteger) if name == "count" or part == "n" else total
