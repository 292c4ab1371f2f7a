"""The metrics of a fleet's database for Prometheus, asked when they are scraped, at most every few seconds."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from drivers.clock import monotonic
from drivers.errors import StoreFailed
from edge_bridge.fleet.store.database_figures import read_database_figures

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from prometheus_client import Metric

    from edge_bridge.fleet.store.database_figures import DatabaseFigures
    from edge_bridge.fleet.store.fleet_reader import FleetReader

FRESH_S: Final = 5.0  # several scrapers cost the database one question


class DatabaseCollector(Collector):
    """Asks the database through a reader of its own, so that it never waits for the host's writer."""

    def __init__(self, reader: FleetReader, where: Path | str) -> None:
        self._reader, self._where = reader, where
        self._lock = threading.Lock()
        self._figures: DatabaseFigures | None = None
        self._due_s = 0.0

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        figures = self._read()
        yield GaugeMetricFamily("pulsebms_database_up", "1 while the database answers.", float(figures is not None))
        if figures is None:
            return
        for name, words, value in (
            ("database_size_bytes", "Size of the tables with their indexes.", figures.size),
            ("database_partitions", "Partitions of rows.", figures.partitions),
            ("database_oldest_row_timestamp_seconds", "Time of the oldest row.", _to_seconds(figures.oldest_ms)),
            ("backup_newest_timestamp_seconds", "Time of the newest backup.", _to_seconds(figures.backup_ms)),
            ("database_disk_free_bytes", "Free space of the disk with the file.", figures.disk_free),
            ("database_disk_size_bytes", "Size of the disk with the file.", figures.disk_size),
        ):
            if value is not None:
                yield GaugeMetricFamily(f"pulsebms_{name}", words, float(value))

    def _read(self) -> DatabaseFigures | None:
        with self._lock:
            if monotonic() >= self._due_s:
                try:
                    self._figures = read_database_figures(self._reader, self._where)
                except StoreFailed:
                    self._figures = None
                self._due_s = monotonic() + FRESH_S
            return self._figures


def _to_seconds(time_ms: int | None) -> float | None:
    return None if time_ms is None else time_ms / 1000.0
