"""An API with accounts, and what browsers and scripts send to it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from edge_bridge.fleet.api.app import make_app
from edge_bridge.fleet.api.context import ApiContext
from edge_bridge.fleet.api.live import make_live_router
from edge_bridge.fleet.api.scopes import make_live_access
from edge_bridge.fleet.api.transfers import make_transfer_router
from edge_bridge.fleet.documents.sql_documents import SqlDocuments
from edge_bridge.fleet.host import Instant
from edge_bridge.fleet.host_requests import HostRequests
from edge_bridge.fleet.live.hub import LiveHub
from edge_bridge.fleet.people import accounts, sessions
from edge_bridge.fleet.people.people import People
from edge_bridge.fleet.people.roles import ALL_SITES, FleetRole, RoleGrant
from edge_bridge.fleet.people.secrets import make_csrf_token
from edge_bridge.fleet.sites.site import KIND, FleetSite
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.history import History
from tests.edge_bridge.fleet.api.served import UNHURRIED, AppClient, FakeHost
from tests.edge_bridge.fleet.pack import Desk, Pack

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    import httpx
    from fastapi import APIRouter

    from edge_bridge.fleet.api.settings import ApiSettings

PASSWORD: Final = "four words and more"  # noqa: S105  # of nobody
CHEAP: Final = "$argon2id$v=19$m=8,t=1,p=1$bm9ib2R5bm9ib2R5$bm9ib2R5bm9ib2R5bm9ib2R5"  # fits no password
SITES: Final = {"pack-1": "north", "pack-2": "south"}


@dataclass
class PeopleApi:
    """The app, its accounts and a clock that stands."""

    app: Any
    people: People
    clock: list[Instant]
    hub: LiveHub = field(default_factory=LiveHub)

    def add(self, name: str, role: FleetRole | None, site: str = ALL_SITES) -> None:
        """Add an account that nobody signs in to by password: that would cost a hash each time."""
        with self.people.writer.begin() as connection:
            if not accounts.has_accounts(connection):
                accounts.add_account(connection, "first", CHEAP, [RoleGrant(FleetRole.ADMINISTRATOR)], 0)
            grants = [] if role is None else [RoleGrant(role, site)]
            accounts.add_account(connection, name, CHEAP, grants, self.clock[0].ms)

    def begin_session(self, name: str) -> str:
        with self.people.writer.begin() as connection:
            return sessions.begin_session(connection, name, "127.0.0.1", self.clock[0].ms)

    def ask(self, method: str, path: str, session: str = "", **options: Any) -> httpx.Response:
        """Send a request as the page of the dashboard does."""
        headers = options.pop("headers", {})
        if session:
            headers = {"Cookie": f"pulsebms={session}", "X-CSRF-Token": make_csrf_token(session)} | headers
        return AppClient(self.app).request(method, path, headers=headers, **options)

    def advance(self, by_ms: int) -> None:
        now = self.clock[0]
        self.clock[0] = replace(now, ms=now.ms + by_ms, mono_s=now.mono_s + by_ms / 1_000)


@contextmanager
def serve_people(
    folder: Path, settings: ApiSettings = UNHURRIED, more: Sequence[APIRouter] = (), **context: Any
) -> Generator[PeopleApi]:
    """Serve two packs, one at each of two sites."""
    desk = Desk(folder / "fleet.db")
    for node in SITES:
        pack = Pack(node)
        desk.hear(pack.birth(Gate_Verdict="tripped"), pack.row(1))
    clock = [Instant(1_800_000_000_000, 0.0)]
    reader, writer = FleetReader(desk.path), FleetWriter(desk.path)
    documents = SqlDocuments(desk.path)
    people = People(reader, writer, lambda: clock[0])
    ports = ApiContext(
        *(reader, History(desk.path), writer, FakeHost(), documents, lambda: clock[0].ms, settings),
        people=people,
        **context,
    )
    for node, site in SITES.items():
        documents.put(KIND, site, FleetSite(site, devices=(node,)).body)
    hub = LiveHub("mqtt://127.0.0.1:1883")
    routers = [make_live_router(hub, make_live_access(ports)), make_transfer_router(HostRequests()), *more]
    yield PeopleApi(make_app(ports, routers), people, clock, hub)
    ports.close()
    desk.close()
