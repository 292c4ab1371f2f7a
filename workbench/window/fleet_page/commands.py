"""Commands of the Fleet page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.window.command_registry import CommandRegistry
    from workbench.window.fleet_page.page import FleetPage


def declare(page: FleetPage, commands: CommandRegistry) -> None:
    """Register the commands of the page."""
    add, connection = commands.add, page.connection
    add("fleet connect", page.words, page.connect_or_leave, "Ctrl+Shift+F", why_not=page.bar.why_not)
    add("fleet start", "Fleet: start one here", page.bar.start_fleet, why_not=page.bar.why_not_start)
    add("fleet stop", "Fleet: stop the one here", connection.stop_fleet, why_not=connection.why_not_stop_fleet)
    add("fleet send", "Fleet: send a bundle to the chosen pack…", page.ask_send, why_not=page.why_not_send)
    add("fleet file", "Fleet: choose the file of rows…", page.bar.ask_file, why_not=page.bar.why_no_other_file)
    add("fleet command", "Fleet: copy the edge's command", page.copy_command)
