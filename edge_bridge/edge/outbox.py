"""The outbox: it commits every row before it is sent, and deletes the row when the host has acknowledged it.

Numbers order the rows, never the wall clock. A gap row names the evicted rows and is never evicted itself; it may also
name rows that the host had acknowledged before, so that holes do not split one gap row into many.
At any time `produced = stored + depth + evicted`.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

from edge_bridge.edge import outbox_file
from edge_bridge.edge.row import OutboxRow, RowKey, find_spans
from edge_bridge.metrics import VERDICT_REASON, Scalar
from edge_bridge.row_span import RowSpan

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence
    from pathlib import Path

    from edge_bridge.ranges import Range

RESEND_S: Final = 5.0
LIVE_S: Final = 2.0  # a row that is sent later than this was held back
IN_FLIGHT: Final = 1_000
WAITING: Final = 10_000  # rows kept in memory while the disk accepts none
EVICT_SHARE: Final = 64  # evict 1/64 of the capacity at once, so that gap rows stay few
EVICT_FULL: Final = 128
BATCH: Final = 200  # rows of one transaction


@dataclass(frozen=True, slots=True)
class _PendingRow:
    """A row without a number; the commit gives it one."""

    t_ms: int
    put_s: float
    body: str


@dataclass(frozen=True, slots=True)
class _Count:
    """Row counts of one boot: the last number given, rows acknowledged, rows named in gaps."""

    last: int = 0
    stored: int = 0
    evicted: int = 0


class Outbox:
    """Durable rows of this and earlier boots; times in s are of a monotonic clock, `t_ms` of the wall clock."""

    def __init__(self, path: Path, boot: str, *, capacity_rows: int = 500_000) -> None:
        """`boot` is new at each start of the edge. Raise `Refused` while another process holds the file."""
        self.boot, self._capacity = boot, capacity_rows
        self._database, self.notice = outbox_file.open_database(path)
        self._reserve = outbox_file.DiskReserve(path.with_suffix(".reserve"))
        rows = self._database.execute("SELECT boot, last, stored, evicted FROM boot")
        self._counts = {name: _Count(*numbers) for name, *numbers in rows}
        if boot in self._counts:
            raise ValueError(f"boot {boot} exists already; make a new random one")
        self._counts[boot] = _Count()
        (self._on_disk,) = self._database.execute("SELECT count(*) FROM row").fetchone()
        self._waiting: deque[_PendingRow] = deque()
        self._lost = 0  # rows that neither disk nor memory could keep, not yet named in a gap
        self._resend_at_s: dict[RowKey, float] = {}  # of each row in flight
        self._open_gap: tuple[RowKey, RowSpan] | None = None  # may grow until it is sent
        self.disk_error = ""

    @property
    def depth(self) -> int:
        """Return the number of rows that the host has not acknowledged."""
        return self._on_disk + len(self._waiting)

    @property
    def produced(self) -> int:
        return sum(count.last for count in self._counts.values()) + len(self._waiting) + self._lost

    @property
    def stored(self) -> int:
        """Return the number of rows that the host acknowledged."""
        return sum(count.stored for count in self._counts.values())

    @property
    def evicted(self) -> int:
        """Return the number of rows that gap rows name or will name."""
        return sum(count.evicted for count in self._counts.values()) + self._lost

    @property
    def newest(self) -> int:
        """Return the highest row number of this boot, 0 before its first commit."""
        return self._counts[self.boot].last

    @property
    def boots(self) -> dict[str, int]:
        """Return the highest row number of each boot: rows 1 to this number were produced."""
        return {boot: count.last for boot, count in self._counts.items() if count.last}

    def put(self, values: Mapping[str, Scalar], t_ms: int, now_s: float) -> None:
        """Queue a row; `commit` gives it a number and writes it to the disk."""
        self._waiting.append(_PendingRow(t_ms, now_s, json.dumps(dict(values), allow_nan=False)))
        if len(self._waiting) > WAITING:
            self._waiting.popleft()
            self._lost += 1

    def commit(self, t_ms: int, now_s: float) -> None:
        """Write the queued rows. Report a disk that accepts nothing in `disk_error`; the next commit tries again."""
        try:
            if self._reserve.is_tight and self._free_pages < outbox_file.FREE_PAGES:
                self._evict(EVICT_FULL, t_ms, now_s)
            while self._waiting or self._lost:
                self._write_with_room(t_ms, now_s)
            if self._on_disk > self._capacity:
                self._evict(self._on_disk - self._capacity + self._capacity // EVICT_SHARE, t_ms, now_s)
        except sqlite3.Error as error:
            if not outbox_file.is_disk_full(error):
                raise
            self.disk_error = f"rows cannot be written to the disk ({error}); {len(self._waiting)} are in memory"
        else:
            self.disk_error = ""
            self._reserve.allocate()

    def due(self, limit: int, now_s: float) -> list[OutboxRow]:
        """Return up to `limit` rows, newest first: those never sent, and those not acknowledged in time."""
        self._resend_at_s = {key: again_s for key, again_s in self._resend_at_s.items() if again_s > now_s}
        in_flight = len(self._resend_at_s)
        limit = min(limit, IN_FLIGHT - in_flight)
        if limit <= 0 or not self._on_disk:
            return []
        newest = "SELECT place, boot, seq FROM row ORDER BY place DESC LIMIT ?"
        found = self._database.execute(newest, (limit + in_flight,)).fetchall()
        places = [place for place, boot, seq in found if RowKey(boot, seq) not in self._resend_at_s]
        return [self._read_row(place, now_s) for place in places[:limit]]

    def mark_sent(self, rows: Sequence[OutboxRow], now_s: float) -> None:
        """Mark rows as sent; without an acknowledgement they are due again in `RESEND_S`."""
        for row in rows:
            self._resend_at_s[row.key] = now_s + RESEND_S
            if self._open_gap is not None and self._open_gap[0] == row.key:
                self._open_gap = None

    def mark_unsent(self) -> None:
        """Make all rows in flight due now: they may be lost."""
        self._resend_at_s.clear()

    def acknowledge(self, boot: str, ranges: Iterable[Range]) -> int:
        """Delete the rows that the host stored; return how many. Ignore unknown rows and boots."""
        count = self._counts.get(boot)
        if count is None:
            return 0
        bounded = [(max(1, first), min(last, count.last)) for first, last in ranges]
        keys = [key for first, last in bounded if first <= last for key in self._read_keys(boot, first, last)]
        try:
            self._delete(dict.fromkeys(keys), replace(count, stored=count.stored + len(set(keys))), boot)
        except sqlite3.Error as error:
            if not outbox_file.is_disk_full(error):
                raise
            self._reserve.release()
            return 0  # the rows will be sent and acknowledged again
        return len(set(keys))

    def close(self) -> None:
        self._database.close()

    def _write_with_room(self, t_ms: int, now_s: float) -> None:
        try:
            self._write(t_ms, now_s)
        except sqlite3.Error as error:
            if not outbox_file.is_disk_full(error):
                raise
            self._reserve.release()
            self._restart_log()
            self._evict(EVICT_FULL, t_ms, now_s)
            self._write(t_ms, now_s)

    @property
    def _free_pages(self) -> int:
        """Return the number of free pages in the file."""
        (free,) = self._database.execute("PRAGMA freelist_count").fetchone()
        return free

    def _restart_log(self) -> None:
        """Write the write-ahead log into the database, so that the log starts again in the space that it has."""
        with suppress(sqlite3.OperationalError):
            self._database.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()

    def _write(self, t_ms: int, now_s: float) -> None:
        own, lost, batch = self._counts[self.boot], self._lost, list(islice(self._waiting, BATCH))
        last = own.last + lost
        with self._transaction():
            if lost:
                last += 1
                span = RowSpan(self.boot, own.last + 1, own.last + lost)
                self._insert(last, t_ms, now_s, json.dumps(span.values), gap=True)
            for row in batch:
                last += 1
                self._insert(last, row.t_ms, row.put_s, row.body, gap=False)
            counted = _Count(last, own.stored, own.evicted + lost)
            self._write_counts(self.boot, counted)
        self._counts[self.boot] = counted
        self._on_disk += len(batch) + bool(lost)
        for _ in batch:
            self._waiting.popleft()
        self._lost = 0

    def _evict(self, most: int, t_ms: int, now_s: float) -> None:
        """Delete the oldest raw rows and name them in gap rows, all in one transaction."""
        oldest = "SELECT boot, seq FROM row WHERE gap = 0 ORDER BY place LIMIT ?"
        keys = [RowKey(*found) for found in self._database.execute(oldest, (most,))]
        counts, before = dict(self._counts), self._on_disk
        gap: tuple[RowKey, RowSpan] | None = self._open_gap
        with self._transaction():
            for span in find_spans(keys):
                counts[span.boot] = replace(counts[span.boot], evicted=counts[span.boot].evicted + span.count)
                self._database.execute(
                    "DELETE FROM row WHERE boot = ? AND seq BETWEEN ? AND ?", (span.boot, span.first, span.last)
                )
                before -= span.count
                grown = None if gap is None else self._join(gap[1], span)
                if gap is not None and grown is not None:
                    gap = (gap[0], grown)
                    body = (json.dumps(grown.values), gap[0].boot, gap[0].seq)
                    self._database.execute("UPDATE row SET body = ? WHERE boot = ? AND seq = ?", body)
                else:
                    own = counts[self.boot]
                    counts[self.boot] = replace(own, last=own.last + 1)
                    gap = (RowKey(self.boot, own.last + 1), span)
                    self._insert(own.last + 1, t_ms, now_s, json.dumps(span.values), gap=True)
                    before += 1
            for boot, count in counts.items():
                if count != self._counts[boot]:
                    self._write_counts(boot, count)
        self._counts, self._open_gap, self._on_disk = counts, gap, before
        for key in keys:
            self._resend_at_s.pop(key, None)

    def _join(self, named: RowSpan, span: RowSpan) -> RowSpan | None:
        """Return both spans as one, None if a row waits between; a gap may name rows that the host has stored."""
        if named.boot != span.boot or self._read_keys(span.boot, named.last + 1, span.first - 1):
            return None
        return RowSpan(span.boot, named.first, span.last)

    def _delete(self, keys: Iterable[RowKey], counted: _Count, boot: str) -> None:
        """Delete acknowledged rows and write the counts."""
        gone = list(keys)
        if not gone:
            return
        with self._transaction():
            for span in find_spans(gone):
                self._database.execute(
                    "DELETE FROM row WHERE boot = ? AND seq BETWEEN ? AND ?", (boot, span.first, span.last)
                )
            self._write_counts(boot, counted)
        self._counts[boot] = counted
        self._on_disk -= len(gone)
        for key in gone:
            self._resend_at_s.pop(key, None)
            if self._open_gap is not None and self._open_gap[0] == key:
                self._open_gap = None

    def _read_keys(self, boot: str, first: int, last: int) -> list[RowKey]:
        select = "SELECT seq FROM row WHERE boot = ? AND seq BETWEEN ? AND ?"
        return [RowKey(boot, seq) for (seq,) in self._database.execute(select, (boot, first, last))]

    def _insert(self, seq: int, t_ms: int, put_s: float, body: str, *, gap: bool) -> None:
        insert = "INSERT INTO row(boot, seq, t_ms, put_s, gap, body) VALUES(?, ?, ?, ?, ?, ?)"
        self._database.execute(insert, (self.boot, seq, t_ms, put_s, gap, body))

    def _write_counts(self, boot: str, count: _Count) -> None:
        upsert = "INSERT OR REPLACE INTO boot(boot, last, stored, evicted) VALUES(?, ?, ?, ?)"
        self._database.execute(upsert, (boot, count.last, count.stored, count.evicted))

    def _read_row(self, place: int, now_s: float) -> OutboxRow:
        select = "SELECT boot, seq, t_ms, put_s, body FROM row WHERE place = ?"
        boot, seq, t_ms, put_s, body = self._database.execute(select, (place,)).fetchone()
        values = self._parse_values(body, boot, seq)
        live = boot == self.boot and now_s - put_s < LIVE_S
        return OutboxRow(RowKey(boot, seq), t_ms, values, live)

    def _parse_values(self, body: Any, boot: str, seq: int) -> dict[str, Any]:
        """Return a row's values; a row damaged on disk keeps its number and has only a reason."""
        with suppress(ValueError, TypeError, RecursionError):
            values: Any = json.loads(body)
            if isinstance(values, dict):
                return cast("dict[str, Any]", values)
        self.notice = f"row {seq} of boot {boot} in the outbox cannot be read; it is sent without values"
        return {VERDICT_REASON: "the outbox could not read this row"}

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # a full disk may have rolled it back already
                self._database.execute("ROLLBACK")
            raise
