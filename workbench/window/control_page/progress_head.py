"""The line above a result: its word, its sentence, and while a verb runs the time left and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import label
from workbench.window.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from workbench.window.tasks.task import Task

_STEPS: Final = 1000  # of the bar


class ProgressHead(QWidget):
    """`name` says what the bar is of; `buttons` stand at the right."""

    def __init__(self, name: str, *buttons: QWidget, tone: str = "") -> None:
        super().__init__()
        self.word, self.text, self.left = QLabel(), ElidedLabel(tone), label(tone="muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(160, 4)
        self.bar.setRange(0, _STEPS)
        self.bar.setAccessibleName(name)
        line = QHBoxLayout(self)
        line.setContentsMargins(16, 8, 16, 8)
        line.setSpacing(8)
        line.addWidget(self.word)
        line.addWidget(self.text, 1)
        for part in (self.left, self.bar, *buttons):
            line.addWidget(part)

    def show_task(self, task: Task[Any] | None) -> None:
        """Show how far a task is; without one, no bar."""
        for part in (self.left, self.bar):
            part.setVisible(task is not None)
        if task is not None:
            self.bar.setValue(round((task.fraction or 0.0) * _STEPS))
            self.left.setText("" if task.left_s is None else f"{fmt.age(task.left_s)} left")
