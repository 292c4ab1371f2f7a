"""The metrics of an edge: what its loop noted last, and the size of its outbox when it is scraped."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from edge_bridge.edge.metrics_export import EdgeFigures, EdgeMetrics
from edge_bridge.edge.outbox import Outbox
from tests.edge_bridge.edge.rows import BOOT

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = EdgeFigures(
    produced=100,
    stored=60,
    depth=40,
    evicted=3,
    capacity=1000,
    oldest_s=None,
    is_link_up=False,
    outage_s=1.5,
    verdict="held",
    late_s=0.25,
    has_disk_error=True,
)


def read(metrics: EdgeMetrics) -> dict[str, float]:
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    return {
        one.name + "".join(f",{value}" for name, value in one.labels.items() if name != "node"): one.value
        for family in families
        for one in family.samples
    }


def test_before_its_first_turn_an_edge_tells_nothing_but_its_version(tmp_path: Path) -> None:
    found = read(EdgeMetrics("pack-1", tmp_path / "o.sqlite"))
    assert not [name for name in found if name.startswith("pulsebms_edge")]
    assert any(name.startswith("pulsebms_build_info") for name in found)


def test_the_page_has_the_newest_figures_and_the_size_of_the_outbox(tmp_path: Path) -> None:
    metrics = EdgeMetrics("pack-1", tmp_path / "o.sqlite")
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        assert outbox.read_oldest_ms() is None
        for number in range(1, 21):
            outbox.put({"Pack/Current": 1.0}, 1000 * number, 0.0)
        outbox.commit(0, 0.0)
        assert outbox.read_oldest_ms() == 1000
        outbox.acknowledge(BOOT, [(1, 7)])
        assert outbox.read_oldest_ms() == 8000  # the acknowledged rows are kept, but wait no more
        metrics.figures = FIGURES
        found = read(metrics)
        assert found["pulsebms_edge_outbox_bytes"] > 4096
    assert (found["pulsebms_edge_rows_produced_total"], found["pulsebms_edge_rows_evicted_total"]) == (100, 3)
    assert (found["pulsebms_edge_outbox_rows"], found["pulsebms_edge_outbox_capacity_rows"]) == (40, 1000)
    assert (found["pulsebms_edge_link_up"], found["pulsebms_edge_broker_outage_seconds"]) == (0, 1.5)
    assert (found["pulsebms_edge_disk_error"], found["pulsebms_edge_loop_lateness_seconds"]) == (1, 0.25)
    verdicts = [found[f"pulsebms_edge_gate_verdict,{name}"] for name in ("allowed", "held", "tripped")]
    assert verdicts == [0, 1, 0]
    assert "pulsebms_edge_oldest_waiting_row_timestamp_seconds" not in found
    metrics.figures = replace(FIGURES, oldest_s=12.5, is_link_up=True)
    assert read(metrics)["pulsebms_edge_oldest_waiting_row_timestamp_seconds"] == 12.5
