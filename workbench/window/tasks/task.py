"""A task: long work outside the thread that paints, with progress, cancel and exactly one end. Without Qt."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from drivers.clock import monotonic
from workbench.session.actions import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_EARLY: Final = 0.05  # fraction of the work before which the remaining time cannot be estimated


class Cancelled(Exception):  # noqa: N818  # not an error: it was requested
    """Raised inside the work to end it, because it was cancelled or the window is gone."""


class Reporter(Protocol):
    """Reports progress and receives the request to end; the first argument of every piece of work."""

    def report(self, fraction: float | None, sentence: str = "") -> bool:
        """Show `fraction` (0 to 1, None if unknown) and the current step; return False once the work must end."""
        ...

    def check(self) -> None:
        """Raise `Cancelled` once the work must end."""
        ...

    def send(self, message: object) -> None:
        """Send an object before the end; it arrives in the task's `message`."""
        ...

    def poll(self) -> Any:
        """Return the last object from `Task.send` that has arrived, None if there is none; do not wait."""
        ...

    def newest(self) -> Any:
        """Wait for an object from `Task.send` and return the last one; raise `Cancelled` when the work must end."""
        ...


class TaskState(StrEnum):
    """State of a task; the last three are ends."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDS: Final = (TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED)


class Queue(Protocol):
    """Runs tasks one after the other; `Background` polls it."""

    @property
    def is_busy(self) -> bool:
        """Whether `poll` has anything to do."""
        ...

    def cancel(self, task: Task[Any]) -> None: ...

    def send(self, task: Task[Any], message: object) -> None: ...

    def poll(self) -> None:
        """Advance the tasks; their callbacks run in here."""
        ...

    def end(self) -> None:
        """Ask all tasks to end and return at once; no callback runs any more."""
        ...

    def wait(self, until_s: float) -> None:
        """Wait for the end until the monotonic time `until_s`, then use force where force is possible."""
        ...


class Task(Generic[T]):
    """Long work. Exactly one of `ready`, `failed` and `cancelled` is called, in the window's thread.

    None of them is called once the window is closing.
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
        """Describe the work; `Background.run`, `run_in_thread` or `watch` begins it.

        `failed`: if None, `Background.failed` is emitted. `moved`: called after each report of progress.
        `message`: receives what the work sends before its end. `trouble`: first words of a failure's sentence.
        `hint`: the next step if the error has none. `is_shown`: show the task above the page, with progress and a
        cancel button. `at_close`: what closing the window does to the task, as a sentence; the window asks before it
        closes.
        """
        self.why_no_cancel = ""  # every task can be cancelled
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
        """Whether the task has ended, in any way."""
        return self.state in ENDS

    @property
    def left_s(self) -> float | None:
        """Estimated remaining time in s, at the pace so far; None if unknown."""
        if self.fraction is None or self.fraction < _EARLY or self.state is not TaskState.RUNNING:
            return None
        return (monotonic() - self._began_s) * (1.0 - self.fraction) / self.fraction

    def cancel(self) -> None:
        """Ask the task to end; a waiting task ends at once. Do nothing after its end."""
        if self._queue is not None and not self.done:
            self._queue.cancel(self)

    def send(self, message: object) -> None:
        """Send an object to the running work; it is lost if the work has ended."""
        if self._queue is not None and not self.done:
            self._queue.send(self, message)

    # ---- called by the queue that runs the task

    def enter(self, queue: Queue, failed: Callable[[Failure], object]) -> None:
        """Wait in `queue`; use `failed` if the task has none."""
        self._queue, self._failed = queue, self._failed or failed

    def begin(self) -> None:
        self.state, self._began_s = TaskState.RUNNING, monotonic()

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
        """End as cancelled without a callback: the window is closing."""
        self._end(TaskState.CANCELLED)

    def _end(self, state: TaskState) -> bool:
        if self.done:
            return False
        self.state = state
        return True
