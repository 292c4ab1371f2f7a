"""All long work of the window: in a child process, in a thread, or in a process with its own protocol that is polled.

Run heavy work and slow libraries in a child process (`run`), short waits for files and sockets in a thread
(`run_in_thread`). Callbacks run in the window's thread. Closing ends everything.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple

from PySide6.QtCore import QObject, QTimer, Signal

from drivers.clock import monotonic
from workbench.session.actions import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.window.tasks.queues import PolledProcess
    from workbench.window.tasks.task import Queue, Reporter, Task, TaskState

T = TypeVar("T")
P = TypeVar("P", bound="PolledProcess")
Ts = TypeVarTuple("Ts")
POLL_MS: Final = 33
LEAVE_S: Final = 2.0  # time for a child to remove its temporary files when the window closes


class Background(QObject):
    """Runs the tasks of one window; polls while there are any."""

    changed = Signal()  # a task began, progressed or ended
    failed = Signal(Failure)  # a task failed that has no `failed` of its own

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tasks: list[Task[Any]] = []
        self._queues: dict[str, Queue] = {}  # the queue of a single task has a number as its name
        self._numbers = count()
        self._last_states: list[tuple[TaskState, float | None, str]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def shown(self) -> list[Task[Any]]:
        """Tasks to show above the page, oldest first."""
        return [task for task in self.tasks if task.is_shown and not task.done]

    @property
    def at_close(self) -> str:
        """What closing the window does to the oldest task that states it, as a sentence; empty for none."""
        return next((task.at_close for task in self.tasks if task.at_close and not task.done), "")

    @property
    def is_polling(self) -> bool:
        """Whether the timer runs."""
        return self._timer.isActive()

    # ---- begin

    def run(self, task: Task[T], work: Callable[[Reporter, *Ts], T], *args: *Ts, queue: str = "") -> Task[T]:
        """Run `work`, a function of a module, in a child process; arguments and result are pickled.

        Tasks of one `queue` run one after the other in the same process, which stays. Without a queue the task has
        its own process, which ends with it.
        """
        from workbench.window.tasks.child_process import ProcessQueue  # noqa: PLC0415  # with the first task

        found = self._queues.get(queue)
        if not isinstance(found, ProcessQueue):
            found = ProcessQueue(queue or task.title, stays=bool(queue))
        self._enter(task, found, queue)
        found.submit(task, work, args)
        self.changed.emit()
        return task

    def run_in_thread(
        self, task: Task[T], work: Callable[[Reporter], T], *, queue: str, finishes: bool = False
    ) -> Task[T]:
        """Run `work` in the thread of `queue`, after the tasks that wait there.

        Closing waits for the task that runs, and for tasks with `finishes` even if they have not begun.
        """
        from workbench.window.tasks.queues import ThreadQueue  # noqa: PLC0415  # with the first task

        found = self._queues.get(queue)
        if not isinstance(found, ThreadQueue):
            found = ThreadQueue(queue)
        self._enter(task, found, queue)
        found.submit(task, work, finishes=finishes)
        self.changed.emit()
        return task

    def watch(self, task: Task[P], process: P) -> Task[P]:
        """Poll a process that has its own protocol until it is done; the process is the task's result."""
        from workbench.window.tasks.queues import PolledQueue  # noqa: PLC0415  # with the first task

        self._enter(task, PolledQueue(task, process), "")
        self.changed.emit()
        return task

    # ---- meanwhile

    def poll(self) -> None:
        """Poll all queues; a timer calls this while there are tasks."""
        try:
            for queue in list(self._queues.values()):
                queue.poll()
        finally:
            self._update()

    # ---- end

    def end(self, queue: str) -> None:
        """End one queue; block until the tasks that closing waits for are finished and nothing else is left."""
        if (found := self._queues.pop(queue, None)) is not None:
            found.end()
            found.wait(monotonic() + LEAVE_S)
        self._update()

    def close(self) -> None:
        """End everything; block until nothing is left. A second call does nothing."""
        queues = list(self._queues.values())
        self._queues.clear()
        for queue in queues:
            queue.end()
        until_s = monotonic() + LEAVE_S
        for queue in queues:
            queue.wait(until_s)
        self._update()

    def _enter(self, task: Task[Any], queue: Queue, name: str) -> None:
        self.tasks.append(task)
        task.enter(queue, self.failed.emit)
        self._queues[name or f"#{next(self._numbers)}"] = queue
        self._timer.start()

    def _update(self) -> None:
        """Remove tasks that have ended, stop the timer if no queue is busy, emit `changed` if a task changed."""
        self.tasks[:] = [task for task in self.tasks if not task.done]
        for name in [name for name, queue in self._queues.items() if name.startswith("#") and not queue.is_busy]:
            del self._queues[name]
        if not any(queue.is_busy for queue in self._queues.values()):
            self._timer.stop()
        states = [(task.state, task.fraction, task.sentence) for task in self.tasks]
        if states != self._last_states:
            self._last_states = states
            self.changed.emit()
