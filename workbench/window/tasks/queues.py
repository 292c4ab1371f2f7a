"""Tasks in a thread, one after the other, and processes with a protocol of their own that are polled."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, Any, Final, Protocol

from workbench.window.failures import make_failure
from workbench.window.tasks.task import Cancelled, TaskState

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.window.tasks.task import Reporter, Task

_END: Final = object()


class ThreadReporter:
    """The reporter of a task that runs in a thread."""

    def __init__(self) -> None:
        self.reported: tuple[float | None, str] | None = None  # replaced as a whole
        self.messages = SimpleQueue[Any]()
        self._inbox = SimpleQueue[Any]()
        self._end = Event()

    def report(self, fraction: float | None, sentence: str = "") -> bool:
        self.reported = fraction, sentence
        return not self._end.is_set()

    def check(self) -> None:
        if self._end.is_set():
            raise Cancelled

    def send(self, message: object) -> None:
        self.messages.put(message)

    def poll(self) -> Any:
        newest: Any = None
        while not self._inbox.empty():
            if (message := self._inbox.get()) is not _END:
                newest = message
        return newest

    def newest(self) -> Any:
        newest = self._inbox.get()
        while newest is not _END and not self._inbox.empty():
            newest = self._inbox.get()
        self.check()
        return newest

    # ---- the window's side

    def cancel(self) -> None:
        self._end.set()
        self._inbox.put(_END)

    def put(self, message: object) -> None:
        self._inbox.put(message)


@dataclass(eq=False)
class _Entry:
    task: Task[Any]
    future: Future[Any]
    finishes: bool
    reporter: ThreadReporter


class ThreadQueue:
    """For work that waits on files and sockets. A thread cannot be killed: work that ignores its reporter goes on."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._entries: list[_Entry] = []

    @property
    def is_busy(self) -> bool:
        return bool(self._entries)

    def submit(self, task: Task[Any], work: Callable[[Reporter], Any], *, finishes: bool) -> None:
        reporter = ThreadReporter()
        self._entries.append(_Entry(task, self._executor.submit(work, reporter), finishes, reporter))

    def cancel(self, task: Task[Any]) -> None:
        for entry in [entry for entry in self._entries if entry.task is task]:
            entry.reporter.cancel()
            if entry.future.cancel():
                self._entries.remove(entry)
                task.drop()

    def send(self, task: Task[Any], message: object) -> None:
        for entry in self._entries:
            if entry.task is task:
                entry.reporter.put(message)

    def poll(self) -> None:
        for entry in list(self._entries):
            has_ended = entry.future.done()  # read before the messages, so that none can arrive after the last read
            self._update(entry)
            if has_ended and entry in self._entries:
                self._entries.remove(entry)
                _settle(entry.task, entry.future)

    def end(self) -> None:
        for entry in self._entries:
            entry.task.abandon()
            if not entry.finishes:
                entry.reporter.cancel()
                entry.future.cancel()

    def wait(self, until_s: float) -> None:
        del until_s
        self._executor.shutdown(wait=True)
        self._entries.clear()

    @staticmethod
    def _update(entry: _Entry) -> None:
        if entry.task.state is TaskState.WAITING and (entry.future.running() or entry.future.done()):
            entry.task.begin()
        reported = entry.reporter.reported
        if reported is not None and reported != (entry.task.fraction, entry.task.sentence):
            entry.task.report(*reported)
        while not entry.reporter.messages.empty():
            entry.task.take(entry.reporter.messages.get())


def _settle(task: Task[Any], future: Future[Any]) -> None:
    error = future.exception()
    if error is None:
        task.finish(future.result())
    elif isinstance(error, Cancelled):
        task.drop()
    else:
        task.fail(make_failure(error, task.trouble))


class PolledProcess(Protocol):
    """A process of its own kind; `poll` never blocks."""

    @property
    def done(self) -> bool: ...

    def poll(self) -> object: ...

    def close(self) -> None:
        """End the process, whatever it does, and wait until it has ended."""
        ...


class PolledQueue:
    """One polled process. Cancelling closes it; an error raised by `poll` closes it and fails the task."""

    def __init__(self, task: Task[Any], process: PolledProcess) -> None:
        self._task, self._process = task, process

    @property
    def is_busy(self) -> bool:
        return not self._task.done

    def cancel(self, task: Task[Any]) -> None:
        self._process.close()
        task.drop()

    def send(self, task: Task[Any], message: object) -> None:
        """Do nothing: the process has its own protocol."""

    def poll(self) -> None:
        task = self._task
        if task.done:
            return
        if task.state is TaskState.WAITING:
            task.begin()
        try:
            self._process.poll()
        except Exception as error:  # noqa: BLE001  # every error is reported to the user
            self._process.close()
            task.fail(make_failure(error, task.trouble))
            return
        task.report(task.fraction, task.sentence)
        if self._process.done:
            task.finish(self._process)

    def end(self) -> None:
        self._task.abandon()

    def wait(self, until_s: float) -> None:
        del until_s
        self._process.close()
