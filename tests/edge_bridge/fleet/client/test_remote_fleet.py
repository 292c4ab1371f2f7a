"""The client over a served API: it resumes, reconnects, and says in words what does not answer."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest

from drivers.clock import monotonic
from drivers.errors import ApiMissing, Refused, Usage
from edge_bridge.fleet.api.app import make_app
from edge_bridge.fleet.api.context import ApiContext
from edge_bridge.fleet.api.live import make_live_router
from edge_bridge.fleet.api.server import serve_api
from edge_bridge.fleet.api.settings import ApiSettings
from edge_bridge.fleet.api.transfers import make_transfer_router
from edge_bridge.fleet.client import rest
from edge_bridge.fleet.client.live_feed import FeedLost, LiveFeed
from edge_bridge.fleet.client.remote_fleet import RemoteFleet
from edge_bridge.fleet.client.rest import FleetRest, parse_api_address
from edge_bridge.fleet.documents.sql_documents import SqlDocuments
from edge_bridge.fleet.host_requests import MAX_WAITING, HostRequests
from edge_bridge.fleet.live.hub import LiveHub
from edge_bridge.fleet.people import accounts
from edge_bridge.fleet.people.passwords import hash_password
from edge_bridge.fleet.people.roles import FleetRole, RoleGrant
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.history import History
from edge_bridge.fleet.store.records import Totals
from edge_bridge.fleet.view import FleetView, NodeView
from fixtures.broker import find_port
from tests.edge_bridge.fleet.dashboard.serving import ServedDashboard
from tests.edge_bridge.fleet.live.serving import make_record, make_row
from tests.edge_bridge.fleet.pack import Desk, Pack
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

VIEW: Final = FleetView(True, "", 0.0, (NodeView("pack-1", True, 7, None, {}),), Totals(7, 7, 0), 0)  # noqa: FBT003  # a view as it is


class ServedFleet:
    """An API whose host is the test, on a port that stays the same over a restart."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder / "fleet.db")
        self.desk.hear(Pack().birth(), Pack().row(1))
        self.hub, self.requests = LiveHub("mqtt://127.0.0.1:1883"), HostRequests()
        self.elsewhere = ""  # the name of a device that another host serves
        self.settings, self._path = ApiSettings(port=find_port()), folder / "fleet.db"

    def serve(self) -> Any:
        context = ApiContext(
            *(FleetReader(self._path), History(self._path), FleetWriter(self._path), self),
            *(SqlDocuments(self._path), lambda: self.desk.now.ms),
        )
        app = make_app(context, [make_live_router(self.hub), make_transfer_router(self.requests)])
        return serve_api(app, self.settings)

    def read_trouble(self) -> str:
        return ""

    def has_node(self, node: str) -> bool:
        return node != self.elsewhere

    def turn(self) -> None:
        """Do what the host's thread does for its clients."""
        if self.hub.wants_overview(monotonic()):
            self.hub.handle_overview(VIEW, monotonic())


@pytest.fixture
def fleet(tmp_path: Path) -> Generator[ServedFleet]:
    made = ServedFleet(tmp_path)
    ending = threading.Event()

    def turn() -> None:
        while not ending.wait(0.01):
            made.turn()

    thread = threading.Thread(target=turn, name="host")
    thread.start()
    yield made
    ending.set()
    thread.join()
    made.desk.close()


def test_view_follows_the_fleet_over_a_restart_of_its_api(fleet: ServedFleet) -> None:
    with fleet.serve() as url:
        remote = RemoteFleet(url)
        with closing(remote):
            fleet.hub.handle_decoded([make_row(1, soc=0.5)], {"pack-1": make_record(Pack_SoC=0.5)})
            wait_until(lambda: remote.snapshot().nodes and remote.snapshot().nodes[0].status.get("Pack/SoC") == 0.5)
            assert (remote.broker, remote.snapshot().nodes[0].rows) == ("mqtt://127.0.0.1:1883", 7)
            assert remote.read_silence() == (0.0, "")
    with fleet.serve() as url:
        second = RemoteFleet(url)
        with closing(second):
            assert second.snapshot().totals == Totals(7, 7, 0)


