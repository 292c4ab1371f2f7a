"""Shards on a broker with TLS, where a host connects once with its certificate, however many shards it holds."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pytest

from edge_bridge.fleet.api.settings import ApiSettings
from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.shard_choice import ShardChoice, find_shard
from edge_bridge.fleet.sharded_fleet import ShardedFleet
from edge_bridge.fleet.store.leases import LeaseTable
from edge_bridge.fleet.store.postgres_store import PostgresStore
from fixtures.broker import find_port
from tests.edge_bridge.fleet.pack import asked
from tests.edge_bridge.identity.secure_fleet import SecureFleet, serve_securely
from tests.edge_bridge.shards.light_edges import LightEdges
from tests.waiting import wait_until
from workbench.compose.fleet_api import HostSide, open_api

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from sqlalchemy import URL

pytestmark = pytest.mark.live
GROUPS = [f"site-{number}" for number in range(1, 9)]


@pytest.fixture(scope="module")
def secure() -> Generator[SecureFleet]:
    yield from serve_securely()


def test_a_host_with_one_certificate_serves_all_its_shards(secure: SecureFleet, url: URL, tmp_path: Path) -> None:
    assert {find_shard(group, 3) for group in GROUPS} == {0, 1, 2}
    side = HostSide(secure.url)
    with closing(PostgresStore(url)) as store, closing(LeaseTable(url, "before")) as leases:
        leases.prepare(3)
        with store._engine.begin() as connection:  # pyright: ignore[reportPrivateUsage]
            connection.exec_driver_sql("UPDATE lease SET until_ms = 1")  # so the host takes all of them at once
        fleet = ShardedFleet(
            *(secure.url, url, read_clocks),
            groups=GROUPS,
            choice=ShardChoice(0, 3),
            holder="one",
            tap=side.hub,
            identity=secure.host,
        )
        with closing(LightEdges(secure.url, GROUPS, tmp_path, secure.make_device)) as edges:
            with closing(fleet):

                def turn() -> bool:
                    fleet.turn(0.02)
                    return all(edges.stored({group}) >= 20 for group in GROUPS)

                wait_until(turn, what="rows of all groups")
                names = [edge.name for edge in edges.edges]
                view = fleet.view()
                assert (fleet.shards, view.shards, view.connected) == ([0, 1, 2], (0, 1, 2), True)
                assert ([node.node for node in view.nodes], fleet.read_trouble()) == (sorted(names), "")
                assert fleet._links.number == 1  # pyright: ignore[reportPrivateUsage]  # no connection ended another
                assert all(map(fleet.has_node, names))
                heard = {row.node for rows in side.hub._rows for row in rows}  # pyright: ignore[reportPrivateUsage]
                assert heard == {*names}
                with open_api(
                    fleet, url.render_as_string(hide_password=False), ApiSettings(port=find_port()), side
                ) as at:
                    assert httpx.get(f"{at}/api/v1/health/ready").status_code == 200
                    listed = httpx.get(f"{at}/api/v1/devices").json()["devices"]
                    assert {device["node"] for device in listed} == {*names}
                edges.is_producing = False
                wait_until(lambda: bool(turn()) and edges.depth == 0, what="all rows acknowledged")
            for edge in edges.edges:
                rows = asked(store, f"SELECT seq FROM row WHERE node = '{edge.name}' ORDER BY seq")  # noqa: S608  # our own names
                assert [seq for (seq,) in rows] == list(range(1, edge.outbox.produced + 1))
        assert leases.read()[0].lease.holder == ""
