"""What each pack did on each day: upkeep sums a day up from its minutes when one of its hours was rolled up.

So the figures of ten thousand packs over a month are 300 000 short rows, and not 432 million minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import Double, bindparam, case, cast, delete, insert, literal, null, select
from sqlalchemy.dialects import postgresql, sqlite

from edge_bridge.fleet.analytics import DAY_MS, PackDay, PackSamples, sum_day
from edge_bridge.fleet.store.upkeep_tables import (
    DAY_SUMS,
    HOUR_BLOCK,
    HOUR_MS,
    HOURS_OF_DAY,
    MINUTE,
    MINUTE_MS,
    PACK_DAY,
    STALE_DAY,
    STALE_HOUR,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

DAYS_AT_ONCE: Final = 16  # in one transaction
_KEY: Final = (PACK_DAY.c.day == bindparam("of_day"), PACK_DAY.c.node == bindparam("of_node"))
_MARK: Final = (STALE_DAY.c.day == bindparam("of_day"), STALE_DAY.c.node == bindparam("of_node"))
_MEANS: Final = tuple(
    case((MINUTE.c[f"{name}_n"] > 0, MINUTE.c[f"{name}_sum"] / cast(MINUTE.c[f"{name}_n"], Double)), else_=null())
    for name in ("current_a", "voltage_v", "soc", "soh")
)


def mark_days(connection: Connection, hours: Iterable[tuple[str, int]]) -> None:
    """Mark the days of hours that were rolled up; the first hour of a day ends the last interval of the day before."""
    days = {((hour - back) // HOURS_OF_DAY, node) for node, hour in hours for back in (0, 1)}
    _insert_marks(connection, [{"day": day, "node": node} for day, node in sorted(days)])


def mark_late_day(connection: Connection, day: int) -> None:
    """Mark an archived day to whose roll-ups late rows were added."""
    first = day * HOURS_OF_DAY
    wanted = select(HOUR_BLOCK.c.node).where(HOUR_BLOCK.c.hour.between(first, first + HOURS_OF_DAY - 1)).distinct()
    _insert_marks(connection, [{"day": day, "node": node} for node in connection.execute(wanted).scalars().all()])


def _insert_marks(connection: Connection, marks: Sequence[Mapping[str, Any]]) -> None:
    kind: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    if marks:
        connection.execute(kind.insert(STALE_DAY).on_conflict_do_nothing(), marks)


def read_stale_days(connection: Connection) -> list[tuple[int, str]]:
    """Return the next marked days and nodes, the newest first."""
    wanted = select(STALE_DAY.c.day, STALE_DAY.c.node).order_by(STALE_DAY.c.day.desc(), STALE_DAY.c.node)
    return [(int(day), str(node)) for day, node in connection.execute(wanted.limit(DAYS_AT_ONCE))]


def sum_minutes(connection: Connection, day: int, node: str) -> PackDay | None:
    """Sum up one day of a node from its minutes."""
    start_ms = day * DAY_MS
    within = MINUTE.c.start_ms.between(start_ms, start_ms + DAY_MS + HOUR_MS)
    wanted = select(MINUTE.c.start_ms, *_MEANS).where(MINUTE.c.node == node, within).order_by(MINUTE.c.start_ms)
    return sum_day(make_samples(connection.execute(wanted).all()), start_ms)


def make_samples(rows: Sequence[Sequence[Any]]) -> PackSamples:
    """Return samples from rows of time, current, voltage, SoC and SoH."""
    table = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(len(rows), 5)
    return PackSamples(table[:, 0].astype(np.int64), *table[:, 1:].T)


def write_days(connection: Connection, sums: Mapping[tuple[int, str], PackDay | None]) -> None:
    """Replace the sums of days and take their marks away."""
    keys = [{"of_day": day, "of_node": node} for day, node in sums]
    for table, where in ((PACK_DAY, _KEY), (STALE_DAY, _MARK)):
        connection.execute(delete(table).where(*where), keys)
    known = [_as_row(day, node, found) for (day, node), found in sums.items() if found is not None]
    if known:
        connection.execute(insert(PACK_DAY), known)


def _as_row(day: int, node: str, found: PackDay) -> dict[str, Any]:
    sums = {name: getattr(found, name) for name in DAY_SUMS}
    soh = None if np.isnan(found.soh) else found.soh
    return {"day": day, "node": node, **sums, "soh": soh, "last_ms": found.last_ms + MINUTE_MS}


def read_pack_days(connection: Connection, days: range) -> Sequence[Sequence[Any]]:
    """Return day, node, `DAY_SUMS` and end of all packs on these days."""
    return connection.execute(select(PACK_DAY).where(PACK_DAY.c.day.between(days[0], days[-1]))).all()


def find_unsummed(connection: Connection, days: range) -> set[tuple[int, str]]:
    """Return days and nodes with an hour that is not rolled up, or with a mark."""
    hours = STALE_HOUR.c.hour.between(days[0] * HOURS_OF_DAY, days[-1] * HOURS_OF_DAY + HOURS_OF_DAY - 1)
    day = STALE_HOUR.c.hour // literal(HOURS_OF_DAY)
    wanted = (
        select(day, STALE_HOUR.c.node).where(hours).distinct(),
        select(STALE_DAY.c.day, STALE_DAY.c.node).where(STALE_DAY.c.day.between(days[0], days[-1])),
    )
    return {(int(day), str(node)) for one in wanted for day, node in connection.execute(one)}
