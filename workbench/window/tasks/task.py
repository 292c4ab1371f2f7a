"""A task: long work beside the thread that paints, with its progress, its cancel and its one end. Knows no Qt."""

from __future__ import annotations

import time
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from workbench.session.actions import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_EARLY: Final = 0.05  # of the work; before that nobody can tell how long it takes


class Cancelled(Exception):  # noqa: N818  # somebody asked for it
    """Raised in a piece of work to end it, because it was cancelled or the window is gone."""


class Reporter(Protocol):
    """How work tells how far it is and hears that it shall end; the first argument of every piece of work."""

    def report(self, fraction: float | None, sentence: str = "") -> bool:
        """Show `fraction` (0 to 1, None where nobody knows) and what is done now; False once it shall end."""
        ...

    def check(self) -> None:
        """Raise `Cancelled` once it shall end."""
        ...

    def send(self, message: object) -> None:
        """Hand something over before the end; it arrives in the task's `message`."""
        ...

    def newest(self) -> Any:
        """Wait for what `Task.send` sends and return what was sent last; raises `Cancelled` when it shall end."""
        ...


class TaskState(StrEnum):
    """Where a task stands; the last three are ends."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDS: Final = (TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED)


class Queue(Protocol):
    """Where tasks are done one after the other; `Background` polls it."""

    @property
    def is_busy(self) -> bool:
        """Whether `poll` has anything to do."""
        ...

    def cancel(self, task: Task[Any]) -> None: ...

    def send(self, task: Task[Any], message: object) -> None: ...

    def poll(self) -> None:
        """Move the tasks on; their callbacks run in here."""
        ...

    def end(self) -> None:
        """Ask everything to end; returns at once, no callback runs any more."""
        ...

    def wait(self, until_s: float) -> None:
        """Wait for the end until the monotonic time `until_s`, then use force where force is possible."""
        ...


class Task(Generic[T]):
    """Exactly one of the callbacks `ready`, `failed` and `cancelled` is called, in the window's thread.

    None is called once the window is closing.
    """

    def __init__(
        self,
        title: str,
        *,
        ready: Callable[[T], object],
        failed: Callable[[Failure], object] | None = None,
        cancelled: Callable[[], object] | None = None,
        moved: Callable[[], object] | None = None,
        message: Callable[[Any], object] | None = None,
        trouble: str = "",
        hint: str = "",
        is_shown: bool = False,
        at_close: str = "",
    ) -> None:
        """Describe the work; `Background.run` and its neighbours begin it.

        `failed`: `Background.failed` is emitted where none is given. `moved`: called after each report of progress.
        `message`: takes what the work sends before its end. `trouble`: begins the sentence of a failure; `hint`: the
        next step where the error has none. `is_shown`: it stands above the page with its progress and a cancel.
        `at_close`: what closing the window does to it, as a sentence; the window asks before it closes.
        """
        self.title, self.trouble, self.hint = title, trouble, hint
        self.is_shown, self.at_close = is_shown, at_close
        self._ready, self._failed, self._cancelled = ready, failed, cancelled
        self._moved, self._message = moved, message
        self.state = TaskState.WAITING
        self.fraction: float | None = None
        self.sentence = ""
        self.error: Failure | None = None
        self.lost = Failure(f"{title}: the process ended unexpectedly.", "Try again.")
        self._queue: Queue | None = None
        self._began_s = 0.0

    @property
    def done(self) -> bool:
        """Whether it has ended, whichever way."""
        return self.state in ENDS

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest takes at the pace so far; None where nobody knows."""
        if self.fraction is None or self.fraction < _EARLY or self.state is not TaskState.RUNNING:
            return None
        return (time.monotonic() - self._began_s) * (1.0 - self.fraction) / self.fraction

    def cancel(self) -> None:
        """Ask it to end; one that waits ends at once. Does nothing after its end."""
        if self._queue is not None and not self.done:
            self._queue.cancel(self)

    def send(self, message: object) -> None:
        """Hand something to the running work; lost where it has ended."""
        if self._queue is not None and not self.done:
            self._queue.send(self, message)

    # ---- for the queue that does it

    def enter(self, queue: Queue, failed: Callable[[Failure], object]) -> None:
        """Wait in `queue`; `failed` is for a task that has none."""
        self._queue, self._failed = queue, self._failed or failed

    def begin(self) -> None:
        self.state, self._began_s = TaskState.RUNNING, time.monotonic()

    def report(self, fraction: float | None, sentence: str) -> None:
        self.fraction, self.sentence = fraction, sentence
        if self._moved is not None and not self.done:
            self._moved()

    def take(self, message: object) -> None:
        if self._message is not None and not self.done:
            self._message(message)

    def finish(self, result: T) -> None:
        if self._end(TaskState.DONE):
            self._ready(result)

    def fail(self, failure: Failure) -> None:
        if self._end(TaskState.FAILED):
            self.error = failure if failure.hint else replace(failure, hint=self.hint)
            if self._failed is not None:
                self._failed(self.error)

    def drop(self) -> None:
        """End as cancelled."""
        if self._end(TaskState.CANCELLED) and self._cancelled is not None:
            self._cancelled()

    def abandon(self) -> None:
        """End as cancelled without a word: the window is closing."""
        self._end(TaskState.CANCELLED)

    def _end(self, state: TaskState) -> bool:
        if self.done:
            return False
        self.state = state
        return True
