"""The rows and counts of an outbox on the disk: each has a checksum, and none is used whose checksum is wrong.

A row whose `kept` is null waits. An acknowledged row that is kept has the complement of its checksum there, so that a
flipped bit cannot make a waiting row look acknowledged.

SQLite checks only the structure of its pages; a flipped bit in a value passes its checks.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from edge_bridge.edge.row import RowKey
from edge_bridge.ranges import find_ranges, subtract
from edge_bridge.row_span import RowSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge_bridge.metrics import Scalar
    from edge_bridge.ranges import Range

MAX_SET_ASIDE: Final = 1_000  # damaged rows that are kept for examination
_ALL_BITS: Final = 0xFFFFFFFF
_COLUMNS: Final = "place, boot, seq, t_ms, put_s, gap, body, crc"
INDEXES: Final = {
    "row_key": "CREATE UNIQUE INDEX row_key ON row(boot, seq)",
    "waiting": "CREATE INDEX waiting ON row(place) WHERE kept IS NULL",
    "kept": "CREATE INDEX kept ON row(place) WHERE kept IS NOT NULL",
}
TABLES: Final = (
    "CREATE TABLE row(place INTEGER PRIMARY KEY, boot, seq, t_ms, put_s, gap, body, crc, kept)",
    "CREATE TABLE boot(boot TEXT PRIMARY KEY, last, stored, evicted, damaged, crc) WITHOUT ROWID",
    "CREATE TABLE bad_row(place, boot, seq, t_ms, put_s, gap, body, crc)",
    *INDEXES.values(),
)


@dataclass(frozen=True, slots=True)
class BootCount:
    """Row counts of one boot: the last number given, rows acknowledged, rows named in gaps, rows that were damaged."""

    last: int = 0
    stored: int = 0
    evicted: int = 0
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class DiskRow:
    """One row whose checksum is right."""

    place: int
    key: RowKey
    t_ms: int
    put_s: float
    is_gap: bool
    values: dict[str, Scalar]


@dataclass(frozen=True, slots=True)
class LostRow:
    """A row that was set aside: its number, None if it cannot be known, whether it was a gap row or acknowledged."""

    key: RowKey | None
    is_gap: bool
    is_kept: bool


@dataclass
class RowCheck:
    """The result of a check: places of damaged rows, and highest number and count of the good ones by boot."""

    damaged: list[int] = field(default_factory=list[int])
    boots: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    unmarked: dict[int, str] = field(default_factory=dict[int, str])  # boots of rows with a wrong mark, by place
    kept: dict[str, Range] = field(default_factory=dict[str, "Range"])  # the first and the last kept row by boot
    newest_ms: int = 0
    is_index_damaged: bool = False


def make_mark(crc: Any) -> int | None:
    """Return what marks a row with this checksum as acknowledged."""
    return _ALL_BITS - crc if type(crc) is int else None


def compute_checksum(*values: Any) -> int:
    """Compute the checksum of a row's or a count's columns."""
    return zlib.crc32(repr(values).encode("utf-8", "surrogateescape"))


class RowTable:
    """The rows in the order of their places; a new row gets the highest place. The caller opens transactions."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        (highest,) = database.execute("SELECT coalesce(max(place), 0) FROM row").fetchone()
        self._next_place = highest + 1

    def count(self) -> int:
        """Return the number of rows that wait."""
        (count,) = self._database.execute("SELECT count(*) FROM row WHERE kept IS NULL").fetchone()
        return count

    def count_waiting(self, boot: str) -> int:
        """Return the number of rows of one boot that wait."""
        select = "SELECT count(*) FROM row WHERE boot = ? AND kept IS NULL"
        (count,) = self._database.execute(select, (boot,)).fetchone()
        return count

    def count_kept(self) -> int:
        (count,) = self._database.execute("SELECT count(*) FROM row WHERE kept IS NOT NULL").fetchone()
        return count

    def read_oldest_ms(self) -> int | None:
        """Return the time of the oldest row that waits, unchecked; gap rows do not count."""
        found = self._database.execute(
            "SELECT t_ms FROM row WHERE kept IS NULL AND gap = 0 ORDER BY place LIMIT 1"
        ).fetchone()
        return found[0] if found and isinstance(found[0], int) else None

    def insert(self, key: RowKey, t_ms: int, put_s: float, body: str, *, gap: bool) -> None:
        """Insert a row behind all others."""
        values = (self._next_place, key.boot, key.seq, int(t_ms), float(put_s), int(gap), body)
        self._next_place += 1
        insert = f"INSERT INTO row({_COLUMNS}) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"
        self._database.execute(insert, (*values, compute_checksum(*values)))

    def rewrite_gap(self, key: RowKey, span: RowSpan) -> None:
        """Write another span into a gap row that is waiting."""
        select = "SELECT place, t_ms, put_s FROM row WHERE boot = ? AND seq = ?"
        place, t_ms, put_s = self._database.execute(select, (key.boot, key.seq)).fetchone()
        body = json.dumps(span.values)
        crc = compute_checksum(place, key.boot, key.seq, t_ms, put_s, 1, body)
        self._database.execute("UPDATE row SET body = ?, crc = ? WHERE place = ?", (body, crc, place))

    def list_newest(self, limit: int) -> list[tuple[int, RowKey]]:
        """Return places and numbers of waiting rows, unchecked, the newest first."""
        newest = "SELECT place, boot, seq FROM row WHERE kept IS NULL ORDER BY place DESC LIMIT ?"
        return [(place, RowKey(boot, seq)) for place, boot, seq in self._database.execute(newest, (limit,))]

    def read(self, place: int) -> DiskRow | None:
        """Read a row, None if it is damaged."""
        columns = self._database.execute(f"SELECT {_COLUMNS} FROM row WHERE place = ?", (place,)).fetchone()  # noqa: S608  # only names of our own
        return _check(columns)

    def read_oldest_raw(self, limit: int) -> tuple[list[RowKey], list[int]]:
        """Return the numbers of the oldest waiting rows but gap rows, and the places of damaged ones among them."""
        oldest = f"SELECT {_COLUMNS} FROM row WHERE kept IS NULL AND gap = 0 ORDER BY place LIMIT ?"  # noqa: S608  # our own names
        found = [(columns[0], _check(columns)) for columns in self._database.execute(oldest, (limit,))]
        return [row.key for _, row in found if row is not None], [place for place, row in found if row is None]

    def check_all(self) -> RowCheck:
        """Check all rows and their index."""
        found = RowCheck()
        for *columns, kept in self._database.execute(f"SELECT {_COLUMNS}, kept FROM row NOT INDEXED ORDER BY place"):  # noqa: S608  # only names of our own
            if not _has_checksum(tuple(columns)):
                found.damaged.append(columns[0])
                continue
            place, boot, seq, found.newest_ms, *_, crc = columns
            highest, waiting = found.boots.get(boot, (0, 0))
            is_kept = kept == make_mark(crc)
            found.boots[boot] = max(highest, seq), waiting + (not is_kept)
            if is_kept:
                first, last = found.kept.get(boot, (seq, seq))
                found.kept[boot] = min(first, seq), max(last, seq)
            elif kept is not None:
                found.unmarked[place] = boot
        try:
            (result,) = self._database.execute("PRAGMA integrity_check(1)").fetchone()
            found.is_index_damaged = result != "ok"
        except sqlite3.DatabaseError:
            found.is_index_damaged = True
        return found

    def join(self, named: RowSpan, span: RowSpan) -> RowSpan | None:
        """Return both spans as one, None if a row waits between; a gap may name rows that the host has stored."""
        if named.boot != span.boot or self.read_waiting(span.boot, named.last + 1, span.first - 1):
            return None
        return RowSpan(span.boot, named.first, span.last)

    def read_waiting(self, boot: str, first: int, last: int) -> list[RowKey]:
        """Return the numbers of the rows in this range that wait."""
        select = "SELECT seq FROM row WHERE boot = ? AND seq BETWEEN ? AND ? AND kept IS NULL"
        return [RowKey(boot, seq) for (seq,) in self._database.execute(select, (boot, first, last))]

    def read_keys(self, boot: str, first: int, last: int) -> list[RowKey]:
        """Return the numbers of the rows in this range that wait or are kept."""
        select = "SELECT seq FROM row WHERE boot = ? AND seq BETWEEN ? AND ?"
        return [RowKey(boot, seq) for (seq,) in self._database.execute(select, (boot, first, last))]

    def find_holes(self, boot: str, last: int, limit: int) -> list[Range]:
        """Return the first ranges of numbers up to `last` that have no row here: acknowledged, or named in gaps."""
        keys = self.read_keys(boot, 1, last)
        return subtract([(1, last)], find_ranges(key.seq for key in keys))[:limit]

    def delete(self, span: RowSpan) -> None:
        delete = "DELETE FROM row WHERE boot = ? AND seq BETWEEN ? AND ?"
        self._database.execute(delete, (span.boot, span.first, span.last))

    def keep(self, span: RowSpan) -> None:
        """Mark rows as acknowledged; they stay until they are dropped."""
        mark = f"UPDATE row SET kept = {_ALL_BITS} - crc WHERE boot = ? AND seq BETWEEN ? AND ? AND kept IS NULL"  # noqa: S608  # our own figure
        self._database.execute(mark, (span.boot, span.first, span.last))

    def unkeep(self, span: RowSpan, most: int) -> int:
        """Let up to `most` kept rows wait again; return how many."""
        kept = "SELECT place FROM row WHERE boot = ? AND seq BETWEEN ? AND ? AND kept IS NOT NULL LIMIT ?"
        unmark = f"UPDATE row SET kept = NULL WHERE place IN ({kept})"  # noqa: S608  # our own names
        return self._database.execute(unmark, (span.boot, span.first, span.last, most)).rowcount

    def unmark(self, places: Iterable[int]) -> None:
        """Let rows with a wrong mark wait: to send a row twice is better than to lose it."""
        self._database.executemany("UPDATE row SET kept = NULL WHERE place = ?", [(place,) for place in places])

    def drop_kept(self, limit: int, before_ms: int | None = None) -> list[RowKey]:
        """Delete up to `limit` of the oldest kept rows, only those of before `before_ms`; return their numbers."""
        oldest = "SELECT place, boot, seq, t_ms, crc, kept FROM row WHERE kept IS NOT NULL ORDER BY place LIMIT ?"
        dropped = list[tuple[int, RowKey]]()
        for place, boot, seq, t_ms, crc, kept in self._database.execute(oldest, (limit,)).fetchall():
            if before_ms is not None and t_ms >= before_ms:
                break
            if kept == make_mark(crc):  # one with a wrong mark stays; the next start looks at it
                dropped.append((place, RowKey(boot, seq)))
        self._database.executemany("DELETE FROM row WHERE place = ?", [(place,) for place, _ in dropped])
        return [key for _, key in dropped]

    def set_aside(self, places: Iterable[int]) -> list[LostRow]:
        """Move damaged rows to a table of their own; return their numbers.

        The index holds a second copy of each number. It is made anew, because a row and its index may disagree.
        """
        damaged = set(places)
        keys = self._read_index(damaged)
        for name in INDEXES:
            self._database.execute(f"DROP INDEX IF EXISTS {name}")
        lost = list[LostRow]()
        for place in sorted(damaged):
            columns = self._database.execute(f"SELECT {_COLUMNS}, kept FROM row WHERE place = ?", (place,)).fetchone()  # noqa: S608  # our own names
            if columns is None:
                continue
            _, boot, seq, *_, gap, body, crc, kept = columns
            is_kept = kept is not None and kept in {make_mark(crc), make_mark(compute_checksum(*columns[:-2]))}
            move = f"INSERT INTO bad_row SELECT {_COLUMNS} FROM row WHERE place = ?"  # noqa: S608  # our own names
            self._database.execute(move, (place,))
            self._database.execute("DELETE FROM row WHERE place = ?", (place,))
            lost.append(LostRow(_parse_key(*keys.get(place, (boot, seq))), _was_gap(gap, body), is_kept))
        for create in INDEXES.values():
            self._database.execute(create)
        keep = "DELETE FROM bad_row WHERE rowid <= (SELECT max(rowid) FROM bad_row) - ?"
        self._database.execute(keep, (MAX_SET_ASIDE,))
        return lost

    def _read_index(self, places: set[int]) -> dict[int, tuple[Any, Any]]:
        """Read the numbers that the index has of these places."""
        scan = "SELECT place, boot, seq FROM row INDEXED BY row_key WHERE boot > ''"
        try:
            return {place: (boot, seq) for place, boot, seq in self._database.execute(scan) if place in places}
        except sqlite3.DatabaseError:  # the index is damaged too
            return {}


