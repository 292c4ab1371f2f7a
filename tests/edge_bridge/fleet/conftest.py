"""A host with its store on a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.edge_bridge.fleet.pack import Desk, Pack

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    made = Desk(tmp_path / "fleet.db")
    yield made
    made.close()


@pytest.fixture
def pack(desk: Desk) -> Pack:
    """A pack that has told its birth."""
    made = Pack()
    desk.hear(made.birth())
    return made
