"""An API over a store with packs, in this process and without a socket."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from edge_bridge.fleet.api import route_rules
from edge_bridge.fleet.api.app import make_app
from edge_bridge.fleet.api.context import ApiContext
from edge_bridge.fleet.api.route_rules import PREFIX, Reach, RouteRule
from edge_bridge.fleet.api.settings import ApiSettings
from edge_bridge.fleet.documents.sql_documents import SqlDocuments
from edge_bridge.fleet.people.roles import FleetAction
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.fleet_writer import FleetWriter
from edge_bridge.fleet.store.history import History

if TYPE_CHECKING:
    from collections.abc import Generator

    import pytest
    from fastapi import FastAPI

    from tests.edge_bridge.fleet.pack import Desk


HOST: Final = "127.0.0.1:8080"
UNHURRIED: Final = ApiSettings(rate_per_s=1e6, burst=1_000_000)  # hundreds of requests a second are the test


class AppClient:
    """A client that calls the app itself."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
                return await client.request(method, f"/api/v1{path}", **options)

        return asyncio.run(ask())


@dataclass
class FakeHost:
    """What the API asks of a host."""

    trouble: str = ""
    elsewhere: str = ""  # the name of a device that another host serves

    def read_trouble(self) -> str:
        return self.trouble

    def has_node(self, node: str) -> bool:
        return node != self.elsewhere


@dataclass
class Served:
    """A store, its API and a client."""

    desk: Desk
    client: AppClient
    host: FakeHost
    context: ApiContext

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        return self.ask("GET", path, status, params=query)

    def ask(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = self.client.request(method, path, **options)
        assert answer.status_code == status, answer.text
        if status >= 400 and not path.startswith("/health"):
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == status
        return answer.json()


def declare_routes(monkeypatch: pytest.MonkeyPatch, *routes: tuple[str, str]) -> None:
    """Let whoever may view the fleet reach these routes of a test, as method and path below `/api/v1`."""
    rules = [RouteRule(method, PREFIX + path, FleetAction.VIEW, Reach.FILTERED) for method, path in routes]
    monkeypatch.setattr(route_rules, "_MATCHERS", route_rules._compile([*route_rules.RULES, *rules]))  # pyright: ignore[reportPrivateUsage]


@contextmanager
def serve_desk(desk: Desk) -> Generator[Served]:
    host = FakeHost()
    reader, writer = FleetReader(desk.path), FleetWriter(desk.path)
    documents = SqlDocuments(desk.path)
    context = ApiContext(reader, History(desk.path), writer, host, documents, lambda: desk.now.ms, UNHURRIED)
    yield Served(desk, AppClient(make_app(context)), host, context)
    context.close()
