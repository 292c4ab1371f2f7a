"""The analytics of all packs: what upkeep summed up by days, as one question, kept for a while.

The newest rows, which upkeep has not summed up, are read pack by pack in a thread, unless so many packs send that an
answer would take minutes: then the figures reach to the last whole hour. Whoever asks gets what there is.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import PulseError
from edge_bridge.fleet.analytics import DAY_MS, PackDay, PackSamples, sum_day
from edge_bridge.fleet.day_table import DayTable, make_table, replace_days
from edge_bridge.fleet.store.upkeep_tables import HOUR_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge_bridge.fleet.store.history import History

COLUMNS: Final = ("current_a", "voltage_v", "soc", "soh")
POINTS: Final = (DAY_MS + HOUR_MS) // MINUTE_MS
FRESH_MS: Final = 300_000  # an answer is read anew after this time
KEPT: Final = 4  # spans
MOST_READ: Final = 2_000  # days of packs that are read from their rows for one answer
SHOWN_AT_ONCE: Final = 20
NOTHING: Final = make_table(())


@dataclass
class SpanAnalytics:
    """The days of one span that are read so far, of the packs that the fleet had then."""

    from_ms: int
    to_ms: int
    read_ms: int
    table: DayTable = NOTHING
    until_ms: int = 0  # the figures reach to this time
    waiting: frozenset[str] | None = None  # packs still to be read; None: all of them
    days_waiting: int = 0  # days of packs before today that upkeep has not summed up yet, and nobody reads
    failed: set[str] = field(default_factory=set[str])
    is_done: bool = False


class FleetAnalytics:
    """The reader; threads may share it."""

    def __init__(self, history: History, now_ms: Callable[[], int]) -> None:
        self._history, self._now_ms = history, now_ms
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._spans = dict[int, SpanAnalytics]()
        self._queue = list[SpanAnalytics]()
        self._thread: threading.Thread | None = None

    def read(self, days: int) -> SpanAnalytics:
        """Return the analytics of the last days (UTC, today among them); reading begins or goes on."""
        now_ms = self._now_ms()
        with self._lock:
            known = self._spans.get(days)
            if known is not None and not (known.is_done and now_ms - known.read_ms > FRESH_MS):
                return known
            to_ms = (now_ms // DAY_MS + 1) * DAY_MS
            found = SpanAnalytics(to_ms - days * DAY_MS, to_ms, now_ms)
            if known is not None:  # shown until there is something newer
                found.table, found.until_ms, found.waiting = known.table, known.until_ms, known.waiting
            self._spans.pop(days, None)
            self._spans[days] = found
            while len(self._spans) > KEPT:
                self._drop(next(iter(self._spans)))
            self._queue.append(found)
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="fleet-analytics", daemon=True)
                self._thread.start()
        return found

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _drop(self, days: int) -> None:
        span = self._spans.pop(days)
        if span in self._queue:
            self._queue.remove(span)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._queue or self._closing.is_set():
                    self._thread = None
                    return
                span = self._queue.pop(0)
            try:
                self._read_span(span)
            except PulseError:
                with self._lock:  # the next question tries again
                    self._spans = {days: one for days, one in self._spans.items() if one is not span}

    def _read_span(self, span: SpanAnalytics) -> None:
        days = range(span.from_ms // DAY_MS, span.to_ms // DAY_MS)
        unsummed = self._history.find_unsummed(days)
        table = make_table(self._history.read_days(days))
        if len(unsummed) > MOST_READ:
            newest_ms = int(table.last_ms.max()) if len(table.last_ms) else span.from_ms + 1
            span.until_ms = min(newest_ms, span.read_ms)
            span.days_waiting = sum(day < days[-1] for day, _ in unsummed)
            unsummed = set[tuple[int, str]]()
        else:
            span.until_ms = span.read_ms
        span.table, span.waiting = table, frozenset(node for _, node in unsummed)
        self._read_unsummed(span, sorted(unsummed, key=lambda key: (key[1], key[0])))

    def _read_unsummed(self, span: SpanAnalytics, unsummed: Sequence[tuple[int, str]]) -> None:
        for first in range(0, len(unsummed), SHOWN_AT_ONCE):
            part = unsummed[first : first + SHOWN_AT_ONCE]
            found = self._read_days(span, part)
            if self._closing.is_set():
                return
            span.table = replace_days(span.table, found)
            span.waiting = frozenset(node for _, node in unsummed[first + SHOWN_AT_ONCE :])
        span.is_done = True

    def _read_days(
        self, span: SpanAnalytics, keys: Sequence[tuple[int, str]]
    ) -> Mapping[tuple[int, str], PackDay | None]:
        found = dict[tuple[int, str], PackDay | None]()
        for day, node in keys:
            if self._closing.is_set():
                break
            try:
                found[day, node] = read_day(self._history, node, day * DAY_MS)
            except PulseError:
                span.failed.add(node)
        return found


def read_day(history: History, node: str, day_ms: int) -> PackDay | None:
    """Read one day of a pack from its history, a mean a minute; raise `PulseError`."""
    found = history.read(node, COLUMNS, day_ms, day_ms + DAY_MS + HOUR_MS, POINTS)
    means = {name: found.columns[name].mean for name in COLUMNS}
    is_row = np.logical_or.reduce([np.isfinite(values) for values in means.values()])
    samples = PackSamples(found.t_ms[is_row], *(means[name][is_row] for name in COLUMNS))
    return sum_day(samples, day_ms)


def count_soh(values: Mapping[str, float | None], edges: Sequence[float]) -> list[int]:
    """Count packs by state of health in bins between `edges`; what lies outside belongs to the first or last bin."""
    known = np.array([value for value in values.values() if value is not None and math.isfinite(value)])
    counts, _ = np.histogram(np.clip(known, edges[0], edges[-1]), np.array(edges))
    return [int(count) for count in counts]
