"""The databases of the contracts: a new one for each test, of either kind."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.store.open_store import open_store
from tests.postgres import serve

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from edge_bridge.fleet.store.port import FleetStore
    from tests.postgres import PostgresServer


@pytest.fixture
def own_server() -> Generator[PostgresServer]:
    yield from serve()


@pytest.fixture
def postgres(server: PostgresServer) -> str:
    return server.make_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fleet.db'}"
    return request.getfixturevalue("server").make_database()


@pytest.fixture
def store(where: str) -> Generator[FleetStore]:
    with closing(open_store(where)) as made:
        yield made
