"""The metrics of a fleet host for Prometheus. A counter changes once a turn or a commit, never once a message."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector

from drivers.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.meter import FleetFigures
    from edge_bridge.fleet.store.records import CommitResult

BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
disable_created_metrics()  # a series for the start of each counter, which nobody reads
_PREFIX: Final = "pulsebms_fleet_"


class HostMetrics:
    """A `FleetMeter` whose `registry` a scraper reads from another thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Info("pulsebms_build", "Version of the program.", registry=self.registry).info({"version": VERSION})
        self._received = self._make_counter("rows_received", "Rows that were received and decoded.")
        self._stored = self._make_counter("rows_stored", "Rows that were stored for the first time.")
        self._duplicates = self._make_counter("rows_duplicate", "Rows that came again and were stored before.")
        self._conflicts = self._make_counter("rows_conflict", "Rows that came again with other values.")
        self._refused = self._make_counter("messages_refused", "Messages that were refused, by reason.", "reason")
        self._flagged = self._make_counter("messages_flagged", "Events that need a look, by reason.", "reason")
        self._by_kind = {"refused": self._refused, "flagged": self._flagged}
        self._failed = self._make_counter("commit_failures", "Commits that the database did not accept.")
        self._seconds = Histogram(
            f"{_PREFIX}commit_seconds",
            "Time of a commit until the database had it on its disk.",
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._last_commit = self._make_gauge("last_commit_timestamp_seconds", "Time of the last commit with rows.")
        self._known = self._make_gauge("devices_known", "Devices that have sent a birth.")
        self._online = self._make_gauge("devices_online", "Devices with a running session.")
        self._broker = self._make_gauge("broker_up", "1 while the host is connected to its broker.")
        self._active = self._make_gauge("active", "1 while the host is online with its own id.")
        self._outage = self._make_gauge("broker_outage_seconds", "Time without a broker since the start.")
        self._queued = self._make_gauge("queue_messages", "Messages received and not yet handled.")
        self._queued_bytes = self._make_gauge("queue_bytes", "Size of these messages.")
        self._shards = self._make_gauge("shards_held", "Shards that the host holds; 0 without --shard.")
        self._lease_changes = self._make_counter("lease_changes", "Shards that the host got or lost.")
        self._failed_before = 0

    def count_batch(self, rows: int, counts: Mapping[tuple[str, str], int]) -> None:
        if rows:
            self._received.inc(rows)
        for (kind, reason), count in counts.items():
            self._by_kind[kind].labels(reason).inc(count)

    def count_commit(self, duration_s: float, stored: CommitResult) -> None:
        self._seconds.observe(duration_s)
        self._stored.inc(stored.new)
        self._duplicates.inc(stored.duplicates)
        self._conflicts.inc(stored.conflicts)
        if stored.kept:
            self._last_commit.set(_read_unix_s())

    def count_shards(self, held: int, changes: int) -> None:
        self._shards.set(held)
        self._lease_changes.inc(changes)

    def note_figures(self, figures: FleetFigures) -> None:
        self._known.set(figures.devices_known)
        self._online.set(figures.devices_online)
        self._broker.set(figures.has_broker)
        self._active.set(figures.is_online)
        self._outage.set(figures.outage_s)
        self._queued.set(figures.queued)
        self._queued_bytes.set(figures.queued_bytes)
        self._failed.inc(figures.failed_commits - self._failed_before)
        self._failed_before = figures.failed_commits

    def _make_counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(_PREFIX + name, words, labels, registry=self.registry)

    def _make_gauge(self, name: str, words: str) -> Gauge:
        return Gauge(_PREFIX + name, words, registry=self.registry)


def _read_unix_s() -> float:
    return time.time_ns() / 1e9
