"""What the routes of one API share; a route gets it as a parameter of type `Context`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

from fastapi import Depends
from starlette.requests import HTTPConnection

from edge_bridge.fleet.analytics_job import FleetAnalytics
from edge_bridge.fleet.api.device_directory import DeviceDirectory
from edge_bridge.fleet.api.settings import ApiSettings
from edge_bridge.fleet.api.site_directory import SiteDirectory
from edge_bridge.fleet.bundle_library import BundleLibrary
from edge_bridge.fleet.command_book import CommandBook
from edge_bridge.fleet.documents.sql_documents import SqlDocuments
from edge_bridge.fleet.people.claim import ClaimFile
from edge_bridge.fleet.people.people import People
from edge_bridge.fleet.rollout_book import RolloutBook
from edge_bridge.fleet.sites.site_book import SiteBook
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.history import History
from edge_bridge.fleet.twins.job_pool import JobPool
from edge_bridge.fleet.twins.order_reader import OrderReader


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
    documents: SqlDocuments
    now_ms: Callable[[], int]
    settings: ApiSettings = field(default_factory=ApiSettings)
    people: People | None = None  # None: an app on loopback without accounts
    claim: ClaimFile | None = None  # makes the first administrator; without it this machine is `local`
    sites_file: Path | None = None  # written when a site changes
    trust: Path | None = None  # public keys that bundles are verified with
    directory: DeviceDirectory = field(init=False)
    analytics: FleetAnalytics = field(init=False)
    sites: SiteBook = field(init=False)
    members: SiteDirectory = field(init=False)
    library: BundleLibrary = field(init=False)
    rollouts: RolloutBook = field(init=False)
    commands: CommandBook = field(init=False)
    jobs: JobPool = field(init=False)

    def __post_init__(self) -> None:
        directory, sites = DeviceDirectory(self.reader), SiteBook(self.documents, self.now_ms, self.sites_file)
        object.__setattr__(self, "directory", directory)
        object.__setattr__(self, "analytics", FleetAnalytics(self.history, self.now_ms))
        object.__setattr__(self, "sites", sites)
        object.__setattr__(self, "library", BundleLibrary(self.documents, self.trust))
        object.__setattr__(self, "rollouts", RolloutBook(self.documents))
        object.__setattr__(self, "commands", CommandBook(self.documents))
        object.__setattr__(self, "jobs", JobPool(OrderReader(self.history, self.library).read, self.now_ms))
        object.__setattr__(self, "members", SiteDirectory(sites, self.find_group))

    def find_site(self, node: str) -> str | None:
        """Return the site of a device, None for none; raise `StoreFailed`."""
        return self.members.find_site(node)

    def find_group(self, node: str) -> str:
        """Return the Sparkplug group of a device, empty while it is not known."""
        device = self.directory.read().devices.get(node)
        return "" if device is None else device.group

    def close(self) -> None:
        """End the jobs, close the connections to the database."""
        self.jobs.close()
        self.analytics.close()
        self.directory.close()
        self.documents.close()
        self.reader.close()
        self.history.close()
        self.writer.close()


def read_context(connection: HTTPConnection) -> ApiContext:
    """Return the context of the app that serves this connection, a request or a WebSocket."""
    found = connection.app.state.context
    assert isinstance(found, ApiContext)  # noqa: S101  # `make_app` put it there
    return found


Context = Annotated[ApiContext, Depends(read_context)]
