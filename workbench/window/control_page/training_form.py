"""What to train: the task, the algorithm, the seeds and the time, and the buttons that start, stop and resume."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QSizePolicy, QSpinBox, QWidget

from workbench.window.control_page.copy_line import CopyLine
from workbench.window.control_page.form_layout import lay_out_form, show_reasons
from workbench.window.control_page.training_controller import INSTALL, NO_EXTRA
from workbench.window.widgets.basic import Combo, button, pad_text
from workbench.window.widgets.file_dialogs import ask_open

if TYPE_CHECKING:
    from collections.abc import Sequence

ALGORITHMS: Final = ("sac", "cpo")
OTHER: Final = "Other file…"
START_TIP: Final = "Train one policy for each seed in a child process; the window goes on"
STOP_TIP: Final = "The training ends its row and is saved; it can be resumed"
RESUME_TIP: Final = "Continue the chosen training for so many more minutes"
_SEEDS, _MINUTES = 5, 5.0


class TrainingForm(QWidget):
    """Emits the user's requests."""

    start_wanted = Signal()
    stop_wanted = Signal()
    resume_wanted = Signal()

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        self.tasks, self.algorithm = Combo(), Combo()
        self.seeds, self.minutes = QSpinBox(), QDoubleSpinBox()
        self.start = button("Start training", self.start_wanted.emit, "primary")
        self.stop = button("Stop", self.stop_wanted.emit)
        self.resume = button("Resume", self.resume_wanted.emit)
        self.missing = CopyLine(NO_EXTRA, INSTALL)
        self._shipped = len(tasks)
        self.tasks.addItems([*tasks, OTHER])
        self._at = 0
        self._dress()
        self._lay_out()

    def _dress(self) -> None:
        self.algorithm.addItems([name.upper() for name in ALGORITHMS])
        self.seeds.setRange(1, 20)
        self.seeds.setValue(_SEEDS)
        self.minutes.setRange(0.1, 600.0)
        self.minutes.setDecimals(1)
        self.minutes.setValue(_MINUTES)
        self.minutes.setSuffix(" min")
        names = {
            self.tasks: "Task",
            self.algorithm: "Algorithm",
            self.seeds: "Seeds",
            self.minutes: "Time of each seed",
        }
        for part, name in names.items():
            part.setAccessibleName(name)
        for part in (self.seeds, self.minutes):
            pad_text(part)
            part.setAlignment(Qt.AlignmentFlag.AlignRight)
        for part in (self.tasks, self.algorithm):
            part.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            part.setMinimumContentsLength(8)
        self.tasks.activated.connect(self._on_task_chosen)

    def _lay_out(self) -> None:
        rows = (("Task", self.tasks), ("Algorithm", self.algorithm), ("Seeds", self.seeds), ("Each", self.minutes))
        column = lay_out_form(self, "New training", rows, (self.start, self.stop, self.resume))
        column.addWidget(self.missing)

    # ---- the choices

    @property
    def task(self) -> str:
        """The name of a shipped task, or the path of a file."""
        at = self.tasks.currentIndex()
        return str(self.tasks.itemData(at, Qt.ItemDataRole.ToolTipRole) or self.tasks.itemText(at))

    @property
    def chosen_algorithm(self) -> str:
        return ALGORITHMS[self.algorithm.currentIndex()]

    def _on_task_chosen(self, at: int) -> None:
        if self.tasks.itemText(at) != OTHER:
            self._at = at
            return
        self.tasks.setCurrentIndex(self._at)
        ask_open(self, "Choose a task", "Tasks (*.toml)", self.add_task)

    def add_task(self, file: Path) -> None:
        """Offer a task file, and choose it."""
        self._at = self.tasks.count() - 1
        self.tasks.insertItem(self._at, Path(file).stem)
        self.tasks.setItemData(self._at, str(file), Qt.ItemDataRole.ToolTipRole)
        self.tasks.setCurrentIndex(self._at)

    def show_reasons(self, start: str, stop: str, resume: str, *, has_extra: bool) -> None:
        """Disable buttons that cannot act; their tool tip states why."""
        show_reasons(
            (
                (self.start, start, START_TIP),
                (self.stop, stop, STOP_TIP),
                (self.resume, resume, RESUME_TIP),
            )
        )
        self.missing.setVisible(not has_extra)
