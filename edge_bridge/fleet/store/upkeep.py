"""Upkeep of a fleet's database: roll-ups, days that move to the archive, roll-ups that are too old."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select

from drivers.errors import Usage
from edge_bridge.fleet.store.hour_marks import GRACE_MS
from edge_bridge.fleet.store.open_store import parse_address
from edge_bridge.fleet.store.pack_days import read_stale_days, sum_minutes, write_days
from edge_bridge.fleet.store.rollups import roll_up
from edge_bridge.fleet.store.tables import BOOT, DAY_MS
from edge_bridge.fleet.store.upkeep_engine import UpkeepEngine
from edge_bridge.fleet.store.upkeep_tables import HOUR, HOUR_MS, MINUTE, PACK_DAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_bridge.fleet.store.archive import Archive

RAW_DAYS: Final = 30
ROLLUP_DAYS: Final = 400
ATTEMPTS: Final = 3  # for a day whose rows still arrive


@dataclass(frozen=True, slots=True)
class Retention:
    """How long rows stay in the tables, and where they go; without a folder they stay."""

    raw_days: int = RAW_DAYS
    rollup_days: int = ROLLUP_DAYS  # 0: for ever
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Raise `Usage` for impossible days."""
        if self.raw_days < 1:
            raise Usage(f"{self.raw_days} days of rows", key="keep-raw-days", value=self.raw_days, bound=1)
        if self.rollup_days < 0 or 0 < self.rollup_days < self.raw_days:
            what = "roll-ups must stay at least as long as rows"
            raise Usage(what, key="keep-rollup-days", value=self.rollup_days, bound=self.raw_days)


@dataclass
class UpkeepResult:
    """What one run did."""

    hours: int = 0  # rolled up
    days: int = 0  # files of the archive
    rows: int = 0  # in them
    postponed: list[int] = field(default_factory=list[int])  # days whose rows still arrive
    files: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("hours", "days", "rows", "postponed", "files")}


class Upkeep:
    """Upkeep of one database, beside a host that writes it or without one. The store was opened once before."""

    def __init__(self, where: Path | str, retention: Retention, pause: Callable[[], object] = bool) -> None:
        """`pause` is called between transactions, so that commits do not wait. Raise `Usage` or `StoreFailed`."""
        self._engine = UpkeepEngine(parse_address(where))
        self._retention, self._pause = retention, pause

    def run(
        self, now_ms: int, should_stop: Callable[[], bool] = bool, step: Callable[[str], object] = str
    ) -> UpkeepResult:
        """Do all that is due; raise `Usage` if another upkeep of this database runs, `StoreFailed`."""
        done = UpkeepResult()
        with self._engine.report_failures(), self._engine.lock():
            self._roll_up(done, (now_ms - GRACE_MS) // HOUR_MS, should_stop)
            self._sum_days(should_stop)
            if self._retention.folder is not None and not should_stop():
                from edge_bridge.fleet.store.archive import Archive  # noqa: PLC0415  # Parquet is heavy

                archive = Archive(self._engine, self._retention.folder, self._pause, step)
                archive.finish()
                for day in archive.find_days(now_ms // DAY_MS - self._retention.raw_days):
                    if should_stop():
                        break
                    self._move(archive, day, done, should_stop)
            if self._retention.rollup_days and not should_stop():
                self._drop_rollups(now_ms - self._retention.rollup_days * DAY_MS)
        return done

    def close(self) -> None:
        self._engine.close()

    def _roll_up(self, done: UpkeepResult, before_hour: int, should_stop: Callable[[], bool]) -> None:
        while not should_stop():
            with self._engine.begin() as connection:
                hours = roll_up(connection, before_hour)
            if not hours:
                return
            done.hours += hours
            self._pause()

    def _sum_days(self, should_stop: Callable[[], bool]) -> None:
        while not should_stop():
            with self._engine.snapshot() as connection:  # no lock: upkeep alone changes what it reads
                days = read_stale_days(connection)
                sums = {key: sum_minutes(connection, *key) for key in days}
            if not sums:
                return
            with self._engine.begin() as connection:
                write_days(connection, sums)
            self._pause()

    def _move(self, archive: Archive, day: int, done: UpkeepResult, should_stop: Callable[[], bool]) -> None:
        for _ in range(ATTEMPTS):
            self._roll_up(done, (day + 1) * DAY_MS // HOUR_MS, should_stop)
            file = archive.move(day)
            if file is not None:
                if file.rows:
                    done.days, done.rows = done.days + 1, done.rows + file.rows
                    done.files.append(str(file.path))
                return
        done.postponed.append(day)

    def _drop_rollups(self, before_ms: int) -> None:
        with self._engine.snapshot() as connection:
            nodes = connection.execute(select(BOOT.c.node).distinct()).scalars().all()
        for node in nodes:
            with self._engine.begin() as connection:
                for table in (MINUTE, HOUR):
                    connection.execute(delete(table).where(table.c.node == node, table.c.start_ms < before_ms))
        with self._engine.begin() as connection:
            connection.execute(delete(PACK_DAY).where(PACK_DAY.c.day < before_ms // DAY_MS))
