"""One set-up fleet with a real broker for a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.edge_bridge.identity.secure_fleet import SecureFleet, serve_securely

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def secure() -> Generator[SecureFleet]:
    yield from serve_securely()
