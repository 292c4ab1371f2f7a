"""The metrics of an edge for Prometheus; its loop notes its figures, the scraper's thread reads the newest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from drivers.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from prometheus_client import Metric

VERDICTS: Final = ("allowed", "held", "tripped")


@dataclass(frozen=True, slots=True)
class EdgeFigures:
    """An edge at one instant; `oldest_s` is the time of the oldest row that waits, `late_s` the latest turn's."""

    produced: int
    stored: int
    depth: int
    evicted: int
    capacity: int
    oldest_s: float | None
    is_link_up: bool
    outage_s: float
    verdict: str
    late_s: float
    has_disk_error: bool


class EdgeMetrics(Collector):
    """The figures of one edge in `registry`; nothing before the first turn."""

    def __init__(self, node: str, outbox: Path) -> None:
        self._node, self._outbox = node, outbox
        self.figures: EdgeFigures | None = None
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(self)

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        build = InfoMetricFamily("pulsebms_build", "Version of the program.", labels=["node"])
        build.add_metric([self._node], {"version": VERSION})
        yield build
        figures = self.figures
        if figures is None:
            return
        for name, words, count in (
            ("rows_produced", "Rows that were produced.", figures.produced),
            ("rows_stored", "Rows that the fleet acknowledged.", figures.stored),
            ("rows_evicted", "Rows that a full outbox evicted.", figures.evicted),
        ):
            counter = CounterMetricFamily(f"pulsebms_edge_{name}", words, labels=["node"])
            counter.add_metric([self._node], count)
            yield counter
        for name, words, value in (
            ("outbox_rows", "Rows that wait for an acknowledgement.", figures.depth),
            ("outbox_capacity_rows", "Rows that the outbox can hold.", figures.capacity),
            ("outbox_bytes", "Size of the outbox on the disk.", self._measure_outbox()),
            ("oldest_waiting_row_timestamp_seconds", "Time of the oldest row that waits.", figures.oldest_s),
            ("link_up", "1 while the edge is connected to the broker.", figures.is_link_up),
            ("broker_outage_seconds", "Time without a broker since the start.", figures.outage_s),
            ("loop_lateness_seconds", "The latest turn of the last second.", figures.late_s),
            ("disk_error", "1 while the disk accepts no rows.", figures.has_disk_error),
        ):
            if value is not None:
                gauge = GaugeMetricFamily(f"pulsebms_edge_{name}", words, labels=["node"])
                gauge.add_metric([self._node], float(value))
                yield gauge
        yield self._describe_verdict(figures.verdict)

    def _describe_verdict(self, verdict: str) -> Metric:
        gauge = GaugeMetricFamily("pulsebms_edge_gate_verdict", "1 for the gate's verdict.", labels=["node", "verdict"])
        for name in VERDICTS:
            gauge.add_metric([self._node, name], float(name == verdict))
        return gauge

    def _measure_outbox(self) -> int:
        files = (self._outbox.with_name(self._outbox.name + ending) for ending in ("", "-wal", "-shm"))
        return sum(file.stat().st_size for file in files if file.exists())
