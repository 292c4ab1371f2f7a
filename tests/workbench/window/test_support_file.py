"""The window saves a file for support: the same as `doctor --report` writes, in the background."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from workbench.window.tasks.task import TaskState

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown

LONG_MS = 60_000


@pytest.mark.slow
def test_the_file_for_support_is_written_once_and_never_over_another(
    running: Shown, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "for support.zip"
    assert running.shell.commands.commands["save report"].words() == "Help: save a file for support…"
    task = running.window.support_file.save(file)
    qtbot.waitUntil(lambda: task.done, timeout=LONG_MS)
    assert task.state is TaskState.DONE
    with zipfile.ZipFile(file) as archive:
        assert {"doctor.txt", "versions.json"} <= set(archive.namelist())
    before = file.read_bytes()
    again = running.window.support_file.save(file)
    qtbot.waitUntil(lambda: again.done, timeout=LONG_MS)
    assert again.state is TaskState.FAILED
    assert "exists already" in running.window.notices.failure.sentence.text()
    assert file.read_bytes() == before
