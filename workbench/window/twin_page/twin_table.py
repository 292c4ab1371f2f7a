"""The twins laid so far: the colour of each, its log and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHeaderView, QTableView

from workbench.window.bundle_page.style import mark
from workbench.window.twin_page.model import LaidTwin, LayRequest
from workbench.window.widgets import format as fmt
from workbench.window.widgets.item_data import guard_data
from workbench.window.widgets.table_model import Index, TableModel
from workbench.window.widgets.table_view import dress_table
from workbench.window.widgets.themes import lane_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent

    from workbench.window.widgets.themes import Theme

HEADS: Final = ("Twin", "Log", "Start", "Voltage RMSE", "Temp. RMSE")
KELVIN: Final = fmt.Display("K", decimals=2)
_WIDTHS: Final = {2: 92, 3: 116, 4: 108}
_LEAST_PX: Final = 96
_ROW_PX: Final = 26
_HEADER_PX: Final = 34
_SHOWN: Final = 4  # rows


def find_colours(twins: Sequence[LaidTwin]) -> dict[tuple[str, str], str]:
    """Return the colour of each cell with its model, in the order in which they came."""
    pairs = dict.fromkeys((twin.request.cell, twin.request.model) for twin in twins)
    return {pair: lane_colour(place) for place, pair in enumerate(pairs)}


class TwinTableModel(TableModel[LaidTwin]):
    """One row for each twin."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(HEADS, (2, 3, 4))
        self.theme = theme
        self._colours: dict[tuple[str, str], str] = {}

    def show_twins(self, twins: Sequence[LaidTwin]) -> None:
        self.beginResetModel()
        self.rows, self._colours = list(twins), find_colours(twins)
        self.endResetModel()

    @guard_data
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        twin, column = self.rows[index.row()], index.column()
        request = twin.request
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return (
                    request.name,
                    request.log.name if request.number is None else f"{request.log.name}, cell {request.number}",
                    fmt.PERCENT.text(twin.soc0),
                    fmt.MILLIVOLT.text(twin.rmse_v),
                    KELVIN.text(twin.rmse_k),
                )[column]
            case Qt.ItemDataRole.ToolTipRole:
                return "\n".join((f"{request.log}, {fmt.count(twin.rows)} rows", request.cell, *twin.notes))
            case Qt.ItemDataRole.TextAlignmentRole:
                return self.alignment(column)
            case Qt.ItemDataRole.DecorationRole if column == 0:
                colour = self._colours[request.cell, request.model]
                return mark("dot", self.theme.colour(colour).name())
            case _:
                return None


class TwinTable(QTableView):
    """Emits `chosen_changed` when another twin is chosen; Delete takes one off the page."""

    chosen_changed = Signal()
    remove_wanted = Signal(object)  # LayRequest

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.twins = TwinTableModel(theme)
        self.setModel(self.twins)
        header = dress_table(self, "Twins", _ROW_PX)
        header.setMinimumSectionSize(_LEAST_PX)
        for column in (0, 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)
        self.setFixedHeight(_HEADER_PX + _SHOWN * _ROW_PX)
        self.selectionModel().selectionChanged.connect(self.chosen_changed)

    def set_theme(self, theme: Theme) -> None:
        self.twins.theme = theme
        self.viewport().update()

    @property
    def selected(self) -> LaidTwin | None:
        """The chosen twin."""
        rows = self.selectionModel().selectedRows()
        return self.twins.rows[rows[0].row()] if rows else None

    def show_twins(self, twins: Sequence[LaidTwin], newest: LayRequest | None) -> None:
        """Show these twins; choose the newest, else the last."""
        self.twins.show_twins(twins)
        requests = [twin.request for twin in twins]
        if requests:
            self.selectRow(requests.index(newest) if newest in requests else len(requests) - 1)
            self.scrollTo(self.currentIndex())
        self.setVisible(bool(requests))
        self.chosen_changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        if event.key() == Qt.Key.Key_Delete and self.selected is not None:
            self.remove_wanted.emit(self.selected.request)
        else:
            super().keyPressEvent(event)
