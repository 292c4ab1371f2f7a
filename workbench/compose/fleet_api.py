"""The API of a fleet host, put together: a reader of its database, the host's port, the routes and their server."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from edge_bridge import metrics
from edge_bridge.fleet.api.app import make_app
from edge_bridge.fleet.api.context import ApiContext
from edge_bridge.fleet.api.enrolment import make_enrolment_router
from edge_bridge.fleet.api.live import make_live_router
from edge_bridge.fleet.api.metrics_route import make_metrics_router
from edge_bridge.fleet.api.request_log import RequestLog
from edge_bridge.fleet.api.scopes import make_live_access
from edge_bridge.fleet.api.server import serve_api
from edge_bridge.fleet.api.transfers import make_transfer_router
from edge_bridge.fleet.command_driver import CommandDriver
from edge_bridge.fleet.device_command import CommandSight
from edge_bridge.fleet.documents.sql_documents import SqlDocuments
from edge_bridge.fleet.driver_thread import DriverThread
from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.host_requests import HostRequests
from edge_bridge.fleet.live.hub import LiveHub
from edge_bridge.fleet.people import accounts
from edge_bridge.fleet.people.claim import ClaimFile
from edge_bridge.fleet.people.people import People
from edge_bridge.fleet.rollout_driver import RolloutDriver, make_sight
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.history import History
from edge_bridge.fleet.store.open_store import parse_address
from edge_bridge.identity.initial_setup import ADMINISTRATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from edge_bridge.fleet.api.settings import ApiSettings
    from edge_bridge.fleet.device_command import DeviceCommand
    from edge_bridge.fleet.process import FleetHost
    from edge_bridge.fleet.rollout import DeviceSight
    from edge_bridge.fleet.sharded_fleet import ShardedFleet
    from edge_bridge.fleet.structured_log import FleetLog
    from edge_bridge.metrics import Scalar


class HostSide:
    """The host's side of an API: what its thread hands over each turn, and what it is asked to do."""

    def __init__(self, broker: str) -> None:
        """`broker` is its address; give `hub` to the host as its tap."""
        self.hub, self.requests = LiveHub(broker), HostRequests()

    def turn(self, fleet: FleetHost | ShardedFleet, now_s: float) -> None:
        """Do it; the host's thread calls this each turn, `now_s` is monotonic."""
        if self.requests.run(fleet) or self.hub.wants_overview(now_s):
            self.hub.handle_overview(fleet.view(), now_s)


@contextmanager
def open_api(
    fleet: FleetHost | ShardedFleet,
    store: Path | str,
    settings: ApiSettings,
    side: HostSide,
    *,
    claim: ClaimFile | None = None,
    registry: CollectorRegistry | None = None,
    log: FleetLog | None = None,
    sites: Path | None = None,
    trust: Path | None = None,
    tls: Path | None = None,
    report: Callable[[str], None] = lambda _words: None,
) -> Generator[str]:
    """Serve the API of this host until the block ends; yield its address. Raise `Usage` if the port is in use.

    `claim` makes the first administrator; without it, and without an account, this machine is the administrator.
    `registry` has the metrics for `/metrics`, `log` gets the requests, `report` what a person should know.
    `sites` is the file `fleet.toml`, `trust` the folder of the keys that bundles are verified with.
    `tls` is the folder of `fleet init`: with its authority, devices enrol here.
    """
    reader, writer = FleetReader(store), FleetWriter(store)
    people = People(reader, writer, read_clocks)
    documents, now_ms = SqlDocuments(parse_address(store)), lambda: read_clocks().ms
    context = ApiContext(
        *(reader, History(store), writer, fleet, documents, now_ms, settings),
        people=people,
        claim=claim,
        sites_file=sites,
        trust=trust,
    )
    if words := context.sites.read_file():
        report(f"sites    {words}")
    routers = [make_live_router(side.hub, make_live_access(context)), make_transfer_router(side.requests)]
    if tls is not None and settings.identity is not None:
        routers.append(make_enrolment_router(tls))
    app = make_app(context, routers)
    if registry is not None:
        app.include_router(make_metrics_router(registry))
    drivers = (make_rollout_driver(context, side.requests), make_command_driver(context, side.requests, log))
    with (
        serve_api(app if log is None else RequestLog(app, log), settings) as url,
        closing(DriverThread(drivers, lambda words: report(f"drivers  {words}"))),
    ):
        yield url


def make_rollout_driver(context: ApiContext, requests: HostRequests) -> RolloutDriver:
    """Make what moves the rollouts on."""

    def see() -> dict[str, DeviceSight]:
        devices = context.directory.read().devices.values()
        return {one.node: make_sight(one.status, online=one.online) for one in devices}

    return RolloutDriver(
        context.rollouts, see, context.library.read, requests.send_bundle, context.now_ms, serves=context.host.has_node
    )


def make_command_driver(context: ApiContext, requests: HostRequests, log: FleetLog | None = None) -> CommandDriver:
    """Make what moves the commands on; a log of JSON gets each that is sent."""

    def see(node: str) -> CommandSight:
        device, births = context.directory.read().devices.get(node), context.reader.read_births(node, 1)
        newest = f"{births[0].t_ms}/{births[0].bd_seq}" if births else ""
        status: Mapping[str, Scalar] = {} if device is None else device.status
        return CommandSight(
            device is not None and device.online and context.host.has_node(node),
            newest,
            str(status.get(metrics.ANSWERED) or ""),
            str(status.get(metrics.ANSWER) or ""),
        )

    def tell(node: str, command: DeviceCommand) -> None:
        if log is not None and log.is_json:
            log.event("command sent", request_id=command.request, command=command.id, kind=command.kind, node=node)

    return CommandDriver(context.commands, see, requests.send_command, context.now_ms, tell)


def find_claim(tls: Path | None) -> ClaimFile | None:
    """Return the claim in the folder of `fleet init`; None without a folder, and then this machine is `local`."""
    return None if tls is None else ClaimFile(tls / ADMINISTRATOR)


def describe_missing_accounts(store: Path | str, claim: ClaimFile | None) -> str:
    """Return what to know and do while there is no account, empty if there is one."""
    with closing(FleetReader(store)) as reader, reader.begin() as connection:
        if accounts.has_accounts(connection):
            return ""
    if claim is not None:
        return f"no account yet: {claim.path} makes the first administrator, or fleet account add"
    return "no account yet: who reaches the API on this machine is its administrator; see fleet account add"
