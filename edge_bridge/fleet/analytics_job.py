"""The analytics of all packs: read one after the other in a thread of their own, kept for a while.

Whoever asks gets what there is, and how many packs are still to come, so that no answer waits for ten thousand packs.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import PulseError
from edge_bridge.fleet.analytics import DAY_MS, PackDay, PackSamples, find_efficiency, sum_days

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge_bridge.fleet.store.history import History

COLUMNS: Final = ("current_a", "voltage_v", "soc", "soh")
MINUTE_MS: Final = 60_000
MAX_POINTS: Final = 10_080  # a week of minutes
FRESH_MS: Final = 300_000  # an answer is read anew after this time
KEPT: Final = 4  # spans


@dataclass(frozen=True, slots=True)
class PackAnalytics:
    """One pack over the whole span."""

    days: Sequence[PackDay]
    efficiency: float = math.nan


@dataclass
class SpanAnalytics:
    """The packs of one span that are read so far; `failed` could not be read."""

    from_ms: int
    to_ms: int
    read_ms: int
    nodes: Sequence[str]
    packs: dict[str, PackAnalytics] = field(default_factory=dict[str, PackAnalytics])
    failed: int = 0
    is_done: bool = False


class FleetAnalytics:
    """The reader; threads may share it."""

    def __init__(self, history: History, now_ms: Callable[[], int]) -> None:
        self._history, self._now_ms = history, now_ms
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._spans = dict[int, SpanAnalytics]()
        self._waiting = list[SpanAnalytics]()
        self._thread: threading.Thread | None = None

    def read(self, days: int, nodes: Sequence[str]) -> SpanAnalytics:
        """Return the analytics of the last days (UTC, today among them); reading begins or goes on."""
        now_ms = self._now_ms()
        with self._lock:
            known = self._spans.get(days)
            if known is not None and not (known.is_done and now_ms - known.read_ms > FRESH_MS):
                return known
            to_ms = (now_ms // DAY_MS + 1) * DAY_MS
            found = SpanAnalytics(to_ms - days * DAY_MS, to_ms, now_ms, nodes, dict(known.packs) if known else {})
            self._spans.pop(days, None)
            self._spans[days] = found
            while len(self._spans) > KEPT:
                self._drop(next(iter(self._spans)))
            self._waiting.append(found)
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
        if span in self._waiting:
            self._waiting.remove(span)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or self._closing.is_set():
                    self._thread = None
                    return
                span = self._waiting.pop(0)
            self._read_span(span)

    def _read_span(self, span: SpanAnalytics) -> None:
        packs = dict[str, PackAnalytics]()
        for node in span.nodes:
            if self._closing.is_set():
                return
            try:
                packs[node] = read_pack(self._history, node, span.from_ms, span.to_ms)
            except PulseError:
                span.failed += 1
                continue
            span.packs[node] = packs[node]
        span.packs, span.is_done = packs, True  # without those that are gone since the last time


def read_pack(history: History, node: str, from_ms: int, to_ms: int) -> PackAnalytics:
    """Read one pack from its history, a mean a minute or coarser; raise `PulseError`."""
    points = min((to_ms - from_ms) // MINUTE_MS, MAX_POINTS)
    found = history.read(node, COLUMNS, from_ms, to_ms, points)
    means = {name: found.columns[name].mean for name in COLUMNS}
    is_row = np.logical_or.reduce([np.isfinite(values) for values in means.values()])
    samples = PackSamples(
        found.t_ms[is_row],
        *(means[name][is_row] for name in COLUMNS),
    )
    return PackAnalytics(sum_days(samples), find_efficiency(samples))


def count_soh(values: Mapping[str, float | None], edges: Sequence[float]) -> list[int]:
    """Count packs by state of health in bins between `edges`; what lies outside belongs to the first or last bin."""
    known = np.array([value for value in values.values() if value is not None and math.isfinite(value)])
    counts, _ = np.histogram(np.clip(known, edges[0], edges[-1]), np.array(edges))
    return [int(count) for count in counts]
