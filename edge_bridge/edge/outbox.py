"""The outbox: it commits every row before it is sent; when the host has acknowledged the row, it is kept for a while.

Numbers order the rows, never the wall clock. A gap row names the evicted rows and is never evicted itself; it may also
name rows that the host had acknowledged before, so that holes do not split one gap row into many.
At any time `produced = stored + depth + evicted`.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from edge_bridge.edge import outbox_file
from edge_bridge.edge.kept_rows import KEEP_DAYS, KeptRows
from edge_bridge.edge.outbox_damage import describe_damage, find_holes
from edge_bridge.edge.outbox_rows import BootCount, RowTable, read_counts, write_counts
from edge_bridge.edge.pending_rows import PendingRows
from edge_bridge.edge.row import OutboxRow, PendingRow, RowKey, find_spans
from edge_bridge.edge.rows_in_flight import RowsInFlight
from edge_bridge.row_span import RowSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from edge_bridge.metrics import Scalar
    from edge_bridge.ranges import Range

RESEND_S: Final = 5.0  # without an acknowledgement; then twice as long each time
MAX_RESEND_S: Final = 10.0  # a host whose database works again is not waited for any longer
LIVE_S: Final = 2.0  # a row that is sent later than this was held back
IN_FLIGHT: Final = 1_000
EVICT_SHARE: Final = 64  # evict 1/64 of the capacity at once, so that gap rows stay few
EVICT_FULL: Final = 128


class Outbox:
    """Durable rows of this and earlier boots; times in s are of a monotonic clock, `t_ms` of the wall clock."""

    def __init__(self, path: Path, boot: str, *, capacity_rows: int = 500_000, keep_days: float = KEEP_DAYS) -> None:
        """`boot` is new at each start of the edge. Raise `Refused` while another process holds the file."""
        self.boot, self._capacity, self._keep_days = boot, capacity_rows, keep_days
        self._waiting = PendingRows()
        self._in_flight = RowsInFlight(RESEND_S, MAX_RESEND_S)
        self.disk_error = self.notice = ""
        self.notice = outbox_file.open_database(path, self._load) or self.notice
        self._reserve = outbox_file.DiskReserve(path.with_suffix(".reserve"))

    def _load(self, database: sqlite3.Connection) -> None:
        """Check the rows and counts of earlier boots; set damaged ones aside."""
        self._database, self._rows = database, RowTable(database)
        check = self._rows.check_all()
        self._counts, has_lost_counts = read_counts(self._database, check.boots)
        if self.boot in self._counts:
            raise ValueError(f"boot {self.boot} exists already; make a new random one")
        self._counts[self.boot] = BootCount()
        self._damaged = check.damaged  # places of rows that are to be set aside
        self._newest_ms = check.newest_ms  # the time of a gap row that names damaged rows
        self._on_disk = self._rows.count()
        self._kept = KeptRows(self._rows, check, self._capacity, self._keep_days)
        self._open_gap: tuple[RowKey, RowSpan] | None = None  # may grow until it is sent
        if check.damaged or check.unmarked or check.is_index_damaged or has_lost_counts:
            self._set_aside(0.0, check.unmarked)

    @property
    def depth(self) -> int:
        """Return the number of rows that the host has not acknowledged."""
        return self._on_disk + len(self._waiting)

    @property
    def in_flight(self) -> int:
        """Return the number of rows that were sent and may still be acknowledged in time."""
        return len(self._in_flight)

    @property
    def produced(self) -> int:
        return sum(count.last for count in self._counts.values()) + len(self._waiting) + self._waiting.lost

    @property
    def stored(self) -> int:
        """Return the number of rows that the host acknowledged."""
        return sum(count.stored for count in self._counts.values())

    @property
    def evicted(self) -> int:
        """Return the number of rows that gap rows name or will name."""
        return sum(count.evicted for count in self._counts.values()) + self._waiting.lost

    @property
    def damaged(self) -> int:
        """Return the number of rows that were damaged on the disk; gap rows name them, so they count as evicted."""
        return sum(count.damaged for count in self._counts.values())

    @property
    def kept(self) -> dict[str, list[Range]]:
        """Return the rows that were acknowledged and are still here: the first and the last by boot."""
        return self._kept.ranges

    @property
    def newest(self) -> int:
        """Return the highest row number of this boot, 0 before its first commit."""
        return self._counts[self.boot].last

    @property
    def boots(self) -> dict[str, int]:
        """Return the highest row number of each boot: rows 1 to this number were produced."""
        return {boot: count.last for boot, count in self._counts.items() if count.last}

    def read_oldest_ms(self) -> int | None:
        """Return the time of the oldest row on the disk that waits, None without one."""
        return self._rows.read_oldest_ms()

    def put(self, values: Mapping[str, Scalar], t_ms: int, now_s: float) -> None:
        """Queue a row; `commit` gives it a number and writes it to the disk."""
        self._waiting.add(PendingRow(t_ms, now_s, json.dumps(dict(values), allow_nan=False)))

    def commit(self, t_ms: int, now_s: float) -> None:
        """Write the queued rows. Report a disk that accepts nothing in `disk_error`; the next commit tries again."""
        self._newest_ms = t_ms
        try:
            if self._damaged:
                self._set_aside(now_s)
            if self._reserve.is_tight and outbox_file.count_free_pages(self._database) < outbox_file.FREE_PAGES:
                self._make_room(t_ms, now_s)
            while self._waiting or self._waiting.lost:
                self._write_with_room(t_ms, now_s)
            if self._on_disk > self._capacity:
                self._evict(self._on_disk - self._capacity + self._capacity // EVICT_SHARE, t_ms, now_s)
            self._drop_kept(t_ms)
        except sqlite3.Error as error:
            if not outbox_file.is_disk_full(error):
                raise
            self.disk_error = f"rows cannot be written to the disk ({error}); {len(self._waiting)} are in memory"
        else:
            self.disk_error = ""
            self._reserve.allocate()

    def expire(self, now_s: float) -> int:
        """Let rows that were not acknowledged in time be due again; return how many."""
        return self._in_flight.expire(now_s)

    def due(self, limit: int, now_s: float) -> list[OutboxRow]:
        """Return up to `limit` rows, newest first: those never sent, and those not acknowledged in time."""
        self.expire(now_s)
        limit = min(limit, IN_FLIGHT - len(self._in_flight))
        if limit <= 0 or not self._on_disk:
            return []
        while True:
            found = self._rows.list_newest(limit + len(self._in_flight) + len(self._damaged))
            hidden = set(self._damaged)
            places = [place for place, key in found if key not in self._in_flight and place not in hidden][:limit]
            rows = {place: self._rows.read(place) for place in places}
            damaged = [place for place, row in rows.items() if row is None]
            if not damaged:
                break
            self._damaged += damaged
            self._set_aside(now_s)
        return [
            OutboxRow(row.key, row.t_ms, row.values, row.key.boot == self.boot and now_s - row.put_s < LIVE_S)
            for row in rows.values()
            if row is not None
        ]

    def mark_sent(self, rows: Sequence[OutboxRow], now_s: float) -> None:
        """Mark rows as sent; without an acknowledgement they are due again in `RESEND_S`, and later each time."""
        for row in rows:
            self._in_flight.add(row.key, now_s)
            if self._open_gap is not None and self._open_gap[0] == row.key:
                self._open_gap = None

    def mark_unsent(self) -> None:
        """Make all rows in flight due now: they may be lost."""
        self._in_flight.clear()

    def acknowledge(self, boot: str, ranges: Iterable[Range]) -> int:
        """Keep the rows that the host stored as acknowledged; return how many. Ignore unknown rows and boots."""
        count = self._counts.get(boot)
        if count is None:
            return 0
        bounded = [(max(1, first), min(last, count.last)) for first, last in ranges]
        keys = [key for first, last in bounded if first <= last for key in self._rows.read_waiting(boot, first, last)]
        try:
            self._keep(dict.fromkeys(keys), replace(count, stored=count.stored + len(set(keys))), boot)
        except sqlite3.Error as error:
            if not outbox_file.is_disk_full(error):
                raise
            self._reserve.release()
            return 0  # the rows will be sent and acknowledged again
        return len(set(keys))

    def resend(self, boot: str, ranges: Iterable[Range]) -> int:
        """Let acknowledged rows wait again, up to `MAX_RESENT`; return how many. Ignore rows that are not here."""
        count = self._counts.get(boot)
        if count is None:
            return 0
        try:
            with self._transaction():
                again = self._kept.unmark(boot, ranges, count.last)
                counted = replace(count, stored=count.stored - again)
                write_counts(self._database, boot, counted)
        except sqlite3.Error as error:
            if not outbox_file.is_disk_full(error):
                raise
            return 0  # the host asks again
        self._counts[boot] = counted
        self._on_disk, self._kept.count = self._on_disk + again, self._kept.count - again
        return again

    def close(self) -> None:
        self._database.close()

    def _write_with_room(self, t_ms: int, now_s: float) -> None:
        try:
            self._write(t_ms, now_s)
        except sqlite3.Error as error:
            if not outbox_file.is_disk_full(error):
                raise
            self._reserve.release()
            outbox_file.restart_log(self._database)
            self._make_room(t_ms, now_s)
            self._write(t_ms, now_s)

    def _make_room(self, t_ms: int, now_s: float) -> None:
        """Make room on a full disk: acknowledged rows go first."""
        if self._kept.count:
            with self._transaction():
                dropped = self._kept.drop(EVICT_FULL)
            if dropped:
                return
        self._evict(EVICT_FULL, t_ms, now_s)

    def _drop_kept(self, t_ms: int) -> None:
        """Drop the kept rows that are too many or too old."""
        if self._kept.is_trim_due(self._on_disk, t_ms):
            with self._transaction():
                self._kept.trim(self._on_disk, t_ms)

    def _write(self, t_ms: int, now_s: float) -> None:
        own, lost, batch = self._counts[self.boot], self._waiting.lost, self._waiting.list_batch()
        last = own.last + lost
        with self._transaction():
            if lost:
                last += 1
                span = RowSpan(self.boot, own.last + 1, own.last + lost)
                self._insert_gap(last, t_ms, now_s, span)
            for row in batch:
                last += 1
                self._rows.insert(RowKey(self.boot, last), row.t_ms, row.put_s, row.body, gap=False)
            counted = replace(own, last=last, evicted=own.evicted + lost)
            write_counts(self._database, self.boot, counted)
        self._counts[self.boot] = counted
        self._on_disk += len(batch) + bool(lost)
        self._waiting.remove(len(batch))

    def _evict(self, most: int, t_ms: int, now_s: float) -> None:
        """Delete the oldest raw rows and name them in gap rows, all in one transaction."""
        keys, damaged = self._rows.read_oldest_raw(most)
        if damaged:
            self._damaged += damaged
            self._set_aside(now_s)
        counts, before = dict(self._counts), self._on_disk
        gap: tuple[RowKey, RowSpan] | None = self._open_gap
        with self._transaction():
            for span in find_spans(keys):
                counts[span.boot] = replace(counts[span.boot], evicted=counts[span.boot].evicted + span.count)
                self._rows.delete(span)
                before -= span.count
                grown = None if gap is None else self._rows.join(gap[1], span)
                if gap is not None and grown is not None:
                    gap = (gap[0], grown)
                    self._rows.rewrite_gap(*gap)
                else:
                    own = counts[self.boot]
                    counts[self.boot] = replace(own, last=own.last + 1)
                    gap = (RowKey(self.boot, own.last + 1), span)
                    self._insert_gap(own.last + 1, t_ms, now_s, span)
                    before += 1
            for boot, count in counts.items():
                if count != self._counts[boot]:
                    write_counts(self._database, boot, count)
        self._counts, self._open_gap, self._on_disk = counts, gap, before
        self._in_flight.remove(keys)

    def _keep(self, keys: Iterable[RowKey], counted: BootCount, boot: str) -> None:
        """Mark acknowledged rows, or delete them if none are to be kept, and write the counts."""
        gone = list(keys)
        if not gone:
            return
        with self._transaction():
            self._kept.mark(find_spans(gone))
            write_counts(self._database, boot, counted)
        self._kept.add(gone)
        self._counts[boot] = counted
        self._on_disk -= len(gone)
        self._in_flight.remove(gone)
        if self._open_gap is not None and self._open_gap[0] in gone:
            self._open_gap = None

    def _set_aside(self, now_s: float, unmarked: Mapping[int, str] | None = None) -> None:
        """Set damaged rows aside and name them in gap rows, in one transaction; a full disk delays it.

        Rows that are `unmarked`, by place and with their boot, wait again. What is stored follows from what is here.
        """
        counts, spans = dict(self._counts), list[RowSpan]()
        try:
            with self._transaction():
                found = self._rows.set_aside(self._damaged)
                lost = [row for row in found if not row.is_kept]  # the host has the others
                keys = [row.key for row in lost if row.key is not None and self._is_produced(row.key)]
                for boot in [key.boot for key in keys] + [self.boot] * (len(lost) - len(keys)):
                    count = counts[boot]
                    counts[boot] = replace(count, evicted=count.evicted + 1, damaged=count.damaged + 1)
                spans = find_spans(keys)
                if any(row.is_gap for row in lost):  # what it named is not known: name all that does not wait
                    spans += find_holes(self._rows, counts, spans)
                for span in spans:
                    own = counts[self.boot]
                    counts[self.boot] = replace(own, last=own.last + 1)
                    self._insert_gap(own.last + 1, self._newest_ms, now_s, span)
                self._rows.unmark(unmarked or {})
                for boot in {*(unmarked or {}).values(), *(key.boot for key in keys)}:
                    count = counts[boot]
                    stored = max(0, count.last - count.evicted - self._rows.count_waiting(boot))
                    counts[boot] = replace(count, stored=stored)
                self._database.execute("DELETE FROM boot")  # a damaged one among them cannot be found by its name
                for boot, count in counts.items():
                    write_counts(self._database, boot, count)
        except sqlite3.Error as error:
            if not outbox_file.is_disk_full(error):
                raise
            return
        self._counts, self._damaged, self._open_gap = counts, [], None
        self._on_disk, self._kept.count = self._rows.count(), self._rows.count_kept()
        self.notice = describe_damage(lost)

    def _is_produced(self, key: RowKey) -> bool:
        return key.boot in self._counts and 1 <= key.seq <= self._counts[key.boot].last

    def _insert_gap(self, seq: int, t_ms: int, put_s: float, span: RowSpan) -> None:
        self._rows.insert(RowKey(self.boot, seq), t_ms, put_s, json.dumps(span.values), gap=True)

    def _transaction(self) -> AbstractContextManager[None]:
        return outbox_file.begin(self._database)
