"""What a client may see of the live events: from the first message on, and when that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.live import live_client
from edge_bridge.fleet.live.hub import LiveHub
from edge_bridge.fleet.live.live_access import VisibleDevices
from edge_bridge.fleet.store.records import Totals
from edge_bridge.fleet.view import FleetView, NodeView
from tests.edge_bridge.fleet.live.serving import SiteAccess, make_record, make_row, serve_hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.edge_bridge.fleet.live.serving import LiveServer

NORTH = VisibleDevices(frozenset({"pack-1", "pack-3"}), Totals(9, 8, 1))


@pytest.fixture
def access() -> SiteAccess:
    return SiteAccess()


@pytest.fixture
def server(access: SiteAccess, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    monkeypatch.setattr(live_client, "RECHECK_S", 0.01)
    with serve_hub(LiveHub(), access) as served:
        yield served


@pytest.mark.parametrize("devices", ["all", ["pack-1", "pack-2"], {"site": "north"}])
def test_a_client_gets_rows_and_states_of_the_devices_that_it_may_see(
    server: LiveServer, access: SiteAccess, devices: object
) -> None:
    access.visible = NORTH
    server.say(notes={name: make_record(name) for name in ("pack-1", "pack-2")})
    with server.client() as client:
        client.send("subscribe", id="a", devices=devices)
        assert [state["node"] for state in client.until("data")["states"]] == ["pack-1"]
        server.say(make_row(1, "pack-2"), make_row(2, "pack-1"))
        assert [row[0] for row in client.rows(1)] == ["pack-1"]


def test_an_overview_has_these_devices_alone_and_no_counter_of_the_fleet(
    server: LiveServer, access: SiteAccess
) -> None:
    access.visible = NORTH
    nodes = tuple(NodeView(name, online=True, rows=5, last_ms=None, status={}) for name in ("pack-1", "pack-2"))
    view = FleetView(
        connected=True, trouble="", outage_s=0.0, nodes=nodes, totals=Totals(90, 80, 10), resent=7, refused={"topic": 3}
    )
    with server.client() as client:
        client.send("subscribe", id="a", overview=True)
        client.until("subscribed")
        server.hub.handle_overview(view, 0.0)
        overview = client.until("overview")
    assert overview["rows"] == {"pack-1": 5}
    assert overview["totals"] == {"produced": 9, "stored": 8, "named": 1}
    assert overview.keys().isdisjoint({"resent", "refused", "flagged"})


def test_a_device_that_comes_in_tells_its_state_and_one_that_goes_says_no_more(
    server: LiveServer, access: SiteAccess
) -> None:
    access.visible = NORTH
    server.say(notes={name: make_record(name) for name in ("pack-1", "pack-2")})
    with server.client() as client:
        client.send("subscribe", id="a")
        assert [state["node"] for state in client.until("data")["states"]] == ["pack-1"]
        access.visible = VisibleDevices(frozenset({"pack-2"}))
        assert [state["node"] for state in client.until("data")["states"]] == ["pack-2"]
        server.say(make_row(1, "pack-1"), make_row(2, "pack-2"))
        assert [row[0] for row in client.rows(1)] == ["pack-2"]


def test_the_search_for_the_devices_of_a_site_holds_nobody_else_up(server: LiveServer, access: SiteAccess) -> None:
    with server.client() as waiting, server.client() as other:
        access.is_open.clear()
        try:
            waiting.send("subscribe", id="a", devices={"site": "north"})
            other.send("subscribe", id="b", devices=["pack-2"])
            other.until("subscribed")
            server.say(make_row(1, "pack-2"))
            assert [row[0] for row in other.rows(1)] == ["pack-2"]
        finally:
            access.is_open.set()
        waiting.until("subscribed")
