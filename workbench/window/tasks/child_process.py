"""Tasks in a child process, one after the other: libraries that are slow to import stay out of the window's process.

Messages on the pipe are tuples whose first item is a word. To the child: `work`, `cancel`, `message`; from it:
`progress`, `message`, then one of `done`, `failed`, `cancelled`. A closed pipe ends the child.
"""

from __future__ import annotations

import tempfile
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from workbench.window.failures import make_failure
from workbench.window.tasks.task import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from workbench.window.tasks.task import Task

CANCEL_S: Final = 3.0  # a cancelled task that still runs after this time is killed
REPORT_S: Final = 0.05  # between two reports of progress
_UNREADABLE: Final = "The result of the child process cannot be read"


class PipeReporter:
    """The reporter in the child process; a closed pipe (the window is gone) cancels the task."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._is_cancelled = False
        self._messages = deque[Any]()
        self._reported: tuple[str, float] = ("", float("-inf"))

    def report(self, fraction: float | None, sentence: str = "") -> bool:
        self._drain()
        before, at_s = self._reported
        now_s = monotonic()
        if not self._is_cancelled and (sentence != before or now_s - at_s >= REPORT_S):
            self._reported = sentence, now_s
            self.send_tuple("progress", fraction, sentence)
        return not self._is_cancelled

    def check(self) -> None:
        self._drain()
        if self._is_cancelled:
            raise Cancelled

    def send(self, message: object) -> None:
        self.send_tuple("message", message)

    def poll(self) -> Any:
        self._drain()
        newest = self._messages.pop() if self._messages else None
        self._messages.clear()
        return newest

    def newest(self) -> Any:
        while not self._messages and not self._is_cancelled:
            self._receive()
        self.check()
        newest = self._messages.pop()
        self._messages.clear()
        return newest

    def send_tuple(self, *message: object) -> None:
        """Send a message; a pipe that nobody reads cancels the task."""
        try:
            self._pipe.send(message)
        except OSError:
            self._is_cancelled = True

    def _drain(self) -> None:
        try:
            while not self._is_cancelled and self._pipe.poll():
                self._receive()
        except OSError:
            self._is_cancelled = True

    def _receive(self) -> None:
        try:
            message = self._pipe.recv()
        except (EOFError, OSError):
            self._is_cancelled = True
            return
        if message[0] == "cancel":
            self._is_cancelled = True
        elif message[0] == "message":
            self._messages.append(message[1])


def serve(pipe: Connection, scratch: str) -> None:
    """Run the work that arrives until the pipe closes; temporary files are in `scratch`, which the window removes."""
    tempfile.tempdir = scratch
    with suppress(EOFError, OSError):
        while True:
            message: Any = _received(pipe)
            if message[0] == "work":
                _do(pipe, *message[1:])
            elif message[0] == "failed":
                pipe.send(message)


def _received(pipe: Connection) -> Any:
    """Return the next message; if it cannot be unpickled, return a `failed` message to send back."""
    try:
        return pipe.recv()
    except (EOFError, OSError):
        raise
    except Exception as error:  # noqa: BLE001  # a module that is missing or broken
        return "failed", make_failure(error, "The task cannot be started")


def _do(pipe: Connection, trouble: str, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    reporter = PipeReporter(pipe)
    try:
        pipe.send(("done", work(reporter, *args)))
    except Cancelled:
        reporter.send_tuple("cancelled")
    except Exception as error:  # noqa: BLE001  # every error is reported to the user
        reporter.send_tuple("failed", make_failure(error, trouble))


class ProcessQueue:
    """The queue in the window. The process starts with the first task; a process that has died is replaced."""

    def __init__(self, name: str, *, stays: bool) -> None:
        """Make a queue; with `stays` the process waits for more tasks after its last one."""
        self._name, self._stays = name, stays
        self._waiting = deque[tuple["Task[Any]", "Callable[..., Any]", tuple[Any, ...]]]()
        self._running: Task[Any] | None = None
        self._child: _Child | None = None
        self._leaving: list[_Child] = []
        self._kill_s = float("inf")

    @property
    def is_busy(self) -> bool:
        return self._running is not None or bool(self._waiting or self._leaving)

    def submit(self, task: Task[Any], work: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._waiting.append((task, work, args))
        self._begin_next()

    def cancel(self, task: Task[Any]) -> None:
        for entry in [entry for entry in self._waiting if entry[0] is task]:
            self._waiting.remove(entry)
            task.drop()
        if task is self._running and self._child is not None:
            self._child.send("cancel")
            self._kill_s = min(self._kill_s, monotonic() + CANCEL_S)

    def send(self, task: Task[Any], message: object) -> None:
        if task is self._running and self._child is not None:
            self._child.send("message", message)

    def poll(self) -> None:
        self._leaving = [child for child in self._leaving if not child.has_ended()]
        while (task := self._running) is not None and self._child is not None:
            message = self._child.receive()
            if message is None:
                break
            self._take(task, message)
        if self._running is not None and monotonic() > self._kill_s:
            task, self._running = self._running, None
            self._dismiss(kill=True)
            task.drop()
        self._begin_next()

    def end(self) -> None:
        for task in (self._running, *(entry[0] for entry in self._waiting)):
            if task is not None:
                task.abandon()
        self._running = None
        self._waiting.clear()
        self._dismiss()

    def wait(self, until_s: float) -> None:
        for child in self._leaving:
            child.wait(until_s)
        self._leaving.clear()

    def _begin_next(self) -> None:
        if self._running is not None or not self._waiting:
            return
        if self._child is not None and not self._child.is_alive:
            self._dismiss()
        task, work, args = self._waiting.popleft()
        self._running, self._kill_s = task, float("inf")
        task.begin()
        try:
            if self._child is None:
                self._child = _Child(self._name)
            self._child.send("work", task.trouble, work, args)
        except Exception as error:  # noqa: BLE001  # no more processes, or what cannot be pickled
            self._running = None
            if not self._stays:
                self._dismiss()
            task.fail(make_failure(error, task.trouble))

    def _take(self, task: Task[Any], message: tuple[Any, ...]) -> None:
        if message[0] == "progress":
            task.report(message[1], message[2])
            return
        if message[0] == "message":
            task.take(message[1])
            return
        self._running = None
        if message[0] == "lost" or not self._stays:
            self._dismiss()
        if message[0] == "done":
            task.finish(message[1])
        elif message[0] == "cancelled":
            task.drop()
        else:
            task.fail(task.lost if message[0] == "lost" else message[1])

    def _dismiss(self, *, kill: bool = False) -> None:
        """Close the pipe, which soon ends the process; do not wait for it here."""
        if self._child is not None:
            self._child.dismiss(kill=kill)
            self._leaving.append(self._child)
            self._child = None


class _Child:
    """A child process, the pipe to it and the folder of its temporary files."""

    def __init__(self, name: str) -> None:
        import multiprocessing  # noqa: PLC0415  # with the first task, not with the window

        from drivers.processes import start_child  # noqa: PLC0415  # as above

        context = multiprocessing.get_context("spawn")
        self._scratch = tempfile.TemporaryDirectory(prefix="pulsebms-task-", ignore_cleanup_errors=True)
        self._pipe, child_end = context.Pipe()
        self._process = context.Process(target=serve, args=(child_end, self._scratch.name), name=name, daemon=True)
        start_child(self._process)
        child_end.close()
        self._until_s = float("inf")

    @property
    def is_alive(self) -> bool:
        return self._process.exitcode is None

    def send(self, *message: object) -> None:
        """Send a message; if the process has died, ignore the error, because `receive` reports it."""
        with suppress(OSError):
            self._pipe.send(message)

    def receive(self) -> tuple[Any, ...] | None:
        """Return the next message, `lost` once the process has ended, None if nothing has arrived."""
        try:
            return self._pipe.recv() if self._pipe.poll() else None
        except (EOFError, OSError):
            return ("lost",)
        except Exception as error:  # noqa: BLE001  # an answer that does not unpickle here
            return "failed", make_failure(error, _UNREADABLE)

    def dismiss(self, *, kill: bool) -> None:
        self._pipe.close()
        self._until_s = monotonic() + CANCEL_S
        if kill:
            self._process.kill()

    def has_ended(self) -> bool:
        """Whether it has gone by now; killed when it stays too long."""
        if self.is_alive:
            if monotonic() > self._until_s:
                self._process.kill()
            return False
        self._scratch.cleanup()
        return True

    def wait(self, until_s: float) -> None:
        self._process.join(max(0.0, until_s - monotonic()))
        if self.is_alive:
            self._process.kill()
            self._process.join()
        self._scratch.cleanup()
