"""One verb at a time in a child process of the window: whether it goes on, and how it is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from workbench.session.actions import Failure
from workbench.window.control_page.verb_process import STOP

if TYPE_CHECKING:
    from workbench.window.tasks.task import Task


class VerbController(QObject):
    """Base of the controllers that run a verb; `not_busy` and `stopping` are their reasons not to stop it."""

    changed = Signal()  # what is under way, or how far it is
    failed = Signal(Failure)

    def __init__(self, not_busy: str, stopping: str) -> None:
        super().__init__()
        self.task: Task[Any] | None = None
        self._is_stopping = False
        self._not_busy, self._stopping = not_busy, stopping

    @property
    def is_busy(self) -> bool:
        return self.task is not None and not self.task.done

    def why_not_stop(self) -> str:
        if not self.is_busy:
            return self._not_busy
        return self._stopping if self._is_stopping else ""

    def stop(self) -> None:
        """Ask the verb to end in order."""
        if self.task is not None and not self.why_not_stop():
            self._is_stopping = True
            self.task.send(STOP)
            self.changed.emit()
