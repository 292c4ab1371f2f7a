"""The partitions of rows by day in PostgreSQL: some are made ahead, one for an old day when its first row arrives.

A partition is a matter of speed only. A row of a day without one lies in `row_other`: one whose time is impossible or
very old, or one that came while no partition could be made. If its day gets a partition later, it moves there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from drivers.clock import monotonic
from edge_bridge.fleet.store.tables import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Engine

DAYS_AHEAD: Final = 3
LOOK_S: Final = 3600.0
DAYS_BACK: Final = 400  # older days get no partition, so that a stranger cannot make thousands
LOCK: Final = (0x5042, 1)  # the advisory lock of who changes tables
LOCK_WAIT: Final = "2s"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TODAY: Final = text(f"SELECT (extract(epoch FROM now()) * 1000)::bigint / {DAY_MS}")  # noqa: S608  # one clock for all hosts


class DayPartitions:
    """The partitions that this host knows of."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._today, self._due_s = 0, 0.0  # the server's day, and when to ask for it again
        self._known = set[int]()
        self._refused = set[int]()  # days whose partition could not be made in this hour

    def prepare(self, days: Iterable[int]) -> None:
        """Make the partitions that rows of these days need, and each hour those of the next days, if they can be."""
        wanted = set(days)
        if (now_s := monotonic()) >= self._due_s:
            with self._engine.begin() as connection:
                self._today = int(connection.execute(_TODAY).scalar_one())
            self._refused.clear()
            wanted |= set(range(self._today, self._today + DAYS_AHEAD + 1))
        span = range(self._today - DAYS_BACK, self._today + DAYS_AHEAD + 1)
        for day in sorted({day for day in wanted if day in span} - self._known - self._refused):
            self._make(day)
        if now_s >= self._due_s:
            self._due_s = now_s + LOOK_S

    def _make(self, day: int) -> None:
        try:
            with self._engine.begin() as connection:
                make_partition(connection, day)
        except OperationalError as error:
            if not is_lock_timeout(error):
                raise
            self._refused.add(day)  # a long query reads `row_other`; the rows go there
        else:
            self._known.add(day)


def name_partition(day: int) -> str:
    """Return the name of the table for a day, counted from 1970: `row_20261130`."""
    return f"row_{_EPOCH + timedelta(days=day):%Y%m%d}"


def make_partition(connection: Connection, day: int) -> None:
    """Make the partition of a day, unless it is there, and move the rows of this day into it."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:one, :two)"), {"one": LOCK[0], "two": LOCK[1]})
    name = name_partition(day)
    if connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar() is not None:
        return
    within = f"t_ms >= {day * DAY_MS} AND t_ms < {(day + 1) * DAY_MS}"  # so that a query by time reads this day only
    moved = f"DELETE FROM row_other WHERE day = {day} RETURNING *"  # noqa: S608  # our own figures, here and below
    for statement in (
        f"CREATE TABLE {name} (LIKE row INCLUDING ALL, CHECK (day = {day}), CHECK ({within}))",
        "LOCK TABLE row_other IN ACCESS EXCLUSIVE MODE",
        f"WITH moved AS ({moved}) INSERT INTO {name} SELECT * FROM moved",  # noqa: S608
        f"ALTER TABLE row ATTACH PARTITION {name} FOR VALUES FROM ({day}) TO ({day + 1})",
    ):
        connection.execute(text(statement))


def is_lock_timeout(error: OperationalError) -> bool:
    """Return whether a lock was not free in time."""
    return getattr(error.orig, "sqlstate", None) == "55P03"
