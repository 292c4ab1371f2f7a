"""The API of a fleet host, put together: a reader of its database, the host's port, the routes and their server."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge_bridge.fleet.api.app import make_app
from edge_bridge.fleet.api.context import ApiContext
from edge_bridge.fleet.api.live import make_live_router
from edge_bridge.fleet.api.server import serve_api
from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.api.transfers import make_transfer_router
from edge_bridge.fleet.host_requests import HostRequests
from edge_bridge.fleet.live.hub import LiveHub
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.history import History

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from edge_bridge.fleet.api.settings import ApiSettings
    from edge_bridge.fleet.process import FleetHost


class HostSide:
    """The host's side of an API: what its thread hands over each turn, and what it is asked to do."""

    def __init__(self, broker: str) -> None:
        """`broker` is its address; give `hub` to the host as its tap."""
        self.hub, self.requests = LiveHub(broker), HostRequests()

    def turn(self, fleet: FleetHost, now_s: float) -> None:
        """Do it; the host's thread calls this each turn, `now_s` is monotonic."""
        if self.requests.run(fleet) or self.hub.wants_overview(now_s):
            self.hub.handle_overview(fleet.view(), now_s)


@contextmanager
def open_api(fleet: FleetHost, store: Path | str, settings: ApiSettings, side: HostSide) -> Generator[str]:
    """Serve the API of this host until the block ends; yield its address. Raise `Usage` if the port is in use."""
    context = ApiContext(
        FleetReader(store), History(store), FleetWriter(store), fleet, lambda: read_clocks().ms, settings
    )
    routers = [make_live_router(side.hub), make_transfer_router(side.requests)]
    with serve_api(make_app(context, routers), settings) as url:
        yield url
