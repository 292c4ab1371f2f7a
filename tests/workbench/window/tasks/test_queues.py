"""Work in a thread, and processes with a protocol of their own that are polled."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.waiting import LONG_S
from tests.workbench.window.tasks.task_calls import TaskCalls
from workbench.window.tasks.task import TaskState

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.workbench.window.tasks.task_calls import TaskCalls
    from workbench.window.tasks.background import Background
    from workbench.window.tasks.task import Reporter

pytestmark = pytest.mark.timeout(120)


def test_closing_waits_for_what_must_be_finished(background: Background, calls: TaskCalls) -> None:
    go, done = Event(), list[str]()

    def write(name: str, _reporter: Reporter) -> None:
        assert go.wait(LONG_S)
        done.append(name)

    background.run_in_thread(calls.task(), partial(write, "under way"), queue="files")
    background.run_in_thread(calls.task(), partial(write, "waiting"), queue="files")
    background.run_in_thread(calls.task(), partial(write, "must"), queue="files", finishes=True)
    go.set()
    background.close()
    assert done[-1] == "must"
    assert background.tasks == []


class Stepped:
    """A process of its own kind: done after some looks, or broken."""

    def __init__(self, looks: int, error: Exception | None = None) -> None:
        self.looks, self.closed, self._error = looks, False, error

    @property
    def done(self) -> bool:
        return self.looks <= 0 or self.closed

    def poll(self) -> None:
        self.looks -= 1
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self.closed = True


def test_watched_process_is_polled_until_it_is_done(background: Background, calls: TaskCalls, qtbot: QtBot) -> None:
    process = Stepped(3)
    background.watch(calls.task(), process)
    qtbot.waitUntil(lambda: calls.ends == 1)
    assert (calls.ready, len(calls.reports), process.looks) == ([process], 3, 0)


def test_watched_process_that_cannot_be_polled_is_closed_and_a_failure(
    background: Background, calls: TaskCalls, qtbot: QtBot
) -> None:
    process = Stepped(3, OSError("gone"))
    background.watch(calls.task(), process)
    qtbot.waitUntil(lambda: calls.ends == 1)
    assert process.closed
    assert calls.failed[0].sentence == "Gone."


@pytest.mark.parametrize("closing", [False, True])
def test_watched_process_is_closed_by_a_cancel_and_with_the_window(
    background: Background, calls: TaskCalls, *, closing: bool
) -> None:
    process, task = Stepped(10**6), calls.task()
    background.watch(task, process)
    background.close() if closing else task.cancel()
    assert process.closed
    assert task.state is TaskState.CANCELLED
    assert calls.ends == (0 if closing else 1)


def test_thread_that_is_cancelled_after_its_last_look_still_answers(
    background: Background, calls: TaskCalls, qtbot: QtBot
) -> None:
    began, go = Event(), Event()

    def do(_reporter: Reporter) -> str:
        began.set()
        assert go.wait(LONG_S)
        return "answer"

    task = calls.task()
    background.run_in_thread(task, do, queue="files")
    assert began.wait(LONG_S)
    task.cancel()
    go.set()
    qtbot.waitUntil(lambda: task.done)
    assert calls.ready == ["answer"]
