"""The page of shortcuts lists the keys of every command of the window, and no others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.docs.markdown import ROOT

if TYPE_CHECKING:
    from tests.workbench.conftest import Shown

IN_A_WIDGET = {"Left", "Right", "Alt+Left", "Alt+Right", "F", "Space"}  # pressed in a plot or a list


def documented() -> set[str]:
    page = (ROOT / "docs" / "shortcuts.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.+?`) \|", page, re.MULTILINE)
    keys = {key for cell in cells for key in re.findall(r"`([^`]+)`", cell)}
    assert "`Ctrl+1` to `Ctrl+8`" in cells
    return keys | {f"Ctrl+{number}" for number in range(1, 9)}


def test_every_key_of_the_windows_commands_is_on_the_page_and_no_other(running: Shown) -> None:
    keys = {command.keys for command in running.window.commands.list() if command.keys}
    assert keys <= documented()
    assert documented() - keys <= IN_A_WIDGET | {"Ctrl+O"}  # a window over a fake session opens no other bench
