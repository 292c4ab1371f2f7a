"""The table of the controllers: one row a lane; a click, or Return, asks to make it the active one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QTableView

from workbench.window.bundle_page.style import mark
from workbench.window.control_page.lane_figures import FALLBACK, HEADS, NAME, RIGHT, TIMES, ControllerRow
from workbench.window.plots.curve import Stroke
from workbench.window.plots.swatch import SWATCH_PX, paint_swatch
from workbench.window.widgets.item_data import guard_data
from workbench.window.widgets.table_model import Index, TableModel
from workbench.window.widgets.table_view import dress_table
from workbench.window.widgets.themes import LABEL_PX, font, measure_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.widgets.themes import Theme

ACTIVE: Final = "active"
USUAL: Final = ("", "+000.00 A", "00000.00", "000000", "000000", "MPC instead", "00.00 ms", "00.00 ms")
_ROW_PX: Final = 30
_PAD_PX: Final = 32
_MARK_PX: Final = 24
_BAR_PX: Final = 10  # of a scroll bar
_HEAD_PX: Final = 30
_MOST: Final = 6  # rows that show without scrolling
_ICON = QSize(int(SWATCH_PX) + 2, 14)


class ControllerTableModel(TableModel[ControllerRow]):
    """Shows the rows of the controllers; figures change in place."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(HEADS, RIGHT)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._notify()

    def show_rows(self, rows: Sequence[ControllerRow]) -> bool:
        """Show these rows; return whether the lanes are other ones."""
        if [row.name for row in rows] == [row.name for row in self.rows]:
            if list(rows) != self.rows:
                self.rows = list(rows)
                self._notify()
            return False
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()
        return True

    def _notify(self) -> None:
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, len(HEADS) - 1))

    @guard_data
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                found: Any = f"{row.name}, {ACTIVE}" if column == NAME and row.lane.active else row.texts[column]
            case Qt.ItemDataRole.TextAlignmentRole:
                found = self.alignment(column)
            case Qt.ItemDataRole.ForegroundRole:
                found = self._theme.colour(self._colour(row, column))
            case Qt.ItemDataRole.FontRole:
                found = font(bold=column == NAME and row.lane.active)
            case Qt.ItemDataRole.ToolTipRole:
                found = _make_tip(row, column)
            case Qt.ItemDataRole.DecorationRole:
                found = self._decoration(row, column)
            case _:
                found = None
        return found

    def _colour(self, row: ControllerRow, column: int) -> str:
        if column == FALLBACK and row.falls_back:
            return "amber"
        return "text" if row.is_fresh or column == NAME else "faint"

    def _decoration(self, row: ControllerRow, column: int) -> QIcon | None:
        if column == NAME:
            return make_lane_icon(row.colour, self._theme)
        if column == FALLBACK and row.falls_back:
            return mark("warning", self._theme.colour("amber").name())
        return None


def make_lane_icon(colour: str, theme: Theme) -> QIcon:
    """Return a short line in the colour of a lane, as the plots have it."""
    pixmap = QPixmap(_ICON * 2)
    pixmap.setDevicePixelRatio(2.0)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_swatch(painter, 1.0, _ICON.height() / 2.0, theme.colour(colour), Stroke.LINE)
    painter.end()
    return QIcon(pixmap)


def _make_tip(row: ControllerRow, column: int) -> str:
    if column == FALLBACK and row.falls_back:
        return f"{row.name} falls back ({row.texts[FALLBACK]}): {row.reason or 'it gave no reason'}"
    if column in TIMES:
        return "Time of one decision in the last 60 s; turns between two plans count too"
    activity = ACTIVE if row.lane.active else "shadow; click to make it active"
    return f"{row.name}: {activity}, {row.lane.state}. {row.lane.detail}".strip()


class ControllerTable(QTableView):
    """Emits `lane_wanted` with the name of the lane that the operator wants to make active."""

    lane_wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.lanes = ControllerTableModel(theme)
        self.setModel(self.lanes)
        self.setIconSize(_ICON)
        header = dress_table(self, "Controllers", _ROW_PX)
        header.setFixedHeight(_HEAD_PX)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._least = [
            round(max(measure_text(head, LABEL_PX), measure_text(usual))) + _PAD_PX
            for head, usual in zip(HEADS, USUAL, strict=True)
        ]
        self._least[FALLBACK] += _MARK_PX
        self.clicked.connect(self._on_clicked)
        self._fit_size()

    def set_theme(self, theme: Theme) -> None:
        self.lanes.set_theme(theme)

    def show_rows(self, rows: Sequence[ControllerRow]) -> None:
        if self.lanes.show_rows(rows):
            self._fit_size()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        self._fit_size()

    def _fit_size(self) -> None:
        """Share the width among the columns, none less than its text needs; be as high as the lanes, a few of them."""
        names = [f"{row.name}, {ACTIVE}" for row in self.lanes.rows]
        name_px = round(max((measure_text(name, bold=True) for name in names), default=0.0)) + _PAD_PX + _MARK_PX
        needed = [name_px, *self._least[1:]]
        more = max(0, self.viewport().width() - sum(needed)) // len(needed)
        for column, least in enumerate(needed):
            self.setColumnWidth(column, least + more)
        bar = _BAR_PX if sum(needed) > self.viewport().width() else 0
        shown = min(max(1, len(self.lanes.rows)), _MOST)
        self.setFixedHeight(_HEAD_PX + shown * _ROW_PX + 2 + bar)

    def _on_clicked(self, index: QModelIndex) -> None:
        self._ask(index.row())

    def _ask(self, row: int) -> None:
        if 0 <= row < len(self.lanes.rows):
            self.lane_wanted.emit(self.lanes.rows[row].name)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._ask(self.currentIndex().row())
        else:
            super().keyPressEvent(event)
