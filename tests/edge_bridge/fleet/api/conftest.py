"""An API over a store with packs, in this process and without a socket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge_bridge.fleet.api.app import make_app
from edge_bridge.fleet.api.context import ApiContext
from edge_bridge.fleet.store.fleet_reader import FleetReader
from tests.edge_bridge.fleet.pack import Desk

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from fastapi import FastAPI


class AppClient:
    """A client that calls the app itself."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())


@dataclass
class FakeHost:
    """What the API asks of a host."""

    trouble: str = ""

    def read_trouble(self) -> str:
        return self.trouble


@dataclass
class Served:
    """A store, its API and a client."""

    desk: Desk
    client: AppClient
    host: FakeHost = field(default_factory=FakeHost)

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        answer = self.client.request("GET", f"/api/v1{path}", params=query)
        assert answer.status_code == status, answer.text
        if status >= 400 and not path.startswith("/health"):
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == status
        return answer.json()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Served]:
    monkeypatch.setattr("edge_bridge.fleet.api.device_directory.FRESH_S", -1.0)
    desk, host = Desk(tmp_path / "fleet.db"), FakeHost()
    context = ApiContext(FleetReader(tmp_path / "fleet.db"), host)
    yield Served(desk, AppClient(make_app(context)), host)
    context.reader.close()
    desk.close()
