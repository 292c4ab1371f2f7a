"""Long work of the window: progress, cancel, failure, a process that is killed, a window that closes meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from multiprocessing import active_children
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.waiting import LONG_S
from tests.workbench.window.tasks import work
from workbench.session.actions import Failure
from workbench.window.tasks import child_process
from workbench.window.tasks.task import Task, TaskState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from workbench.window.tasks.background import Background
    from workbench.window.tasks.task import Reporter

pytestmark = pytest.mark.timeout(120)


@dataclass
class Heard:
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


@pytest.fixture
def heard() -> Heard:
    return Heard()


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


@ways
def test_answer_arrives_once_in_the_thread_of_the_window(
    background: Background, heard: Heard, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    task = heard.task()
    begin(background, task, work.add, 2, 3)
    assert not task.done
    qtbot.waitUntil(lambda: task.done)
    assert (heard.ready, heard.ends, task.state) == ([5], 1, TaskState.DONE)
    assert background.tasks == []


@ways
def test_progress_is_reported_and_messages_go_both_ways(
    background: Background, heard: Heard, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    task = heard.task()
    begin(background, task, work.count, 3)
    for step in range(3):
        qtbot.waitUntil(lambda step=step: task.sentence == f"step {step}")
        assert task.fraction == pytest.approx(step / 3)
        task.send("go on")
    qtbot.waitUntil(lambda: task.done)
    assert [sentence for _, sentence in heard.reports] == ["step 0", "step 1", "step 2"]


@ways
def test_newest_message_is_the_one_that_was_sent_last(
    background: Background, heard: Heard, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    task = heard.task()
    begin(background, task, work.echo_newest)
    for number in range(50):
        task.send(number)
    qtbot.waitUntil(lambda: heard.messages[-1:] == [49])
    task.cancel()
    qtbot.waitUntil(lambda: task.done)
    assert task.state is TaskState.CANCELLED


@ways
def test_cancelled_work_removes_its_draft(
    background: Background, heard: Heard, qtbot: QtBot, tmp_path: Path, begin: Callable[..., None]
) -> None:
    draft, task = tmp_path / "draft", heard.task()
    begin(background, task, work.go_on_until_cancelled, draft)
    qtbot.waitUntil(draft.exists)
    task.cancel()
    task.cancel()
    qtbot.waitUntil(lambda: task.done)
    assert (len(heard.cancelled), heard.ends) == (1, 1)
    assert not draft.exists()


@ways
def test_task_that_waits_is_cancelled_at_once(
    background: Background, heard: Heard, qtbot: QtBot, tmp_path: Path, begin: Callable[..., None]
) -> None:
    first, waiting = Heard().task(), heard.task()
    begin(background, first, work.go_on_until_cancelled, tmp_path / "draft")
    begin(background, waiting, work.go_on_until_cancelled, tmp_path / "other")
    if begin is not in_own_process:
        waiting.cancel()
        assert waiting.state is TaskState.CANCELLED
    qtbot.waitUntil(lambda: first.state is TaskState.RUNNING)


@ways
def test_error_of_ours_becomes_a_failure_with_its_sentence_and_next_step(
    background: Background, heard: Heard, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    task = heard.task(trouble="it cannot be done", hint="Try it again.")
    begin(background, task, work.refuse)
    qtbot.waitUntil(lambda: task.done)
    assert heard.failed == [task.error]
    assert task.error == Failure("It cannot be done: file cannot be read.", "Name another.")


@ways
def test_defect_becomes_a_failure_with_its_traceback(
    background: Background, heard: Heard, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    task = heard.task(trouble="it cannot be done", hint="Try it again.")
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


def test_queue_does_one_task_after_the_other_in_the_same_process(
    background: Background, heard: Heard, qtbot: QtBot
) -> None:
    for what in (work.pid, work.refuse, work.pid):
        in_process(background, heard.task(), what)
    assert [task.state for task in background.tasks] == ["running", "waiting", "waiting"]
    qtbot.waitUntil(lambda: heard.ends == 3)
    assert heard.ready[0] == heard.ready[1]
    assert len(heard.failed) == 1


def test_process_that_dies_is_a_failure_and_the_next_task_has_another(
    background: Background, heard: Heard, qtbot: QtBot
) -> None:
    for what in (work.pid, work.exit_at_once, work.pid):
        in_process(background, heard.task(), what)
    qtbot.waitUntil(lambda: heard.ends == 3)
    assert heard.failed[0].sentence == "Work: the process ended unexpectedly."
    assert heard.ready[0] != heard.ready[1]


def test_process_that_is_killed_from_outside_is_a_failure(
    background: Background, heard: Heard, qtbot: QtBot, tmp_path: Path
) -> None:
    task = heard.task()
    in_own_process(background, task, work.go_on_until_cancelled, tmp_path / "draft")
    qtbot.waitUntil((tmp_path / "draft").exists)
    (process,) = active_children()
    process.kill()
    qtbot.waitUntil(lambda: task.done)
    assert heard.failed == [task.lost]


def test_idle_process_that_is_killed_is_followed_by_another(background: Background, heard: Heard, qtbot: QtBot) -> None:
    in_process(background, heard.task(), work.pid)
    qtbot.waitUntil(lambda: heard.ends == 1)
    (process,) = active_children()
    process.kill()
    process.join(LONG_S)
    in_process(background, heard.task(), work.pid)
    qtbot.waitUntil(lambda: heard.ends == 2)
    assert heard.ready[0] != heard.ready[1]


def test_work_that_does_not_hear_a_cancel_is_killed_with_its_temporary_files(
    background: Background, heard: Heard, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "CANCEL_S", 0.1)
    task = heard.task()
    in_process(background, task, work.never_look)
    qtbot.waitUntil(lambda: bool(heard.messages))
    assert heard.messages[0].is_dir()
    task.cancel()
    qtbot.waitUntil(lambda: task.done)
    assert (task.state, heard.ends) == (TaskState.CANCELLED, 1)
    qtbot.waitUntil(lambda: not heard.messages[0].exists())


@pytest.mark.parametrize("begin", [in_process, in_own_process])
def test_what_cannot_be_pickled_is_a_failure(
    background: Background, heard: Heard, qtbot: QtBot, begin: Callable[..., None]
) -> None:
    begin(background, heard.task(), work.answer_what_cannot_be_pickled)
    begin(background, heard.task(), work.add, 1, lambda: None)
    qtbot.waitUntil(lambda: heard.ends == 2)
    assert len(heard.failed) == 2


@ways
def test_closing_ends_what_works_and_calls_nobody(
    background: Background, heard: Heard, qtbot: QtBot, tmp_path: Path, begin: Callable[..., None]
) -> None:
    task = heard.task(at_close="It is given up.")
    begin(background, task, work.go_on_until_cancelled, tmp_path / "draft")
    begin(background, heard.task(), work.go_on_until_cancelled, tmp_path / "other")
    qtbot.waitUntil((tmp_path / "draft").exists)
    assert background.at_close == "It is given up."
    background.close()
    background.close()
    assert task.state is TaskState.CANCELLED
    assert (list(tmp_path.iterdir()), active_children(), background.tasks, background.at_close) == ([], [], [], "")
    assert heard.ends == 0


def test_closing_kills_what_does_not_end(background: Background, heard: Heard, qtbot: QtBot) -> None:
    in_process(background, heard.task(), work.never_look)
    qtbot.waitUntil(lambda: bool(heard.messages))
    background.close()
    assert active_children() == []
    assert not heard.messages[0].exists()


def test_closing_waits_for_what_must_be_finished(background: Background, heard: Heard) -> None:
    go, done = Event(), list[str]()

    def write(name: str, _reporter: Reporter) -> None:
        assert go.wait(LONG_S)
        done.append(name)

    background.run_in_thread(heard.task(), partial(write, "under way"), queue="files")
    background.run_in_thread(heard.task(), partial(write, "waiting"), queue="files")
    background.run_in_thread(heard.task(), partial(write, "must"), queue="files", finishes=True)
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


def test_watched_process_is_polled_until_it_is_done(background: Background, heard: Heard, qtbot: QtBot) -> None:
    process = Stepped(3)
    background.watch(heard.task(), process)
    qtbot.waitUntil(lambda: heard.ends == 1)
    assert (heard.ready, len(heard.reports), process.looks) == ([process], 3, 0)


def test_watched_process_that_cannot_be_polled_is_closed_and_a_failure(
    background: Background, heard: Heard, qtbot: QtBot
) -> None:
    process = Stepped(3, OSError("gone"))
    background.watch(heard.task(), process)
    qtbot.waitUntil(lambda: heard.ends == 1)
    assert process.closed
    assert heard.failed[0].sentence == "Gone."


@pytest.mark.parametrize("closing", [False, True])
def test_watched_process_is_closed_by_a_cancel_and_with_the_window(
    background: Background, heard: Heard, *, closing: bool
) -> None:
    process, task = Stepped(10**6), heard.task()
    background.watch(task, process)
    background.close() if closing else task.cancel()
    assert process.closed
    assert task.state is TaskState.CANCELLED
    assert heard.ends == (0 if closing else 1)


def test_timer_rests_when_there_is_nothing_to_do(background: Background, heard: Heard, qtbot: QtBot) -> None:
    in_process(background, heard.task(), work.add, 1, 2)
    qtbot.waitUntil(lambda: heard.ends == 1)
    qtbot.waitUntil(lambda: not background.is_polling)


def test_thread_that_is_cancelled_after_its_last_look_still_answers(
    background: Background, heard: Heard, qtbot: QtBot
) -> None:
    began, go = Event(), Event()

    def do(_reporter: Reporter) -> str:
        began.set()
        assert go.wait(LONG_S)
        return "answer"

    task = heard.task()
    background.run_in_thread(task, do, queue="files")
    assert began.wait(LONG_S)
    task.cancel()
    go.set()
    qtbot.waitUntil(lambda: task.done)
    assert heard.ready == ["answer"]
