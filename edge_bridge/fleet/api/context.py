"""What the routes of one API share; a route gets it as a parameter of type `Context`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends
from starlette.requests import HTTPConnection

from edge_bridge.fleet.analytics_job import FleetAnalytics
from edge_bridge.fleet.api.device_directory import DeviceDirectory
from edge_bridge.fleet.api.settings import ApiSettings
from edge_bridge.fleet.people.claim import ClaimFile
from edge_bridge.fleet.people.people import People
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.history import History


class HostPort(Protocol):
    """The fleet host as the API sees it, from any thread."""

    def read_trouble(self) -> str:
        """Return why the host is not connected to its broker, empty if it is."""
        ...

    def has_node(self, node: str) -> bool:
        """Return whether this host, not another one of the fleet, serves the device."""
        ...


@dataclass(frozen=True)
class ApiContext:
    """The ports of one API."""

    reader: FleetReader
    history: History
    writer: FleetWriter
    host: HostPort
    now_ms: Callable[[], int]
    settings: ApiSettings = field(default_factory=ApiSettings)
    people: People | None = None  # None: an app on loopback without accounts
    claim: ClaimFile | None = None  # makes the first administrator; without it this machine is `local`
    find_site: Callable[[str], str | None] = lambda _node: None  # of a device; None: it belongs to no site

    def __post_init__(self) -> None:
        object.__setattr__(self, "directory", DeviceDirectory(self.reader))
        object.__setattr__(self, "analytics", FleetAnalytics(self.history, self.now_ms))

    directory: DeviceDirectory = field(init=False)
    analytics: FleetAnalytics = field(init=False)

    def close(self) -> None:
        """Close the connections to the database."""
        self.analytics.close()
        self.reader.close()
        self.history.close()
        self.writer.close()


def read_context(connection: HTTPConnection) -> ApiContext:
    """Return the context of the app that serves this connection, a request or a WebSocket."""
    found = connection.app.state.context
    assert isinstance(found, ApiContext)  # noqa: S101  # `make_app` put it there
    return found


Context = Annotated[ApiContext, Depends(read_context)]
