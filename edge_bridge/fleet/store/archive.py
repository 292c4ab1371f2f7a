"""Old days of rows move to Parquet files: a day is written, read back and recorded, and only then dropped.

A crash at any step loses nothing and keeps nothing twice: before the record, the rows are in the tables and the next
run writes the file again; with the record, they count as archived. On a server the record and the drop of the
partition are one transaction. In an SQLite file the rows go in small transactions, each with the record of its rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, delete, exists, func, insert, select, text, update
from sqlalchemy.exc import OperationalError

from edge_bridge.fleet.row import EARLIEST_MS
from edge_bridge.fleet.store.archive_file import FIELD_NAMES, ArchiveFile, read_archive, write_archive
from edge_bridge.fleet.store.archived_spans import add_spans
from edge_bridge.fleet.store.partitions import LOCK, LOCK_WAIT, is_lock_timeout, make_partition, name_partition
from edge_bridge.fleet.store.rollups import add_late
from edge_bridge.fleet.store.tables import DATED_ROW, DAY_MS, ROW
from edge_bridge.fleet.store.upkeep_tables import (
    ARCHIVED_DAY,
    BLOCK_ROWS,
    FLEET_ID,
    FLEET_SETTING,
    HOUR_BLOCK,
    HOUR_MS,
    HOURS_OF_DAY,
    STALE_HOUR,
    join_blocks,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Table

    from edge_bridge.fleet.store.upkeep_engine import UpkeepEngine
    from edge_bridge.ranges import Range

ROWS_AT_ONCE: Final = 50_000  # in memory, and in a row group
DELETED_AT_ONCE: Final = 5_000  # in one transaction of an SQLite file
EARLIEST_DAY: Final = EARLIEST_MS // DAY_MS  # older time stamps are impossible; those rows stay in the tables
_DELETE: Final = delete(ROW).where(
    ROW.c.node == bindparam("of_node"),
    ROW.c.boot == bindparam("of_boot"),
    ROW.c.seq.between(bindparam("from_seq"), bindparam("to_seq")),
)


class Archive:
    """The archive of one database in one folder; `pause` is called between small transactions."""

    def __init__(
        self, engine: UpkeepEngine, folder: Path, pause: Callable[[], object], step: Callable[[str], object] = str
    ) -> None:
        """`step` gets the name of each step when it is done, for tests that end the program there."""
        self._engine, self._folder, self._pause, self._step = engine, folder.absolute(), pause, step

    def find_days(self, before_day: int) -> list[int]:
        """Return the days before `before_day` that have rows in the tables, the oldest first."""
        found, start = list[int](), EARLIEST_DAY * HOURS_OF_DAY
        with self._engine.snapshot() as connection:
            while True:
                wanted = select(func.min(HOUR_BLOCK.c.hour)).where(
                    HOUR_BLOCK.c.hour >= start, HOUR_BLOCK.c.hour < before_day * HOURS_OF_DAY
                )
                hour = connection.execute(wanted).scalar()
                if hour is None:
                    return found
                found.append(int(hour) // HOURS_OF_DAY)
                start = (found[-1] + 1) * HOURS_OF_DAY

    def finish(self) -> None:
        """Delete the rows of days that were recorded, but not all deleted, when the program ended."""
        wanted = select(ARCHIVED_DAY).where(ARCHIVED_DAY.c.is_done.is_(False)).order_by(ARCHIVED_DAY.c.day)
        with self._engine.snapshot() as connection:
            left = connection.execute(wanted).all()
        for day in left:
            self._delete(day.day, day.part, read_archive(Path(day.folder) / day.file))

    def move(self, day: int) -> ArchiveFile | None:
        """Move the rows of a day to a file; return None if rows arrive for this day now: try again later.

        All hours of the day must have been rolled up.
        """
        if self._engine.is_server and not self._make_partition(day):
            return None
        with self._engine.snapshot() as connection:
            if has_marks(connection, day):
                return None
            part = int(connection.execute(_count_parts(day)).scalar_one()) + 1
            fleet = connection.execute(select(FLEET_SETTING.c.value).where(FLEET_SETTING.c.name == FLEET_ID)).scalar()
            path = self._folder / f"{name_partition(day)}-{part}-{fleet}.parquet"
            about = {"pulsebms_fleet": str(fleet), "pulsebms_day": str(day), "pulsebms_part": str(part)}
            file = write_archive(path, self._read(connection, day), about)
        self._step("written")
        if self._engine.is_server:
            return file if self._drop(day, part, file) else None
        if not self._register(day, part, file):
            return None
        self._delete(day, part, file)
        return file

    def _read(self, connection: Connection, day: int) -> Iterator[Sequence[Sequence[Any]]]:
        for batch in read_day(connection, day):
            yield batch
            self._pause()

    def _make_partition(self, day: int) -> bool:
        try:
            with self._engine.begin() as connection:
                make_partition(connection, day)
        except OperationalError as error:
            if not is_lock_timeout(error):
                raise
            return False
        return True

    def _drop(self, day: int, part: int, file: ArchiveFile) -> bool:
        """Record the file and drop the partition in one transaction; return False if a row came or a lock is held."""
        name = name_partition(day)
        try:
            with self._engine.begin() as connection:
                connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:one, :two)"), {"one": LOCK[0], "two": LOCK[1]})
                connection.execute(text(f"LOCK TABLE {name} IN SHARE MODE"))  # waits for commits with rows of this day
                if has_marks(connection, day):
                    return False
                if file.rows:
                    self._record(connection, day, part, file, is_done=True)
                    add_spans(connection, file.spans)
                connection.execute(delete(HOUR_BLOCK).where(_of_day(HOUR_BLOCK, day)))
                self._step("recorded")
                connection.execute(text(f"ALTER TABLE row DETACH PARTITION {name}"))
                connection.execute(text(f"DROP TABLE {name}"))
                self._step("dropped")
        except OperationalError as error:
            if not is_lock_timeout(error):
                raise
            return False
        self._step("done")
        return True

    def _register(self, day: int, part: int, file: ArchiveFile) -> bool:
        with self._engine.begin() as connection:
            if has_marks(connection, day):
                return False
            if file.rows:
                self._record(connection, day, part, file, is_done=False)
        self._step("recorded")
        return True

    def _record(self, connection: Connection, day: int, part: int, file: ArchiveFile, *, is_done: bool) -> None:
        if part > 1:  # the roll-ups hold the rows that are gone; these ones are added to them
            add_late(connection, day)
        values = (day, part, file.rows, str(file.path.parent), file.path.name, file.sha256, is_done)
        connection.execute(insert(ARCHIVED_DAY), dict(zip(ARCHIVED_DAY.c.keys(), values, strict=True)))

    def _delete(self, day: int, part: int, file: ArchiveFile) -> None:
        """Delete the rows that the file holds, in small transactions."""
        for (node, boot), ranges in file.spans.items():
            for first, last in _split(ranges):
                with self._engine.begin() as connection:
                    asked = {"of_node": node, "of_boot": boot, "from_seq": first, "to_seq": last}
                    connection.execute(_DELETE, asked)
                    add_spans(connection, {(node, boot): [(first, last)]})
                self._step("deleted")
                self._pause()
        with self._engine.begin() as connection:
            first = HOUR_BLOCK.c.block * BLOCK_ROWS
            of_block = and_(
                ROW.c.node == HOUR_BLOCK.c.node,
                ROW.c.boot == HOUR_BLOCK.c.boot,
                ROW.c.seq.between(first, first + BLOCK_ROWS - 1),
                ROW.c.t_ms // HOUR_MS == HOUR_BLOCK.c.hour,
            )
            connection.execute(delete(HOUR_BLOCK).where(_of_day(HOUR_BLOCK, day), ~exists().where(of_block)))
            of_part = and_(ARCHIVED_DAY.c.day == day, ARCHIVED_DAY.c.part == part)
            connection.execute(update(ARCHIVED_DAY).where(of_part).values(is_done=True))
        self._step("done")


def read_day(connection: Connection, day: int) -> Iterator[Sequence[Sequence[Any]]]:
    """Read the rows of a day in the order of their key, some at a time."""
    table = DATED_ROW if connection.dialect.name == "postgresql" else ROW
    wanted = select(*(table.c[name] for name in FIELD_NAMES)).order_by(table.c.node, table.c.boot, table.c.seq)
    if table is DATED_ROW:
        wanted = wanted.where(table.c.day == day)
    else:
        wanted = wanted.select_from(join_blocks(table, _of_day(HOUR_BLOCK, day)))
        wanted = wanted.where(table.c.t_ms >= day * DAY_MS, table.c.t_ms < (day + 1) * DAY_MS)
    streamed = connection.execution_options(stream_results=True, max_row_buffer=ROWS_AT_ONCE)
    yield from streamed.execute(wanted).partitions(ROWS_AT_ONCE)


def has_marks(connection: Connection, day: int) -> bool:
    """Return whether an hour of the day waits to be rolled up: a row has come."""
    return bool(connection.execute(select(exists().where(_of_day(STALE_HOUR, day)))).scalar())


def _of_day(table: Table, day: int) -> ColumnElement[bool]:
    return table.c.hour.between(day * HOURS_OF_DAY, day * HOURS_OF_DAY + HOURS_OF_DAY - 1)


def _count_parts(day: int) -> Any:
    return select(func.count()).where(ARCHIVED_DAY.c.day == day)


def _split(ranges: Sequence[Range]) -> Iterator[Range]:
    for first, last in ranges:
        for start in range(first, last + 1, DELETED_AT_ONCE):
            yield start, min(last, start + DELETED_AT_ONCE - 1)
