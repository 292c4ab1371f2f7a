"""One PostgreSQL server for the tests of shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from tests.postgres import serve

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import URL

    from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def server() -> Generator[PostgresServer]:
    yield from serve()


@pytest.fixture
def url(server: PostgresServer) -> URL:
    return make_url(server.make_database())
