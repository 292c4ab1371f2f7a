"""The packs of the fleet, one per row; the selection stays while values change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHeaderView, QTableView

from workbench.window.bundle_page.style import mark
from workbench.window.fleet_page.table_row import COLUMNS, TableCell, is_tripped, make_row
from workbench.window.widgets.item_data import guard_data
from workbench.window.widgets.table_model import Index, TableModel
from workbench.window.widgets.table_view import dress_table
from workbench.window.widgets.themes import font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from edge_bridge.fleet.view import NodeView
    from workbench.window.widgets.themes import Theme

_ROW_PX = 30
_PAD_PX = 20
_MARK_PX = 34
_WIDE_PX = 1400  # with less, some columns give way
_STYLE = "QTableView::item { padding: 0 6px; } QHeaderView::section { padding: 6px 7px; }"


class PackTableModel(TableModel[tuple[TableCell, ...]]):
    """Tripped packs first, then by name; filtered by name, state, bundle, gate."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            [column.head for column in COLUMNS], [number for number, column in enumerate(COLUMNS) if column.right]
        )
        self._theme = theme
        self._all: Sequence[NodeView] = ()
        self._now_ms = 0.0
        self._text = ""

    @property
    def names(self) -> list[str]:
        return [row[0].text for row in self.rows]

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._notify_changed()

    def show_nodes(self, nodes: Sequence[NodeView], now_ms: float) -> None:
        """Show these packs; update values in place, rebuild the table only if the packs differ."""
        self._all, self._now_ms = nodes, now_ms
        words = self._text.lower().split()
        made = [make_row(node, now_ms) for node in sorted(nodes, key=is_tripped, reverse=True)]
        made = [row for row in made if all(word in " ".join(cell.text for cell in row[:6]).lower() for word in words)]
        if [row[0].text for row in made] == self.names:
            if made != self.rows:
                self.rows = made
                self._notify_changed()
            return
        self.beginResetModel()
        self.rows = made
        self.endResetModel()

    def filter(self, text: str) -> None:
        """Show the rows that contain all words of `text`."""
        self._text = text
        self.show_nodes(self._all, self._now_ms)

    def _notify_changed(self) -> None:
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, len(COLUMNS) - 1))

    @guard_data
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        cell = self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell.tip or cell.text
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.alignment(index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._theme.colour("faint" if cell.grey else "text")
        if role == Qt.ItemDataRole.DecorationRole and cell.symbol:
            return mark(cell.symbol, self._theme.colour(cell.colour).name())
        return None


class PackTable(QTableView):
    """Table of packs; `selected_pack` is the name of a pack and survives a rebuild of the table."""

    pack_selected = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.packs = PackTableModel(theme)
        self.selected_pack = ""
        self.setModel(self.packs)
        self.setStyleSheet(_STYLE)  # fourteen columns on a laptop
        header = dress_table(self, "Packs", _ROW_PX)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        metrics = QFontMetrics(font())
        for number, column in enumerate(COLUMNS):
            self.setColumnWidth(
                number, metrics.horizontalAdvance(column.usual) + _PAD_PX + (_MARK_PX if column.marked else 0)
            )
            if column.wide:
                header.setSectionResizeMode(number, QHeaderView.ResizeMode.Stretch)
        self.packs.modelReset.connect(self._restore_selection)
        self.selectionModel().selectionChanged.connect(self._on_current_changed)

    def find_height(self) -> int:
        """Return the height that shows all rows, px."""
        return self.horizontalHeader().sizeHint().height() + len(self.packs.rows) * _ROW_PX + 2

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        for number, column in enumerate(COLUMNS):
            if column.folds:
                self.setColumnHidden(number, event.size().width() < _WIDE_PX)
        super().resizeEvent(event)

    def choose(self, name: str) -> None:
        """Select a pack and scroll to it; ignore an unknown one."""
        if name in self.packs.names:
            self.selectRow(self.packs.names.index(name))

    def _restore_selection(self) -> None:
        names = self.packs.names
        if names:
            self.selectRow(names.index(self.selected_pack) if self.selected_pack in names else 0)
        else:
            self._on_current_changed()

    def _on_current_changed(self) -> None:
        rows = self.selectionModel().selectedRows()
        name = self.packs.names[rows[0].row()] if rows else ""
        if name != self.selected_pack:
            self.selected_pack = name
            self.pack_selected.emit()
