"""A hub that is served on loopback, and clients that speak the WebSocket as it is on the wire."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

import uvicorn
from fastapi import FastAPI
from websockets.sync.client import ClientConnection, connect

from edge_bridge.fleet.api.live import WEBSOCKET_OPTIONS, make_live_router
from edge_bridge.fleet.columns import COLUMN_NAMES
from edge_bridge.fleet.row import StoredRow
from edge_bridge.fleet.store.records import NodeRecord
from fixtures.broker import find_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from edge_bridge.fleet.live.hub import LiveHub
    from edge_bridge.fleet.live.live_access import VisibleDevices
    from edge_bridge.fleet.live.requests import DeviceScope
    from edge_bridge.metrics import Scalar

START_MS: Final = 1_800_000_000_000
SCOPES: Final = {"north": frozenset({"pack-1"})}


def make_row(seq: int, node: str = "pack-1", *, historical: bool = False, **values: Scalar) -> StoredRow:
    found = tuple(values.get(name) for name in COLUMN_NAMES)
    return StoredRow(node, "00c0ffee00000001", seq, START_MS + seq, historical, "", found, None)


def make_record(node: str = "pack-1", *, online: bool = True, **status: Scalar) -> NodeRecord:
    return NodeRecord(node, online, START_MS, {name.replace("_", "/"): value for name, value in status.items()})


class SiteAccess:
    """A client that may see everything, or what the test says; a test's question is answered once `is_open` is set."""

    def __init__(self) -> None:
        self.visible: VisibleDevices | None = None
        self.is_open = threading.Event()
        self.is_open.set()

    def find_devices(self, scope: DeviceScope) -> frozenset[str] | None:
        self.is_open.wait()
        return SCOPES.get(scope.site or scope.group or "")

    def find_visible(self) -> VisibleDevices | None:
        return self.visible


class LiveServer:
    """A served hub; the test is its host."""

    def __init__(self, hub: LiveHub, port: int) -> None:
        self.hub, self.port = hub, port

    def say(self, *rows: StoredRow, notes: Mapping[str, NodeRecord] | None = None) -> None:
        self.hub.handle_decoded(rows, notes or {})

    @contextmanager
    def client(self, **options: Any) -> Generator[TestSocket]:
        uri = f"ws://127.0.0.1:{self.port}/api/v1/live"
        with cast("ClientConnection", connect(uri, proxy=None, compression=None, **options)) as connection:
            yield TestSocket(connection)


class TestSocket:
    """A connection whose messages are JSON."""

    __test__ = False

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, kind: str, **fields: Any) -> None:
        self.connection.send(json.dumps({"type": kind, **fields}))

    def receive(self, within_s: float = 30.0) -> dict[str, Any]:
        return json.loads(self.connection.recv(within_s))

    def until(self, kind: str) -> dict[str, Any]:
        """Receive up to the first message of a kind."""
        while (message := self.receive())["type"] != kind:
            pass
        return message

    def drain(self) -> None:
        """Receive until the server closes the connection, which raises."""
        while True:
            self.receive()

    def rows(self, count: int) -> list[list[Any]]:
        """Receive data until `count` rows came."""
        found = list[list[Any]]()
        while len(found) < count:
            found += self.until("data")["rows"]
        return found


@contextmanager
def serve_hub(hub: LiveHub, access: SiteAccess | None = None, **limits: Any) -> Generator[LiveServer]:
    """Serve a hub alone, as the API does."""
    app, found = FastAPI(openapi_url=None), access or SiteAccess()
    app.include_router(make_live_router(hub, lambda _connection: found, **limits), prefix="/api/v1")
    port = find_port()
    with socket.create_server(("127.0.0.1", port)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, **WEBSOCKET_OPTIONS))
        thread = threading.Thread(target=server.run, args=([listening],), name="live-server")
        thread.start()
        wait_until(lambda: server.started, what="the server")
        try:
            yield LiveServer(hub, port)
        finally:
            server.should_exit = True
            thread.join()
