"""Work in a child process: what is killed, dies or cannot be sent."""

from __future__ import annotations

from multiprocessing import active_children
from typing import TYPE_CHECKING

import pytest

from tests.waiting import LONG_S
from tests.workbench.window.tasks import work
from tests.workbench.window.tasks.task_calls import TaskCalls, in_own_process, in_process
from workbench.window.tasks import child_process
from workbench.window.tasks.task import TaskState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.workbench.window.tasks.task_calls import TaskCalls
    from workbench.window.tasks.background import Background

pytestmark = pytest.mark.timeout(120)


def test_queue_does_one_task_after_the_other_in_the_same_process(
    background: Background, calls: TaskCalls, qtbot: QtBot
) -> None:
    for what in (work.pid, work.refuse, work.pid):
        in_process(background, calls.task(), what)
    assert [task.state for task in background.tasks] == [TaskState.RUNNING, TaskState.WAITING, TaskState.WAITING]
    qtbot.waitUntil(lambda: calls.ends == 3)
    assert calls.ready[0] == calls.ready[1]
    assert len(calls.failed) == 1


def test_process_that_dies_is_a_failure_and_the_next_task_has_another(
    background: Background, calls: TaskCalls, qtbot: QtBot
) -> None:
    tasks = [calls.task() for _ in range(3)]
    for task, what in zip(tasks, (work.pid, work.exit_at_once, work.pid), strict=True):
        in_process(background, task, what)
    qtbot.waitUntil(lambda: calls.ends == 3)
    assert calls.failed == [tasks[1].lost]
    assert calls.ready[0] != calls.ready[1]


def test_process_that_is_killed_from_outside_is_a_failure(
    background: Background, calls: TaskCalls, qtbot: QtBot, tmp_path: Path
) -> None:
    task = calls.task()
    in_own_process(background, task, work.go_on_until_cancelled, tmp_path / "draft")
    qtbot.waitUntil((tmp_path / "draft").exists)
    (process,) = active_children()
    process.kill()
    qtbot.waitUntil(lambda: task.done)
    assert calls.failed == [task.lost]


def test_idle_process_that_is_killed_is_followed_by_another(
    background: Background, calls: TaskCalls, qtbot: QtBot
) -> None:
    in_process(background, calls.task(), work.pid)
    qtbot.waitUntil(lambda: calls.ends == 1)
    (process,) = active_children()
    process.kill()
    process.join(LONG_S)
    in_process(background, calls.task(), work.pid)
    qtbot.waitUntil(lambda: calls.ends == 2)
    assert calls.ready[0] != calls.ready[1]


def test_work_that_ignores_a_cancel_is_killed_with_its_temporary_files(
    background: Background, calls: TaskCalls, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "CANCEL_S", 0.1)
    task = calls.task()
    in_process(background, task, work.never_look)
    qtbot.waitUntil(lambda: bool(calls.messages))
    assert calls.messages[0].is_dir()
    task.cancel()
    qtbot.waitUntil(lambda: task.done)
    assert (task.state, calls.ends) == (TaskState.CANCELLED, 1)
    qtbot.waitUntil(lambda: not calls.messages[0].exists())


@pytest.mark.parametrize("begin", [in_process, in_own_process])
def test_what_cannot_be_pickled_is_a_failure(
    background: Background, calls: TaskCalls, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    begin(background, calls.task(), work.answer_what_cannot_be_pickled)
    begin(background, calls.task(), work.add, 1, lambda: None)
    qtbot.waitUntil(lambda: calls.ends == 2)
    assert len(calls.failed) == 2


def test_closing_kills_what_does_not_end(background: Background, calls: TaskCalls, qtbot: QtBot) -> None:
    in_process(background, calls.task(), work.never_look)
    qtbot.waitUntil(lambda: bool(calls.messages))
    background.close()
    assert active_children() == []
    assert not calls.messages[0].exists()
