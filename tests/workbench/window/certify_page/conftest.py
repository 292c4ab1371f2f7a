"""The Certify page of a window, over a certifier that a test drives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.workbench.window.certify_page.certify_scene import Scene, open_scene
from tests.workbench.window.certify_page.fake_certifier import FakeCertifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown


@pytest.fixture
def fake(tmp_path: Path) -> FakeCertifier:
    """What stands behind the Certify page."""
    return FakeCertifier(tmp_path)


@pytest.fixture
def scene(show: Callable[..., Shown], fake: FakeCertifier, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The Certify page over it."""
    return open_scene(show, fake, qtbot, monkeypatch)
