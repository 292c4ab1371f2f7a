"""What to judge: the logs, their cell, and what a log does not say of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QSpinBox, QVBoxLayout, QWidget

from workbench.window.control_page.form_layout import lay_out_form, show_reasons
from workbench.window.health_page.health_task import HealthRequest
from workbench.window.health_page.log_list import LogList
from workbench.window.widgets.basic import Combo, button, pad_text
from workbench.window.widgets.cell_choice import CellChoice
from workbench.window.widgets.pack_choice import PackChoice

WEAKEST: Final = "the weakest"
NUMBER_TIP: Final = "Of a run: the cell whose capacity and resistance are judged"
COLUMNS_TIP: Final = (
    "Where the headers of the log are not known: time=…,voltage=…,current=…,temperature=…,ah=…, by name or place"
)
JUDGE_TIP: Final = "Judge the logs; figures and what could not be judged appear at the right"
STOP_TIP: Final = "End it; it leaves no result"
SIGNS: Final = (("found in the log", ""), ("charge", "charge"), ("discharge", "discharge"))
NO_CELL: Final = "not named"
CELL_TIP: Final = "Its limits and voltages; without it, neither capacity nor limits are judged"


class HealthForm(QWidget):
    """Emits the user's requests."""

    judge_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.logs, self.cell = LogList(), CellChoice("Cell of the logs", none=NO_CELL)
        self.cell.setToolTip(CELL_TIP)
        self.number, self.pack, self.columns, self.sign = QSpinBox(), PackChoice(), QLineEdit(), Combo()
        self.judge = button("Judge", self.judge_wanted.emit, "primary")
        self.stop = button("Stop", self.stop_wanted.emit)
        self._dress()
        below = QWidget()
        rows = (
            *(("Cell", self.cell), ("Number", self.number), ("Pack", self.pack)),
            *(("Columns", self.columns), ("Positive is", self.sign)),
        )
        lay_out_form(below, "Cell", rows, (self.judge, self.stop))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.logs)
        column.addWidget(below)
        column.addStretch(1)

    def _dress(self) -> None:
        self.number.setAccessibleName("Number of the cell")
        self.number.setRange(0, 10_000)
        self.number.setSpecialValueText(WEAKEST)
        self.number.setToolTip(NUMBER_TIP)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        pad_text(self.number)
        self.columns.setAccessibleName("Columns of the logs")
        self.columns.setPlaceholderText("found by their headers")
        self.columns.setToolTip(COLUMNS_TIP)
        self.sign.setAccessibleName("What a positive current is")
        for word, value in SIGNS:
            self.sign.addItem(word, value)

    @property
    def request(self) -> HealthRequest:
        """What the form asks for; its folder is for the controller to name."""
        columns, sign = self.columns.text().strip(), str(self.sign.currentData())
        number = self.number.value() or None  # None: the weakest cell of a run, or the only one
        series, parallel = self.pack.value
        return HealthRequest(
            self.logs.paths, Path(), self.cell.value, number, columns, sign, series=series, parallel=parallel
        )

    def show_reasons(self, judge: str, stop: str) -> None:
        """Disable buttons that cannot act; their tool tip states why."""
        show_reasons(((self.judge, judge, JUDGE_TIP), (self.stop, stop, STOP_TIP)))
