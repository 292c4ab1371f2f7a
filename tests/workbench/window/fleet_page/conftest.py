"""The Fleet page of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.workbench.window.fleet_page.fake_backend import Kit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def kit(qtbot: QtBot) -> Iterator[Kit]:
    made = Kit(qtbot)
    yield made
    made.backend.go.set()
    made.page.connection.close()
