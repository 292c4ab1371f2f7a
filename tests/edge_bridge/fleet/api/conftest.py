"""An API whose list of devices is always new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.edge_bridge.fleet.api.served import Served, serve_desk
from tests.edge_bridge.fleet.pack import Desk

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Served]:
    monkeypatch.setattr("edge_bridge.fleet.api.device_directory.FRESH_S", -1.0)
    monkeypatch.setattr("edge_bridge.fleet.api.device_directory.WAIT_S", 60.0)
    desk = Desk(tmp_path / "fleet.db")
    with serve_desk(desk) as found:
        yield found
    desk.close()
