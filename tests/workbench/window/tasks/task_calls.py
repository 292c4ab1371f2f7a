"""What a task calls back, and the three ways to begin one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from workbench.session.actions import Failure
from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.window.tasks.background import Background
    from workbench.window.tasks.task import Reporter


@dataclass
class TaskCalls:
    """What the callbacks of a task were called with."""

    ready: list[Any] = field(default_factory=list[Any])
    failed: list[Failure] = field(default_factory=list[Failure])
    cancelled: list[bool] = field(default_factory=list[bool])
    reports: list[tuple[float | None, str]] = field(default_factory=list[tuple[float | None, str]])
    messages: list[Any] = field(default_factory=list[Any])

    def task(self, **more: Any) -> Task[Any]:
        made = Task[Any](
            "Work",
            ready=self.ready.append,
            failed=self.failed.append,
            cancelled=lambda: self.cancelled.append(True),
            moved=lambda: self.reports.append((made.fraction, made.sentence)),
            message=self.messages.append,
            **more,
        )
        return made

    @property
    def ends(self) -> int:
        return len(self.ready) + len(self.failed) + len(self.cancelled)


def in_process(background: Background, task: Task[Any], what: Callable[..., Any], *args: Any) -> None:
    run = cast("Callable[..., object]", background.run)  # the pieces of work have arguments of all kinds
    run(task, what, *args, queue="tests")


def in_own_process(background: Background, task: Task[Any], what: Callable[..., Any], *args: Any) -> None:
    run = cast("Callable[..., object]", background.run)
    run(task, what, *args)


def in_thread(background: Background, task: Task[Any], what: Callable[..., Any], *args: Any) -> None:
    def do(reporter: Reporter) -> Any:
        return what(reporter, *args)

    background.run_in_thread(task, do, queue="tests")


ways = pytest.mark.parametrize("begin", [in_process, in_own_process, in_thread])
