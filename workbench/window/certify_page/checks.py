"""The checks of one case: the measured value, the limits, the verdict and its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from workbench.certificates.results import Verdict
from workbench.window.certify_page import style
from workbench.window.widgets.item_data import guard_data
from workbench.window.widgets.table_model import Index, TableModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.certificates.results import CaseCheck
    from workbench.window.widgets.themes import Theme

HEADS: Final = ("Verdict", "Check", "Value", "Limits", "Unit", "Reason")
_WIDTHS: Final = (104, 220, 130, 140, 64)
_NUMBERS: Final = (2, 3)
_ROW_PX: Final = 26


class CheckModel(TableModel["CaseCheck"]):
    """Checks of a case; rows are added while the case runs."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(HEADS, _NUMBERS)
        self.theme = theme

    def show_checks(self, rows: Sequence[CaseCheck]) -> None:
        """Show other checks, or more of the same case; rows that stay keep their selection."""
        old, new = len(self.rows), len(rows)
        if new >= old and list(rows[:old]) == list(self.rows):
            if new > old:
                self.beginInsertRows(QModelIndex(), old, new - 1)
                self.rows = list(rows)
                self.endInsertRows()
            return
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    @guard_data
    def data(
        self, index: Index, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | QIcon | QColor | Qt.AlignmentFlag | None:
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _texts(row)[column]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{row.name}\n{row.reason or style.MEANING[row.verdict]}"
        if column == 0 and role == Qt.ItemDataRole.DecorationRole:
            return style.verdict_icon(row.verdict, self.theme.name)
        if column == 0 and role == Qt.ItemDataRole.ForegroundRole:
            return QColor(style.find_verdict_colour(row.verdict, self.theme))
        return None


def _texts(row: CaseCheck) -> tuple[str, ...]:
    return (row.verdict.value, row.name, style.value(row), style.limits(row), style.unit(row), row.reason)


class CheckTable(QTableView):
    """One row per check; the plots show the instant of the current row."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.checks = CheckModel(theme)
        self.setModel(self.checks)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setItemDelegate(style.FlatItemDelegate(self))
        self.setAccessibleName("Checks of the case")
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionResizeMode(len(HEADS) - 1, QHeaderView.ResizeMode.Stretch)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)

    def set_theme(self, theme: Theme) -> None:
        self.checks.theme = theme
        self.viewport().update()

    def choose_first(self) -> None:
        """Select the first failed check, else the first check."""
        rows = self.checks.rows
        wrong = next((n for n, row in enumerate(rows) if row.verdict not in (Verdict.PASS, Verdict.NA)), 0)
        if rows:
            self.selectRow(wrong)

    @property
    def selected_check(self) -> CaseCheck | None:
        """Return the selected check."""
        rows = self.selectionModel().selectedRows()
        return self.checks.rows[rows[0].row()] if rows else None
