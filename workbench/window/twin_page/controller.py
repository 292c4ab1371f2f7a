"""The twins laid so far, the newest fit, and the work under way: one verb at a time in a child process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal

from workbench.own_command import make_own_command
from workbench.window.control_page.verb_controller import VerbController
from workbench.window.tasks.task import Task
from workbench.window.twin_page.model import LaidTwin, LayRequest, RefitRequest, RefitResult
from workbench.window.twin_page.twin_tasks import lay, refit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from workbench.session.actions import Failure
    from workbench.window.tasks.background import Background

QUEUE: Final = "twin"
BUSY: Final = "A twin or a fit is under way."
NOT_BUSY: Final = "No twin and no fit is under way."
STOPPING: Final = "It ends, and writes nothing."
AT_CLOSE: Final = "The fit is stopped; it leaves no file."
NO_LOG: Final = "Choose a log or a run first, or drop one here."
NO_TESTS: Final = "Choose a list of tests first, or drop one here."
LAYING, FITTING = "laying", "fitting"


class TwinController(VerbController):
    """Runs `twin` and `fit` for the window."""

    laid = Signal()  # another twin, or one less
    fitted = Signal()

    def __init__(
        self,
        background: Background,
        root: Path | None,
        make_command: Callable[..., list[str]] = make_own_command,
    ) -> None:
        super().__init__(NOT_BUSY, STOPPING)
        self._background, self._make_command = background, make_command
        self.folder = None if root is None else root.resolve() / "cells"
        self.twins: list[LaidTwin] = []
        self.result: RefitResult | None = None
        self.newest: LayRequest | None = None  # the twin laid last
        self._waiting: list[LayRequest] = []
        self._is_fit = False

    @property
    def is_fitting(self) -> bool:
        """Whether a fit is under way."""
        return self.is_busy and self._is_fit

    @property
    def word(self) -> str:
        """What stands in place of the page's name; empty while nothing goes on."""
        return (FITTING if self._is_fit else LAYING) if self.is_busy else ""

    def why_not_lay(self, log: Path | None) -> str:
        return BUSY if self.is_busy else "" if log is not None else NO_LOG

    def why_not_fit(self, tests: Path | None) -> str:
        return BUSY if self.is_busy else "" if tests is not None else NO_TESTS

    # ---- work

    def lay(self, requests: Sequence[LayRequest]) -> None:
        """Lay these twins, one after the other, unless work is under way."""
        if not self.is_busy and requests:
            self._waiting = list(requests)
            self._lay_next()

    def fit(self, request: RefitRequest) -> None:
        """Fit a cell, unless work is under way."""
        if not self.is_busy:
            self._is_fit, self._is_stopping = True, False
            work = Task[RefitResult | None](
                f"Fit {request.tests.name}",
                ready=self._on_fitted,
                failed=self._on_failed,
                moved=self.changed.emit,
                trouble="The cell cannot be fitted",
                at_close=AT_CLOSE,
            )
            command = self._make_command(*request.words)
            self.task = self._background.run(work, refit, request, command, queue=QUEUE)
            self.changed.emit()

    def remove(self, request: LayRequest) -> None:
        """Take a twin off the page."""
        self.twins = [twin for twin in self.twins if twin.request != request]
        self.laid.emit()

    def _lay_next(self) -> None:
        request = self._waiting.pop(0)
        self._is_fit, self._is_stopping = False, False
        work = Task[LaidTwin | None](
            f"{request.name} over {request.log.name}",
            ready=self._on_laid,
            failed=self._on_failed,
            moved=self.changed.emit,
            trouble="The twin cannot be laid",
        )
        command = self._make_command(*request.words)
        self.task = self._background.run(work, lay, request, command, queue=QUEUE)
        self.changed.emit()

    def _on_laid(self, twin: LaidTwin | None) -> None:
        if twin is None:
            self._waiting.clear()
        else:
            self.twins = [one for one in self.twins if one.request != twin.request] + [twin]
            self.newest = twin.request
            self.laid.emit()
        if self._waiting:
            self._lay_next()
        self.changed.emit()

    def _on_fitted(self, result: RefitResult | None) -> None:
        if result is not None:
            self.result = result
            self.fitted.emit()
        self.changed.emit()

    def _on_failed(self, failure: Failure) -> None:
        self._waiting.clear()
        self.failed.emit(failure)
        self.changed.emit()
