"""One PostgreSQL server for all contracts of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.postgres import serve

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def server() -> Generator[PostgresServer]:
    yield from serve()


@pytest.fixture
def own_server() -> Generator[PostgresServer]:
    yield from serve()


@pytest.fixture
def postgres(server: PostgresServer) -> str:
    return server.make_database()
