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

    def fit() -> None:
        page.lanes.fit()
        page.shadow.fit()
        page.bench.board.fit()

    commands.replace("fit", "Fit all plots", fit, "Ctrl+0")
    for name in page.views:
        commands.add(f"control {name.lower()}", f"Control: show {name.lower()}", partial(show_view, name))
    training, form = page.training.controller, page.training
    commands.add("train", "Control: start a training", form.start, "F9", why_not=training.why_not_start)
    commands.add("train stop", "Control: stop the training", training.stop, "Shift+F9", why_not=training.why_not_stop)
    commands.add("train resume", "Control: resume the chosen training", form.resume, why_not=form.why_not_resume)
    promotion, judging = page.promotion, page.promotion.judging
    commands.add(
        "shadow", "Control: run the candidate in the shadow", promotion.run_shadow, why_not=promotion.why_not_shadow
    )
    commands.add("judge", "Control: judge the candidate", promotion.run_judgement, why_not=promotion.why_not_judge)
    commands.add("judge stop", "Control: stop the shadow or judgement", judging.stop, why_not=judging.why_not_stop)
    commands.add("promote", "Control: promote the judged policy…", promotion.ask, why_not=promotion.why_not_promote)
    commands.add("promote look", "Control: read the newest results again", promotion.controller.refresh)
