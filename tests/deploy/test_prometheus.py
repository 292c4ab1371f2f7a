"""The alerts and the board of `deploy/`, on promtool and on a real Prometheus that scrapes a real host."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edge_bridge.edge.metrics_export import EdgeFigures, EdgeMetrics
from edge_bridge.fleet.backup.run_backup import make_backup
from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.process import FleetHost
from edge_bridge.metrics_server import serve_metrics
from edge_bridge.mqtt import MqttLink
from edge_bridge.mqtt_events import LinkUp
from fixtures.broker import start_broker
from tests.edge_bridge.fleet.livepack import LivePack
from tests.edge_bridge.fleet.pack import Pack
from tests.prometheus import HOST, find_free_port, serve_prometheus
from tests.waiting import wait_until
from workbench.compose.fleet_measurement import FleetMeasurement

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
BOARD = json.loads((DEPLOY / "grafana" / "fleet.json").read_text(encoding="utf-8"))
FIGURES = EdgeFigures(
    produced=100,
    stored=60,
    depth=40,
    evicted=0,
    capacity=1000,
    oldest_s=1.8e9,
    is_link_up=True,
    outage_s=1.0,
    verdict="allowed",
    late_s=0.01,
    has_disk_error=False,
)


def promtool(*words: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: apt install prometheus)")
    ended = subprocess.run([program, *words], cwd=ALERTS.parent, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_rules_have_the_right_form_and_do_what_they_say() -> None:
    promtool("check", "rules", ALERTS.name)
    promtool("test", "rules", "alerts_test.yml")


def test_the_configuration_is_one_that_prometheus_reads() -> None:
    promtool("check", "config", "prometheus.yml")


def test_every_alert_has_a_unit_test() -> None:
    tests = (ALERTS.parent / "alerts_test.yml").read_text(encoding="utf-8")
    names = [
        line.split(":")[1].strip() for line in ALERTS.read_text(encoding="utf-8").splitlines() if "- alert:" in line
    ]
    assert len(names) > 10
    assert [name for name in names if f"alertname: {name}\n" not in tests] == []


def expressions() -> Iterator[str]:
    panels: list[Any] = BOARD["panels"]
    for panel in panels:
        yield from (target["expr"] for target in panel.get("targets", ()))


@contextmanager
def serve_host(url: str, db: Path, measured: FleetMeasurement) -> Generator[None]:
    """A host in a thread of its own, which SQLite wants for all that it does."""
    stop, has_begun = threading.Event(), threading.Event()

    def run() -> None:
        with closing(FleetHost(url, db, read_clocks, meter=measured.meter)) as fleet:
            has_begun.set()
            while not stop.is_set():
                fleet.turn(0.05)

    thread = threading.Thread(target=run, name="fleet of a test")
    thread.start()
    try:
        assert has_begun.wait(60.0)
        yield
    finally:
        stop.set()
        thread.join()


def ignore(done: int, total: int) -> None:
    """Nobody reads the progress here."""


@pytest.mark.live
def test_a_real_prometheus_sees_a_host_and_an_edge_and_fires_alerts_as_their_state_changes(tmp_path: Path) -> None:
    """Two alerts without a delay: those with one are promtool's."""
    db, edge = tmp_path / "fleet.db", EdgeMetrics("pack-9", tmp_path / "outbox.sqlite")
    edge.figures = FIGURES
    measured = FleetMeasurement.make("", f"{HOST}:{find_free_port()}")
    with ExitStack() as held:
        broker = start_broker(tmp_path / "broker")
        held.callback(broker.stop)
        held.enter_context(serve_host(broker.url, db, measured))
        (line,) = measured.open(held, db)
        edge_url = held.enter_context(serve_metrics(edge.registry, (HOST, find_free_port())))
        jobs = {name: url.split("/")[2] for name, url in (("fleet", line.split()[1]), ("edge", edge_url))}
        pack = held.enter_context(closing(LivePack(broker.url)))
        stranger = held.enter_context(closing(MqttLink(broker.url, "stranger")))
        wait_until(lambda: any(isinstance(event, LinkUp) for event in stranger.poll()), 60.0, "the stranger")
        assert stranger.publish(Pack("stranger").row(1))  # is refused, and a birth is asked for
        prometheus = held.enter_context(serve_prometheus(tmp_path, ALERTS, jobs))
        wait_until(lambda: prometheus.query("up") == [1.0, 1.0], 60.0, "both are up", every_s=0.1)

        pack.produce(30)
        wait_until(lambda: prometheus.query("pulsebms_fleet_rows_stored_total") == [30.0], 60.0, "rows", every_s=0.1)
        assert prometheus.list_firing() == set()
        edge.figures = replace(FIGURES, verdict="tripped")
        make_backup(db, tmp_path / "x.backup", datetime.now(UTC) - timedelta(hours=27), ignore, pytest.fail)
        fired = {"EdgeTripped", "FleetBackupOld"}
        wait_until(lambda: prometheus.list_firing() == fired, 60.0, "both alerts fire", every_s=0.1)
        make_backup(db, tmp_path / "x.backup", datetime.now(UTC), ignore, pytest.fail)
        wait_until(lambda: prometheus.list_firing() == {"EdgeTripped"}, 60.0, "one is over", every_s=0.1)

        asked = list(expressions())
        assert len(asked) > 30
        for one in asked:
            wait_until(lambda one=one: prometheus.query(one), 30.0, f"data of {one}", every_s=0.2)


def test_the_panels_of_the_board_do_not_overlap() -> None:
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    cells = [
        (x, y)
        for one in places
        for x in range(one["x"], one["x"] + one["w"])
        for y in range(one["y"], one["y"] + one["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
