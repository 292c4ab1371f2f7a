"""A new database for each test of shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

if TYPE_CHECKING:
    from sqlalchemy import URL

    from tests.postgres import PostgresServer


@pytest.fixture
def url(server: PostgresServer) -> URL:
    return make_url(server.make_database())
