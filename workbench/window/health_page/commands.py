"""Commands of the Health page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.window.command_registry import CommandRegistry
    from workbench.window.health_page.page import HealthPage


def declare(page: HealthPage, commands: CommandRegistry) -> None:
    """Register the commands of the page."""
    add, controller, logs = commands.add, page.controller, page.form.logs
    add("health judge", "Health: judge the logs", page.judge, "F3", why_not=page.why_not_judge)
    add("health stop", "Health: stop the judgement", controller.stop, "Shift+F3", why_not=controller.why_not_stop)
    add("health add", "Health: add a log…", logs.ask_file)
    add("health run", "Health: add a run…", logs.ask_run)
    add("health remove", "Health: remove the chosen log", logs.remove_chosen, why_not=logs.why_not_remove)
    add("health open", "Health: open the report", page.open_report, why_not=controller.why_no_report)
    add("health save", "Health: save the report…", page.ask_save, why_not=controller.why_no_report)