def test_api_that_goes_away_is_told_and_its_values_stay(fleet: ServedFleet) -> None:
    with fleet.serve() as url:
        remote = RemoteFleet(url)
        fleet.hub.handle_decoded([make_row(1, soc=0.5)], {"pack-1": make_record(Pack_SoC=0.5)})
        wait_until(lambda: remote.snapshot().nodes and remote.snapshot().nodes[0].status.get("Pack/SoC") == 0.5)
    with closing(remote):
        silent_s, why = wait_until(lambda: remote.read_silence() if remote.read_silence()[0] else None)
        assert silent_s > 0.0
        assert why
        assert remote.snapshot().nodes[0].status["Pack/SoC"] == 0.5
        with fleet.serve():
            wait_until(lambda: not remote.read_silence()[0])
            fleet.hub.handle_decoded([make_row(2, soc=0.6)], {"pack-1": make_record(Pack_SoC=0.6)})
            wait_until(lambda: remote.snapshot().nodes[0].status.get("Pack/SoC") == 0.6)


def test_feed_gets_each_row_once_over_a_cut_connection(fleet: ServedFleet) -> None:
    with fleet.serve() as url:
        feed = LiveFeed(parse_api_address(url), now_s=monotonic, devices=["pack-1"])
        seqs, losses, began = list[int](), list[str](), threading.Event()

        def follow() -> None:
            for message in feed.messages():
                if isinstance(message, FeedLost):
                    losses.append(message.reason)
                    continue
                seqs.extend(row[2] for row in message.get("rows", ()))
                if message["type"] == "subscribed":
                    began.set()

        thread = threading.Thread(target=follow, name="feed")
        thread.start()
        assert began.wait(30.0)
        fleet.hub.handle_decoded([make_row(seq) for seq in range(1, 101)], {})
        wait_until(lambda: len(seqs) == 100)
    fleet.hub.handle_decoded([make_row(seq) for seq in range(101, 201)], {})  # nobody is connected
    with fleet.serve():
        wait_until(lambda: len(seqs) >= 200)
        feed.close()
        thread.join()
    assert seqs == list(range(1, 201))
    assert losses


def test_devices_and_a_bundle_by_rest(fleet: ServedFleet) -> None:
    with fleet.serve() as url:
        rest = FleetRest(parse_api_address(url))
        assert [device["node"] for device in rest.list_devices(limit=1)] == ["pack-1"]
        sent: Mapping[str, Any] = rest.send_bundle(b"bundle", "pack-1")
        assert (sent["node"], sent["size"]) == ("pack-1", 6)
        with pytest.raises(Refused, match="a device nobody is not known"):
            rest.send_bundle(b"bundle", "nobody")
        fleet.elsewhere = "pack-1"
        with pytest.raises(Refused, match="this host does not serve pack-1 now"):
            rest.send_bundle(b"bundle", "pack-1")
        fleet.elsewhere = ""
        with pytest.raises(Refused, match="1 to"):
            rest.send_bundle(b"", "pack-1")
        for _ in range(MAX_WAITING - 1):
            rest.send_bundle(b"bundle", "pack-1")
        with pytest.raises(Refused, match="before this one"):
            rest.send_bundle(b"bundle", "pack-1")


@pytest.mark.parametrize("text", ["", "mqtt://127.0.0.1:1883", "http://", "http://h:99999", "http://h/path", "h:80"])
def test_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Usage, match="http://HOST:PORT"):
        RemoteFleet(text)


def test_nobody_or_somebody_else_at_the_address_is_told() -> None:
    with pytest.raises(ApiMissing, match="Connection refused"):
        RemoteFleet(f"http://127.0.0.1:{find_port()}")
    with socket.create_server(("127.0.0.1", find_port())) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

        thread = threading.Thread(target=answer, name="other")
        thread.start()
        with pytest.raises(ApiMissing, match="something else answers"):
            RemoteFleet(f"http://127.0.0.1:{other.getsockname()[1]}")
        thread.join()


def test_a_client_says_who_it_is_with_the_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(rest.TOKEN, raising=False)
    assert rest.make_headers() == {}
    monkeypatch.setenv(rest.TOKEN, " pulse_x\n")
    assert rest.make_headers() == {"Authorization": "Bearer pulse_x"}


def test_a_fleet_that_does_not_know_the_person_says_so_at_once(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    Desk(path).close()
    with closing(FleetWriter(path)) as writer, writer.begin() as connection:
        grants = [RoleGrant(FleetRole.ADMINISTRATOR)]
        accounts.add_account(connection, "ada", hash_password("four words and more"), grants, 0)
    served = ServedDashboard(path, has_people=True)
    served.start()
    try:
        with pytest.raises(Refused, match="you are not signed in there") as caught:
            RemoteFleet(served.url.rstrip("/"))
        assert rest.TOKEN in str(caught.value.hint)
    finally:
        served.stop()
