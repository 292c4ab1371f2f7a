"""The trainings of one folder: the one under way, the earlier ones, and why none can be started."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal

import control.tasks
from workbench.extras import list_missing
from workbench.own_command import make_own_command
from workbench.window.control_page.training_files import TrainingRecord, list_trainings
from workbench.window.control_page.training_task import TrainingRequest, train
from workbench.window.control_page.verb_controller import VerbController
from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.session.actions import Failure
    from workbench.window.tasks.background import Background

FOLDER: Final = "trainings"
FILES: Final = "control files"  # the queue that reads folders
EXTRA: Final = "rl"
INSTALL: Final = "pip install 'pulsebms[rl]'"
NO_EXTRA: Final = "Training needs the extra rl, which is not installed."
NO_ROOT: Final = "This window has no folder for trainings; open it with --out."
BUSY: Final = "A training is under way."
NOT_BUSY: Final = "No training is under way."
STOPPING: Final = "The training ends its row and is saved."
AT_CLOSE: Final = "The training is stopped and saved; it can be resumed."
NO_RESUME: Final = "Choose a training that was stopped and has a summary."
WORKING, STOPPED, ENDED, FAILED = "training", "stopped", "ended", "failed"


def list_shipped_tasks() -> list[str]:
    """Return the names of the shipped tasks, without reading them."""
    return sorted(path.stem for path in (Path(control.tasks.__file__).parent / "shipped").glob("*.toml"))


class TrainingController(VerbController):
    """Runs one training at a time."""

    listed = Signal()

    def __init__(
        self,
        background: Background,
        root: Path | None,
        make_command: Callable[..., list[str]] = make_own_command,
        find_missing: Callable[[str], Sequence[str]] = list_missing,
    ) -> None:
        super().__init__(NOT_BUSY, STOPPING)
        self._background, self._make_command, self._find_missing = background, make_command, find_missing
        self.root = None if root is None else root.resolve() / FOLDER
        self.records: dict[Path, TrainingRecord] = {}
        self.request: TrainingRequest | None = None  # of the training under way, or of the last one
        self.state = ""
        self._missing: Sequence[str] | None = None

    @property
    def has_extra(self) -> bool:
        """Whether the libraries of a training are installed; looked for once."""
        if self._missing is None:
            self._missing = self._find_missing(EXTRA)
        return not self._missing

    @property
    def word(self) -> str:
        """What stands in place of the page's name; empty while nothing goes on."""
        return WORKING if self.is_busy else ""

    def why_not_start(self) -> str:
        if self.root is None:
            return NO_ROOT
        if self.is_busy:
            return BUSY
        return "" if self.has_extra else f"{NO_EXTRA} Install it: {INSTALL}"

    def why_not_resume(self, record: TrainingRecord | None) -> str:
        if why_not := self.why_not_start():
            return why_not
        is_known = record is not None and record.has_checkpoint and record.has_ended and record.task
        return "" if is_known else NO_RESUME

    # ---- work

    def make_folder(self, task: str, algorithm: str) -> Path:
        """Return a new folder for a training of this task."""
        stamp = datetime.now().astimezone().strftime("%Y-%m-%d_%H%M%S")
        return (self.root or Path()) / f"{stamp}_{Path(task).stem}_{algorithm}"

    def start(self, task: str, algorithm: str, seeds: int, minutes: float) -> None:
        """Start a training in a new folder, unless it cannot be started."""
        if not self.why_not_start():
            self._run(TrainingRequest(task, algorithm, seeds, minutes, self.make_folder(task, algorithm)))

    def resume(self, record: TrainingRecord, minutes: float) -> None:
        """Continue a training in its folder for so many more minutes."""
        if not self.why_not_resume(record):
            seeds = len(record.seeds)
            self._run(TrainingRequest(record.task, record.algorithm, seeds, minutes, record.folder, resume=True))

    def _run(self, request: TrainingRequest) -> None:
        request.out.parent.mkdir(parents=True, exist_ok=True)
        self.request, self.state, self._is_stopping = request, WORKING, False
        self._take(TrainingRecord(request.out, task=request.task, algorithm=request.algorithm))
        work = Task[bool](
            f"Train {request.task}",
            ready=self._on_ready,
            failed=self._on_failed,
            moved=self.changed.emit,
            message=self._take,
            trouble="The training failed",
            at_close=AT_CLOSE,
        )
        self.task = self._background.run(work, train, request, self._make_command(*request.words))
        self.changed.emit()

    def _take(self, record: TrainingRecord) -> None:
        if self.request is not None and not record.task:  # no summary yet
            record = replace(record, task=self.request.task, algorithm=self.request.algorithm)
        self.records = {record.folder: record} | {
            folder: one for folder, one in self.records.items() if folder != record.folder
        }
        self.listed.emit()

    def _on_ready(self, has_ended: bool) -> None:  # noqa: FBT001  # the result of the task
        self.state = ENDED if has_ended else STOPPED
        self.changed.emit()
        self.refresh()

    def _on_failed(self, failure: Failure) -> None:
        self.state = FAILED
        if self.request is not None and not self.records[self.request.out].seeds:
            del self.records[self.request.out]
        self.failed.emit(failure)
        self.changed.emit()
        self.listed.emit()

    # ---- earlier trainings

    def refresh(self) -> None:
        """Read the folder of trainings again."""
        if self.root is not None:
            task = Task[list[TrainingRecord]]("List the trainings", ready=self._on_listed)
            root = self.root
            self._background.run_in_thread(task, lambda _: list_trainings(root), queue=FILES)

    def _on_listed(self, records: list[TrainingRecord]) -> None:
        now = self.request.out if self.is_busy and self.request is not None else None
        kept = {now: self.records[now]} if now in self.records else {}
        self.records = {**{record.folder: record for record in records}, **kept}
        self.listed.emit()
