"""Long work of the window, in each of its ways: result, progress, cancel, failure, a window that closes meanwhile."""

from __future__ import annotations

from multiprocessing import active_children
from typing import TYPE_CHECKING, Any

import pytest

from tests.workbench.window.tasks import work
from tests.workbench.window.tasks.task_calls import TaskCalls, in_own_process, in_process, ways
from workbench.session.actions import Failure
from workbench.window.tasks.task import Task, TaskState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from workbench.window.tasks.background import Background

pytestmark = pytest.mark.timeout(120)


@ways
def test_answer_arrives_once_in_the_thread_of_the_window(
    background: Background, calls: TaskCalls, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    task = calls.task()
    begin(background, task, work.add, 2, 3)
    assert not task.done
    qtbot.waitUntil(lambda: task.done)
    assert (calls.ready, calls.ends, task.state) == ([5], 1, TaskState.DONE)
    assert background.tasks == []


@ways
def test_progress_is_reported_and_messages_go_both_ways(
    background: Background, calls: TaskCalls, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    task = calls.task()
    begin(background, task, work.count, 3)
    for step in range(3):
        qtbot.waitUntil(lambda step=step: task.sentence == f"step {step}")
        assert task.fraction == pytest.approx(step / 3)
        task.send("go on")
    qtbot.waitUntil(lambda: task.done)
    assert [sentence for _, sentence in calls.reports] == ["step 0", "step 1", "step 2"]


@ways
def test_newest_message_is_the_one_that_was_sent_last(
    background: Background, calls: TaskCalls, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    task = calls.task()
    begin(background, task, work.echo_newest)
    for number in range(50):
        task.send(number)
    qtbot.waitUntil(lambda: calls.messages[-1:] == [49])
    task.cancel()
    qtbot.waitUntil(lambda: task.done)
    assert task.state is TaskState.CANCELLED


@ways
def test_cancelled_work_removes_its_draft(
    background: Background, calls: TaskCalls, qtbot: QtBot, tmp_path: Path, begin: Callable[..., None]
) -> None:
    draft, task = tmp_path / "draft", calls.task()
    begin(background, task, work.go_on_until_cancelled, draft)
    qtbot.waitUntil(draft.exists)
    task.cancel()
    task.cancel()
    qtbot.waitUntil(lambda: task.done)
    assert (len(calls.cancelled), calls.ends) == (1, 1)
    assert not draft.exists()


@ways
def test_task_that_waits_is_cancelled_at_once(
    background: Background, calls: TaskCalls, qtbot: QtBot, tmp_path: Path, begin: Callable[..., None]
) -> None:
    first, waiting = TaskCalls().task(), calls.task()
    begin(background, first, work.go_on_until_cancelled, tmp_path / "draft")
    begin(background, waiting, work.go_on_until_cancelled, tmp_path / "other")
    if begin is not in_own_process:
        waiting.cancel()
        assert waiting.state is TaskState.CANCELLED
    qtbot.waitUntil(lambda: first.state is TaskState.RUNNING)


@ways
def test_error_of_ours_becomes_a_failure_with_its_sentence_and_next_step(
    background: Background, calls: TaskCalls, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    task = calls.task(trouble="it cannot be done", hint="Try it again.")
    begin(background, task, work.refuse)
    qtbot.waitUntil(lambda: task.done)
    assert calls.failed == [task.error]
    assert task.error == Failure("It cannot be done: file cannot be read.", "Name another.")


@ways
def test_defect_becomes_a_failure_with_its_traceback(
    background: Background, calls: TaskCalls, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    task = calls.task(trouble="it cannot be done", hint="Try it again.")
    begin(background, task, work.break_down)
    qtbot.waitUntil(lambda: task.done)
    assert task.error is not None
    assert (task.error.sentence, task.error.hint) == ("It cannot be done: a defect.", "Try it again.")
    assert "ZeroDivisionError" in task.error.details


@ways
def test_failure_that_nobody_takes_is_the_windows(
    background: Background, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    failures = list[Any]()
    background.failed.connect(failures.append)
    begin(background, Task[Any]("Work", ready=lambda _: None), work.refuse)
    qtbot.waitUntil(lambda: bool(failures))
    assert failures[0].hint == "Name another."


@ways
def test_closing_ends_what_works_and_calls_nobody(
    background: Background, calls: TaskCalls, qtbot: QtBot, tmp_path: Path, begin: Callable[..., None]
) -> None:
    task = calls.task(at_close="It is given up.")
    begin(background, task, work.go_on_until_cancelled, tmp_path / "draft")
    begin(background, calls.task(), work.go_on_until_cancelled, tmp_path / "other")
    qtbot.waitUntil((tmp_path / "draft").exists)
    assert background.at_close == "It is given up."
    background.close()
    background.close()
    assert task.state is TaskState.CANCELLED
    assert (list(tmp_path.iterdir()), active_children(), background.tasks, background.at_close) == ([], [], [], "")
    assert calls.ends == 0


def test_timer_rests_when_there_is_nothing_to_do(background: Background, calls: TaskCalls, qtbot: QtBot) -> None:
    in_process(background, calls.task(), work.add, 1, 2)
    qtbot.waitUntil(lambda: calls.ends == 1)
    qtbot.waitUntil(lambda: not background.is_polling)
