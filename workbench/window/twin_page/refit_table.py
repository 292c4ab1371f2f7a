"""The tests of a fit: which of them it saw, and the error of the cell before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHeaderView, QTableView

from workbench.window.twin_page.model import RefitTest
from workbench.window.widgets import format as fmt
from workbench.window.widgets.item_data import guard_data
from workbench.window.widgets.table_model import Index, TableModel
from workbench.window.widgets.table_view import dress_table

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADS: Final = ("Test", "Kind", "Temperature", "Seen by the fit", "Before", "After", "Change")
HELD, FITTED = "held", "fitted"
_CHANGE: Final = fmt.Display("mV", scale=1e3, decimals=1, signed=True)
_WIDTHS: Final = (80, 112, 128, 108, 108, 108)
_LEAST_PX: Final = 80
_ROW_PX: Final = 26


class RefitTableModel(TableModel[RefitTest]):
    """One row for each test of the list."""

    def __init__(self) -> None:
        super().__init__(HEADS, (2, 4, 5, 6))

    def show_tests(self, tests: Sequence[RefitTest]) -> None:
        self.beginResetModel()
        self.rows = list(tests)
        self.endResetModel()

    @guard_data
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        test, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(test.lay.log)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return (
            "/".join(Path(test.file).parts[-2:]),
            test.kind,
            f"{fmt.figure(test.degc, 0)} °C",
            HELD if test.held else FITTED,
            fmt.MILLIVOLT.text(test.before_v),
            fmt.MILLIVOLT.text(test.after_v),
            _CHANGE.text(test.after_v - test.before_v),
        )[column]


class RefitTable(QTableView):
    """Emits `chosen_changed` when another test is chosen."""

    chosen_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tests = RefitTableModel()
        self.setModel(self.tests)
        header = dress_table(self, "Tests of the fit", _ROW_PX)
        header.setMinimumSectionSize(_LEAST_PX)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, width in enumerate(_WIDTHS, 1):
            self.setColumnWidth(column, width)
        self.setMinimumHeight(160)
        self.selectionModel().selectionChanged.connect(self.chosen_changed)
        self.tests.modelReset.connect(self.chosen_changed)

    @property
    def selected(self) -> RefitTest | None:
        """The chosen test."""
        rows = self.selectionModel().selectedRows()
        return self.tests.rows[rows[0].row()] if rows else None
