"""Commands of the Twin page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.window.command_registry import CommandRegistry
    from workbench.window.runs_page.page import RunsPage
    from workbench.window.twin_page.page import TwinPage


def declare(page: TwinPage, runs: RunsPage, commands: CommandRegistry, show: Callable[[], object]) -> None:
    """Register the commands of the page; `show` brings the page to the front."""

    def take_run() -> None:
        if (run := runs.selected_run) is not None:
            show()
            page.open_file(run.folder)

    def show_view(name: str) -> None:
        show()
        page.show_view(name)

    add, residuals, refit, controller = commands.add, page.residuals, page.refit, page.controller
    for name in page.views:
        add(f"twin {name.lower()}", f"Twin: show {name.lower()}", partial(show_view, name))
    add("twin log", "Twin: choose a log…", residuals.form.ask_log)
    add("twin run", "Twin: choose the folder of a run…", residuals.form.ask_run)
    add("twin this run", "Twin: take the run selected in Runs", take_run, why_not=runs.why_no_selected_run)
    add("twin tests", "Twin: choose a list of tests…", refit.form.ask_tests)
    add("twin lay", "Twin: lay the twin", residuals.lay, "F4", why_not=residuals.why_not_lay)
    add("twin stop", "Twin: stop the twin or the fit", controller.stop, "Shift+F4", why_not=controller.why_not_stop)
    add("twin remove", "Twin: remove the chosen twin", residuals.remove_chosen, why_not=residuals.why_not_remove)
    add("twin fit", "Twin: fit a cell", refit.fit, why_not=refit.why_not_fit)
    add("twin compare", "Twin: show the residuals of the chosen test", refit.lay_both, why_not=refit.why_not_compare)