def read_counts(
    database: sqlite3.Connection, boots: Mapping[str, tuple[int, int]]
) -> tuple[dict[str, BootCount], bool]:
    """Read the counts of each boot; return also whether some were damaged.

    If the counts of a boot are damaged, its rows that do not wait count as stored. `boots` are those of the rows.
    """
    rows = database.execute("SELECT boot, last, stored, evicted, damaged, crc FROM boot").fetchall()
    good = {row[0]: BootCount(*row[1:5]) for row in rows if compute_checksum(*row[:5]) == row[5]}
    lost = {boot: BootCount(last, last - waiting) for boot, (last, waiting) in boots.items() if boot not in good}
    return good | lost, len(good) < len(rows) or bool(lost)


def write_counts(database: sqlite3.Connection, boot: str, count: BootCount) -> None:
    """Write the counts of one boot."""
    values = (boot, count.last, count.stored, count.evicted, count.damaged)
    upsert = "INSERT OR REPLACE INTO boot(boot, last, stored, evicted, damaged, crc) VALUES(?, ?, ?, ?, ?, ?)"
    database.execute(upsert, (*values, compute_checksum(*values)))


def _has_checksum(columns: tuple[Any, ...]) -> bool:
    return columns[-1] == compute_checksum(*columns[:-1])


def _check(columns: tuple[Any, ...] | None) -> DiskRow | None:
    """Return the row, None if it is missing, if its checksum is wrong or if its values cannot be parsed."""
    if columns is None or not _has_checksum(columns):
        return None
    place, boot, seq, t_ms, put_s, gap, body, _ = columns
    with suppress(ValueError, TypeError, RecursionError):
        values: Any = json.loads(body)
        if isinstance(values, dict):
            return DiskRow(place, RowKey(boot, seq), t_ms, put_s, bool(gap), cast("dict[str, Scalar]", values))
    return None


def _was_gap(gap: Any, body: Any) -> bool:
    """Return whether a damaged row may have been a gap row."""
    if isinstance(body, str) and "Gap/" in body:
        return True
    try:
        return bool(gap) and not isinstance(json.loads(body), dict)
    except (ValueError, TypeError, RecursionError):
        return bool(gap)


def _parse_key(boot: Any, seq: Any) -> RowKey | None:
    return RowKey(boot, seq) if isinstance(boot, str) and type(seq) is int else None
