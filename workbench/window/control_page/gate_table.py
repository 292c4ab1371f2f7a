"""The gates of a judgement: name, result, evidence, and the reason of one that does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from workbench.window.bundle_page.style import mark
from workbench.window.control_page.promotion_files import FAILS, HOLDS, NOT_RUN, SHORTENED, GateResult
from workbench.window.widgets.item_data import guard_data
from workbench.window.widgets.table_model import Index, TableModel
from workbench.window.widgets.themes import measure_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from workbench.window.widgets.themes import Theme

HEADS: Final = ("Gate", "Result", "Evidence", "Reason")
NAME, RESULT, EVIDENCE, REASON = range(4)
STYLES: Final = {
    HOLDS: ("ok", "green"),
    FAILS: ("cross", "fail"),
    SHORTENED: ("warning", "amber"),
    NOT_RUN: ("ring", "muted"),
}
_LEAST_PX: Final = (110, 110, 190, 150)
_PAD_PX: Final = 40


class GateTableModel(TableModel[GateResult]):
    """Shows the gates in the order of the judgement."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(HEADS)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, len(HEADS) - 1))

    def show_gates(self, gates: Sequence[GateResult]) -> None:
        if list(gates) != self.rows:
            self.beginResetModel()
            self.rows = list(gates)
            self.endResetModel()

    def alignment(self, column: int) -> Qt.AlignmentFlag:
        del column
        return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter

    @guard_data
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        gate, column = self.rows[index.row()], index.column()
        symbol, colour = STYLES[gate.word]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return (gate.name, gate.word, gate.evidence, gate.reason)[column]
            case Qt.ItemDataRole.TextAlignmentRole:
                return self.alignment(column)
            case Qt.ItemDataRole.ForegroundRole:
                return self._theme.colour(colour if column == RESULT else "muted" if column == EVIDENCE else "text")
            case Qt.ItemDataRole.DecorationRole if column == RESULT:
                return mark(symbol, self._theme.colour(colour).name())
            case _:
                return None


class GateTable(QTableView):
    """Wraps long evidence, so that no text is cut."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.gates = GateTableModel(theme)
        self.setModel(self.gates)
        self.setShowGrid(False)
        self.setStyleSheet("QTableView::item { padding: 4px 12px; }")  # lines that wrap stay apart
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.verticalHeader().setMinimumSectionSize(26)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setWordWrap(True)
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setAccessibleName("Gates of the promotion")
        self.setMinimumHeight(200)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.gates.modelReset.connect(self._fit_columns)

    def set_theme(self, theme: Theme) -> None:
        self.gates.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        self._fit_columns()

    def _fit_columns(self) -> None:
        """Give names what they need, and share the rest between evidence and reason by their longest texts."""
        names = max((round(measure_text(gate.name)) + _PAD_PX for gate in self.gates.rows), default=0)
        least = [max(_LEAST_PX[NAME], names), *_LEAST_PX[1:]]
        needed = [max((measure_text(text) for text in texts), default=0.0) for texts in self._list_texts()]
        rest = max(0, self.viewport().width() - sum(least))
        share = needed[0] / max(sum(needed), 1.0)
        least[EVIDENCE] += round(rest * share)
        least[REASON] += rest - round(rest * share)
        for column, width in enumerate(least):
            self.setColumnWidth(column, width)

    def _list_texts(self) -> tuple[list[str], list[str]]:
        return [gate.evidence for gate in self.gates.rows], [gate.reason for gate in self.gates.rows]
