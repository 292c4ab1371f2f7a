"""Commands of the Runs page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from workbench.window.runs_page.page import FORMATS

if TYPE_CHECKING:
    from workbench.window.command_registry import CommandRegistry
    from workbench.window.runs_page.page import RunsPage


def declare(page: RunsPage, commands: CommandRegistry) -> None:
    """Register the commands of the page."""
    add, why = commands.add, page.why_no_selected_run
    add("open run", "Open and replay the selected run", page.open_selected, why_not=why)
    for word in FORMATS:
        add(f"export {word}", f"Export the selected run as {word}…", partial(page.ask_file, word), why_not=why)
    add("refresh runs", "List the recorded runs again", page.refresh)
