from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.broker import Broker, start_broker
from tests.edge_bridge.edge.field import EdgeProcess, node, start_edge, start_fleet, turn_until, until
from tests.edge_bridge.edge.keeping import installed, told_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.edge_bridge.edge.conftest import Shelf

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

HEALTHY = "is healthy"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    started = start_broker(tmp_path / "broker")
    yield started
    if started.is_running:
        started.stop()


def rows(db: Path) -> list[tuple[str, int]]:
    """Every row that the fleet has, also one that it has twice."""
    with closing(sqlite3.connect(db)) as database:
        return database.execute("SELECT boot, seq FROM row").fetchall()


def produced(result: dict[str, Any]) -> set[tuple[str, int]]:
    return {(boot, seq) for boot, last in result["boots"].items() for seq in range(1, last + 1)}


def test_every_row_is_stored_once_though_broker_fleet_and_edge_are_killed(
    tmp_path: Path, trust: Path, shelf: Shelf, broker: Broker, edges: list[EdgeProcess]
) -> None:
    state, db = tmp_path / "state", tmp_path / "fleet.db"
    edge = start_edge(state, trust, broker.url, "--bundle", str(shelf.first), "--rate", "50")
    edges.append(edge)
    with closing(start_fleet(broker.url, db)) as fleet:
        turn_until(fleet, lambda: edge.heard(HEALTHY) and fleet.view().totals.stored > 50)
        broker.kill()
        edge.wait_for("not connected to the broker")
        broker.restart()
        turn_until(
            fleet, lambda: edge.heard("connected to the broker after") and fleet.is_connected and node(fleet).online
        )
        turn_until(fleet, lambda: fleet.view().totals.stored > 150)
    until(lambda: edge.heard("the fleet is offline"))
    edge.kill()
    again = start_edge(state, trust, broker.url, "--rate", "50")
    edges.append(again)
    with closing(start_fleet(broker.url, db)) as fleet:
        before = fleet.view().totals.stored
        turn_until(fleet, lambda: fleet.view().totals.stored > before + 100)
        again.process.terminate()
        turn_until(fleet, lambda: again.process.poll() is not None)
        result = again.result()
        summary = fleet.summary()[0]
    stored = rows(db)
    assert len(stored) == len(set(stored))
    assert set(stored) == produced(result)
    assert len(result["boots"]) == 2
    assert (result["produced"], result["stored"], result["depth"], result["evicted"]) == (
        len(stored),
        len(stored),
        0,
        0,
    )
    assert (summary.produced, summary.stored, summary.missing, summary.duplicates) == (len(stored), len(stored), 0, 0)
    assert result["status"] == 0
    assert result["bundle"]["state"] == "healthy"


def test_bundles_from_the_fleet_are_taken_up_refused_or_reverted_without_losing_a_row(
    tmp_path: Path, trust: Path, shelf: Shelf, broker: Broker, edges: list[EdgeProcess]
) -> None:
    db = tmp_path / "fleet.db"
    edge = start_edge(tmp_path / "state", trust, broker.url, "--bundle", str(shelf.first), "--rate", "20")
    edges.append(edge)
    with closing(start_fleet(broker.url, db)) as fleet:
        turn_until(fleet, lambda: edge.heard(HEALTHY) and node(fleet) is not None)
        ends: dict[str, tuple[str, str]] = {}
        for path in (shelf.foreign, shelf.second, shelf.first, shelf.sick, shelf.third):
            fleet.send_bundle(path.read_bytes(), "pack-1")
            turn_until(fleet, lambda: node(fleet).sending.is_over)
            ends[path.stem] = node(fleet).sending.state, node(fleet).sending.reason
        running = node(fleet).bundle
        edge.process.terminate()
        turn_until(fleet, lambda: edge.process.poll() is not None)
        result = edge.result()
    assert {name: state for name, (state, _) in ends.items()} == {
        "foreign": "refused",
        "second": "healthy",
        "first": "refused",
        "sick": "reverted",
        "third": "healthy",
    }
    assert "not in the trust folder" in ends["foreign"][1]
    assert "older" in ends["first"][1]
    assert "tripped" in ends["sick"][1]
    assert running == told_sha256(shelf.third) == result["bundle"]["sha256"]
    assert set(rows(db)) == produced(result)
    assert len(rows(db)) == result["produced"] == result["stored"]
    assert len(result["boots"]) == 1  # it never stopped sampling


def test_a_row_that_an_edge_loses_is_missed_by_the_fleet(
    tmp_path: Path, trust: Path, shelf: Shelf, broker: Broker, edges: list[EdgeProcess]
) -> None:
    db = tmp_path / "fleet.db"
    installed(tmp_path / "state", trust, shelf.first)
    edge = start_edge(tmp_path / "state", trust, broker.url, "--inject-defect", "lose-row", "--rate", "20")
    edges.append(edge)
    with closing(start_fleet(broker.url, db)) as fleet:
        turn_until(fleet, lambda: fleet.view().totals.stored > 60)
        edge.process.terminate()
        turn_until(fleet, lambda: edge.process.poll() is not None)
        result = edge.result()
        summary = fleet.summary()[0]
    assert summary.missing == 1
    assert produced(result) - set(rows(db)) == {(next(iter(result["boots"])), 20)}
