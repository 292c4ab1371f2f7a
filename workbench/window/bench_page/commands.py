"""Commands of the Bench page: view, cursors, docks, alarms, replay."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from workbench.window.bench_page.replay_controls import SKIP_S

if TYPE_CHECKING:
    from workbench.window.bench_page.page import BenchPage
    from workbench.window.command_registry import CommandRegistry
    from workbench.window.widgets.basic import Dock


def declare(page: BenchPage, commands: CommandRegistry) -> None:
    """Register the commands of the page."""
    _declare_view(page, commands)
    _declare_replay(page, commands)
    _declare_docks(page, commands)
    commands.add("acknowledge", "Acknowledge all alarms", page.alarms.acknowledge_all, "Ctrl+K")


def _declare_view(page: BenchPage, commands: CommandRegistry) -> None:
    add, view = commands.add, page.board.view
    commands.replace("pause", lambda: "Resume the view" if view.paused else "Pause the view", page.pause_view, "Space")
    for name in ("A", "B"):
        add(f"cursor {name}", f"Place cursor {name}", partial(view.place_usual, name), name)
    add("clear cursors", "Clear cursors", view.clear_cursors, "Shift+C")
    add("fit", "Fit all plots", page.board.fit, "Ctrl+0")
    add("longer", "Show a longer time span", partial(view.zoom, 1), "Ctrl+-")
    add("shorter", "Show a shorter time span", partial(view.zoom, -1), "Ctrl+=")
    add("plot chosen", "Plot the selected signals", page.tree.plot_selected, "Ctrl+Return")


def _declare_replay(page: BenchPage, commands: CommandRegistry) -> None:
    add, controls = partial(commands.add, why_not=page.why_no_replay), page.transport
    add("leave replay", "Leave the replay", page.leave_replay)
    add("play", "Play or pause the replay", controls.toggle, "Ctrl+P")
    for words, keys, steps in (("back", "Alt+Left", -1), ("on", "Alt+Right", 1)):
        add(f"seek {words}", f"Go {SKIP_S:g} s {words} in the replay", partial(controls.skip, steps * SKIP_S), keys)
    for words, keys, steps in (("slower", "Alt+Down", -1), ("faster", "Alt+Up", 1)):
        add(words, f"Replay {words}", partial(controls.change_speed, steps), keys)


def _declare_docks(page: BenchPage, commands: CommandRegistry) -> None:
    commands.add("reset layout", "Reset layout", page.arrange)
    for name, dock in page.docks.items():
        commands.add(f"dock {name}", partial(_toggle_words, dock), dock.toggleViewAction().trigger)
        commands.add(f"float {name}", f"Float or dock {dock.windowTitle().lower()}", dock.turn_float)


def _toggle_words(dock: Dock) -> str:
    return f"{'Show' if dock.isHidden() else 'Hide'} {dock.windowTitle().lower()}"
