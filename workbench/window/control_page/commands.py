"""Commands of the Control page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.window.command_registry import CommandRegistry
    from workbench.window.control_page.page import ControlPage


def declare(page: ControlPage, commands: CommandRegistry, show: Callable[[], object]) -> None:
    """Register the commands of the page; `show` brings the page to the front."""

    def show_view(name: str) -> None:
        show()
        page.show_view(name)

    for name in page.views:
        commands.add(f"control {name.lower()}", f"Control: show {name.lower()}", partial(show_view, name))
