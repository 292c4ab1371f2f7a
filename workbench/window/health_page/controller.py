"""The judgement under way: one at a time, in a child process, its result, and the report that is saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTemporaryDir

from drivers.output_file import write_stream
from workbench.extras import list_missing
from workbench.own_command import make_own_command
from workbench.session.actions import Failure
from workbench.window.control_page.verb_controller import VerbController
from workbench.window.health_page.health_task import JudgedLogs, run_health
from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from workbench.window.health_page.health_task import HealthRequest
    from workbench.window.tasks.background import Background

BUSY: Final = "The logs are being judged."
NOT_BUSY: Final = "No log is being judged."
STOPPING: Final = "It ends."
AT_CLOSE: Final = "The judgement of the logs is stopped."
NO_LOG: Final = "Add a log first, or drop one here."
NO_RESULT: Final = "Judge a log first."
NO_PDF: Final = "This report has no PDF, because the Python package typst is not installed."
PDF_HINT: Final = "Save as .html, or install the extra pdf (pip install 'pulsebms[pdf]') and judge again."
WORD: Final = "judging"
PDF, HTML = ".pdf", ".html"


class HealthController(VerbController):
    """Runs `health` for the window; its results lie in a folder that goes with the window."""

    def __init__(self, background: Background, make_command: Callable[..., list[str]] = make_own_command) -> None:
        super().__init__(NOT_BUSY, STOPPING)
        self._background, self._make_command = background, make_command
        self._home: QTemporaryDir | None = None
        self._runs = 0
        self.judged: JudgedLogs | None = None

    @property
    def word(self) -> str:
        """What stands in place of the page's name; empty while nothing goes on."""
        return WORD if self.is_busy else ""

    def why_not_judge(self, logs: tuple[Path, ...]) -> str:
        if self.is_busy:
            return BUSY
        return "" if logs else NO_LOG

    def why_no_report(self) -> str:
        return BUSY if self.is_busy else "" if self.judged is not None else NO_RESULT

    def judge(self, wanted: HealthRequest) -> None:
        """Judge logs of one cell, unless it cannot be started."""
        if self.why_not_judge(wanted.logs):
            return
        request = replace(wanted, folder=self._make_folder(), with_pdf=not list_missing("pdf"))
        self.judged, self._is_stopping = None, False
        task = Task[JudgedLogs | None](
            "Judge the logs",
            ready=self._on_ready,
            failed=self._on_failed,
            moved=self.changed.emit,
            trouble="The logs cannot be judged",
            at_close=AT_CLOSE,
        )
        self.task = self._background.run(task, run_health, request, self._make_command(*request.words))
        self.changed.emit()

    def save(self, path: Path) -> Path | None:
        """Save the report as HTML, or as PDF by the suffix; return the file, None for a failure."""
        judged = self.judged
        if judged is None:
            return None
        target = path if path.suffix.lower() in {PDF, HTML} else path.with_name(f"{path.name}{HTML}")
        source = judged.pdf if target.suffix.lower() == PDF else judged.html
        if source is None:
            self.failed.emit(Failure(NO_PDF, PDF_HINT))
            return None
        try:
            data = source.read_bytes()

            def write(file: BinaryIO) -> None:
                file.write(data)

            write_stream(target, write)
        except OSError as error:
            self.failed.emit(Failure(f"{target} cannot be written: {error.strerror}.", "Choose another place."))
            return None
        return target

    def _make_folder(self) -> Path:
        if self._home is None:
            self._home = QTemporaryDir()
        self._runs += 1
        return Path(self._home.path()) / f"{self._runs}"

    def _on_ready(self, judged: JudgedLogs | None) -> None:
        self.judged = judged
        self.changed.emit()

    def _on_failed(self, failure: Failure) -> None:
        self.failed.emit(failure)
        self.changed.emit()
