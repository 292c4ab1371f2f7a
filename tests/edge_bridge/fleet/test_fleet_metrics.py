"""The metrics of a fleet host and its database, from a real host over a real broker."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from drivers.errors import StoreFailed, Usage
from edge_bridge.fleet.api.metrics_route import make_metrics_router
from edge_bridge.fleet.backup.run_backup import make_backup
from edge_bridge.fleet.certificate_metrics import CertificateCollector
from edge_bridge.fleet.database_metrics import DatabaseCollector
from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.meter import FleetFigures
from edge_bridge.fleet.metrics_export import HostMetrics
from edge_bridge.fleet.process import FleetHost
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.identity.identity_folder import open_identity
from edge_bridge.identity.initial_setup import set_up
from edge_bridge.metrics_server import parse_metrics_address, serve_metrics
from fixtures.broker import start_broker
from tests.edge_bridge.fleet.api.served import serve_desk
from tests.edge_bridge.fleet.livepack import LivePack
from tests.edge_bridge.fleet.pack import Desk, Pack
from tests.waiting import wait_until
from workbench.compose.fleet_measurement import FleetMeasurement

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from fixtures.broker import Broker
    from tests.postgres import PostgresServer

pytestmark = pytest.mark.live


@pytest.fixture
def broker(tmp_path: Path) -> Generator[Broker]:
    made = start_broker(tmp_path / "broker")
    yield made
    made.stop()


def ignore(done: int, total: int) -> None:
    """Nobody reads the progress here."""


def free_port() -> int:
    for port in range(10_000, 12_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def scrape(url: str) -> dict[str, float]:
    """Samples by name, and by name and labels where there are some."""
    with urlopen(url) as answer:  # noqa: S310  # the page that was just opened
        return read(answer.read().decode())


def read(text: str) -> dict[str, float]:
    return {
        one.name + "".join(f",{value}" for value in one.labels.values()): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def run_until(fleet: FleetHost, holds: Callable[[], bool], what: str) -> None:
    def look() -> bool:
        fleet.turn(0.01)
        return holds()

    wait_until(look, 60.0, what)


def test_what_a_host_did_is_on_its_page(broker: Broker, tmp_path: Path) -> None:
    measured = FleetMeasurement.make("", f"127.0.0.1:{free_port()}")
    assert measured.meter is not None
    db = tmp_path / "fleet.db"
    with (
        closing(FleetHost(broker.url, db, read_clocks, meter=measured.meter)) as fleet,
        closing(LivePack(broker.url)) as pack,
        ExitStack() as serving,
    ):
        (line,) = measured.open(serving, db)
        url = line.removeprefix("metrics  ")
        run_until(fleet, lambda: fleet.view().connected and bool(fleet.view().nodes), "the birth of the pack")
        pack.produce(40)
        run_until(fleet, lambda: not pack.outbox, "all rows acknowledged")
        run_until(fleet, lambda: scrape(url).get("pulsebms_fleet_devices_online") == 1.0, "the pack on the page")
        found = scrape(url)
        assert found["pulsebms_fleet_rows_stored_total"] == 40
        again = found["pulsebms_fleet_rows_duplicate_total"]
        assert found["pulsebms_fleet_rows_received_total"] == 40 + again
        assert found["pulsebms_fleet_commit_seconds_count"] >= 1
        assert found["pulsebms_fleet_commit_seconds_sum"] > 0
        assert abs(found["pulsebms_fleet_last_commit_timestamp_seconds"] - datetime.now(UTC).timestamp()) < 600
        assert (found["pulsebms_fleet_broker_up"], found["pulsebms_fleet_active"]) == (1, 1)
        assert (found["pulsebms_database_up"], found["pulsebms_database_partitions"]) == (1, 1)
        assert found["pulsebms_database_size_bytes"] > 4096
        assert "pulsebms_backup_newest_timestamp_seconds" not in found
        broker.kill()
        run_until(fleet, lambda: scrape(url)["pulsebms_fleet_broker_up"] == 0.0, "the lost broker on the page")
        run_until(fleet, lambda: scrape(url)["pulsebms_fleet_broker_outage_seconds"] > 0.0, "the outage")
        assert scrape(url)["pulsebms_fleet_devices_online"] == 0
        broker.restart()


def test_refusals_are_counted_by_reason_and_once(tmp_path: Path) -> None:
    metrics, pack = HostMetrics(), Pack()
    with closing(Desk(tmp_path / "fleet.db")) as desk:
        for messages in ([pack.row(1)], [pack.birth(), pack.row(1), pack.row(1)]):
            for message in messages:
                desk.host.handle_message(message, desk.now, 0)
            batch, _ = desk.host.drain()
            metrics.count_batch(len(batch.rows), batch.counts)
            metrics.count_commit(0.02, desk.store.commit(batch))
    figures = FleetFigures(2, 1, True, True, 0.5, 7, 700, 3)  # noqa: FBT003  # figures by place
    metrics.note_figures(figures)
    metrics.note_figures(replace(figures, failed_commits=4))
    found = read(generate_latest(metrics.registry).decode())
    assert found["pulsebms_fleet_messages_refused_total,no_birth"] == 1
    assert found["pulsebms_fleet_messages_flagged_total,rebirth_asked"] == 1
    assert (found["pulsebms_fleet_rows_stored_total"], found["pulsebms_fleet_rows_duplicate_total"]) == (1, 1)
    assert (found["pulsebms_fleet_commit_failures_total"], found["pulsebms_fleet_rows_conflict_total"]) == (4, 0)
    assert (found["pulsebms_fleet_queue_messages"], found["pulsebms_fleet_queue_bytes"]) == (7, 700)
    assert (
        found["pulsebms_fleet_commit_seconds_bucket,0.01"],
        found["pulsebms_fleet_commit_seconds_bucket,0.025"],
    ) == (*(0, 2),)


def test_a_server_tells_its_partitions_and_its_newest_backup(tmp_path: Path, server: PostgresServer) -> None:
    where = server.make_database()
    with closing(Desk(where)) as desk:  # pyright: ignore[reportArgumentType]  # a URL is as good
        pack = Pack()
        desk.hear(pack.birth(), pack.row(1))
        make_backup(where, tmp_path / "x.backup", datetime.fromtimestamp(1e9, UTC), ignore, pytest.fail)
        with closing(FleetReader(where)) as reader:
            found = {one.name: one.samples[0].value for one in DatabaseCollector(reader, where).collect()}
    assert found["pulsebms_backup_newest_timestamp_seconds"] == 1e9
    assert found["pulsebms_database_partitions"] >= 4
    assert found["pulsebms_database_size_bytes"] > 8192
    assert found["pulsebms_database_oldest_row_timestamp_seconds"] > 1e9
    assert "pulsebms_database_disk_free_bytes" not in found


def test_a_dead_database_is_down_and_nothing_else_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Desk(tmp_path / "fleet.db")), closing(FleetReader(tmp_path / "fleet.db")) as reader:
        collector = DatabaseCollector(reader, tmp_path / "fleet.db")

        def fail(*_: object) -> None:
            raise StoreFailed("gone")

        monkeypatch.setattr("edge_bridge.fleet.database_metrics.read_database_figures", fail)
        (only,) = collector.collect()
        assert (only.name, only.samples[0].value) == ("pulsebms_database_up", 0)


def test_the_certificate_of_a_host_tells_when_it_expires(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="pulse-fleet-") as folder:
        Path(folder).chmod(0o755)  # the user of a broker must reach it
        fleet, _ = set_up(Path(folder) / "fleet", ["127.0.0.1"])
        (family,) = CertificateCollector(fleet.path).collect()
        (sample,) = family.samples
        assert sample.name == "pulsebms_certificate_expires_timestamp_seconds"
        assert sample.value == open_identity(fleet.path).certificate.not_after.timestamp()
        assert sample.labels["name"]
    assert list(CertificateCollector(tmp_path).collect()) == []


def test_the_api_has_the_same_page_and_hides_it_from_its_schema(tmp_path: Path) -> None:
    with closing(Desk(tmp_path / "fleet.db")) as desk, serve_desk(desk) as served:
        app = served.client.app
        app.include_router(make_metrics_router(HostMetrics().registry))

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
                return await client.get("/metrics")

        answer = asyncio.run(ask())
        assert answer.status_code == 200
        assert "pulsebms_fleet_rows_stored_total 0.0" in answer.text
        assert "/metrics" not in app.openapi()["paths"]


@pytest.mark.parametrize("text", ["", "x", ":9464", "127.0.0.1:", "127.0.0.1:80", "1:2:99999", "70000"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Usage, match="has no valid port; write PORT or HOST:PORT"):
        parse_metrics_address(text)


def test_a_port_in_use_is_one_sentence() -> None:
    registry = HostMetrics().registry
    assert parse_metrics_address("9464") == ("127.0.0.1", 9464)
    with (
        serve_metrics(registry, ("127.0.0.1", port := free_port())),
        pytest.raises(Usage, match="choose another port"),
        serve_metrics(registry, ("127.0.0.1", port)),
    ):
        pass
