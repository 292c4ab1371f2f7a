"""Dock of alarms, events and the log: what happened, when, in which source, and whether it is acknowledged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from drivers.event import EventRecord, Level
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button
from workbench.window.widgets.event_colours import choose_colour
from workbench.window.widgets.icons import paint_icon
from workbench.window.widgets.item_data import guard_data
from workbench.window.widgets.table_model import Index, TableModel
from workbench.window.widgets.themes import Theme, font

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

HEADS: Final = ("Time", "Level", "Event", "Source", "Acknowledgement")  # for assistive tools; the view hides them
TIME, LEVEL, TEXT, SOURCE, ACKNOWLEDGED = range(len(HEADS))
ALARMS, EVENTS, LOG = "Alarms", "Events", "Log"  # the three views
MAX_ROWS: Final = 2000
_ICONS: Final = {Level.INFO: "dot", Level.WARNING: "warning", Level.ALARM: "warning"}
_ACKNOWLEDGED_WORDS: Final = {True: "acknowledged", False: "acknowledge"}


class EventTable(TableModel[EventRecord]):
    """Events, newest first; with `waiting_only` those that need an acknowledgement, acknowledged or not."""

    def __init__(self, *, waiting_only: bool) -> None:
        super().__init__(HEADS)
        self._waiting_only = waiting_only
        self.acknowledged: frozenset[int] = frozenset()

    def add(self, records: Sequence[EventRecord]) -> None:
        wanted = [record for record in records if not (self._waiting_only and record.event.level is Level.INFO)]
        if wanted:
            self.beginInsertRows(QModelIndex(), 0, len(wanted) - 1)
            self.rows[:0] = reversed(wanted)
            self.endInsertRows()
        if len(self.rows) > MAX_ROWS:
            self.beginRemoveRows(QModelIndex(), MAX_ROWS, len(self.rows) - 1)
            del self.rows[MAX_ROWS:]
            self.endRemoveRows()

    def clear(self) -> None:
        self.beginResetModel()
        self.rows.clear()
        self.endResetModel()

    def mark(self, acknowledged: AbstractSet[int]) -> None:
        if self.acknowledged != acknowledged:
            self.acknowledged = frozenset(acknowledged)
            self.dataChanged.emit(self.index(0, ACKNOWLEDGED), self.index(max(0, len(self.rows) - 1), ACKNOWLEDGED))

    @property
    def waiting(self) -> list[int]:
        """Numbers of the events that are not acknowledged."""
        return [
            row.number for row in self.rows if row.event.level is not Level.INFO and row.number not in self.acknowledged
        ]

    @guard_data
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        record = self.rows[index.row()]
        event = record.event
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(filter(None, (event.text, event.detail)))
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        word = "" if event.level is Level.INFO else _ACKNOWLEDGED_WORDS[record.number in self.acknowledged]
        return (fmt.wall_clock(record.wall_s), event.level.value, event.text, event.source, word)[index.column()]


class _Paint(QStyledItemDelegate):
    def __init__(self, view: EventView, theme: Theme) -> None:
        super().__init__(view)
        self._view = view
        self.theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        del option
        view, theme = self._view, self.theme
        box = QRectF(view.visualRect(index))
        record = view.table.rows[index.row()]
        level = record.event.level
        if view.selectionModel().isSelected(index):
            painter.fillRect(box, theme.colour("selected"))
        colour, bold, align = theme.colour("text"), False, Qt.AlignmentFlag.AlignLeft
        left = 15.0 if index.column() == TIME else 8.0
        if index.column() == LEVEL:
            colour, bold, left = theme.colour(choose_colour(record.event)), level is not Level.INFO, 24.0
            spot = QRectF(box.left() + 6, box.center().y() - 6, 12, 12)
            paint_icon(painter, _ICONS[level], spot, colour)
        elif index.column() in (SOURCE, ACKNOWLEDGED):
            align = Qt.AlignmentFlag.AlignRight
            waiting = index.column() == ACKNOWLEDGED and record.number in view.table.waiting
            colour = QColor(theme.blue if waiting else theme.faint if index.column() == ACKNOWLEDGED else theme.muted)
        painter.setFont(font(bold=bold))
        painter.setPen(colour)
        room = box.adjusted(left, 0, -15 if index.column() == ACKNOWLEDGED else -8, 0)
        text = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, align | Qt.AlignmentFlag.AlignVCenter, text)


class EventView(QTableView):
    """Table without a grid. Enter or a click on the last column acknowledges; a double-click shows the details."""

    acknowledged = Signal(list)
    details_wanted = Signal(EventRecord)

    def __init__(self, table: EventTable, theme: Theme, name: str) -> None:
        super().__init__()
        self.table = table
        self.setModel(table)
        self.paint = _Paint(self, theme)
        self.setItemDelegate(self.paint)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(28)
        self.horizontalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setMinimumHeight(56)
        self.setAccessibleName(name)
        head = self.horizontalHeader()
        head.setSectionResizeMode(TEXT, QHeaderView.ResizeMode.Stretch)
        for column, width in ((TIME, 118), (LEVEL, 92), (SOURCE, 240), (ACKNOWLEDGED, 116)):
            self.setColumnWidth(column, width)
        self.clicked.connect(self._clicked)
        self.doubleClicked.connect(self._show_details)

    def _clicked(self, index: QModelIndex) -> None:
        if index.column() == ACKNOWLEDGED:
            self._acknowledge()

    def _show_details(self, index: QModelIndex) -> None:
        self.details_wanted.emit(self.table.rows[index.row()])

    def _acknowledge(self) -> None:
        rows = {index.row() for index in self.selectedIndexes()}
        numbers = [self.table.rows[row].number for row in rows]
        self.acknowledged.emit([number for number in numbers if number in self.table.waiting])

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._acknowledge()
        else:
            super().keyPressEvent(event)


class AlarmsDock(QWidget):
    """Three views of one stream of events: alarms, all events, log."""

    acknowledged = Signal(list)
    details_wanted = Signal(EventRecord)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.next = 0
        self.alarms, self.events = EventTable(waiting_only=True), EventTable(waiting_only=False)
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(MAX_ROWS)
        self.log.setAccessibleName(LOG)
        self.log.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.views = [EventView(self.alarms, theme, ALARMS), EventView(self.events, theme, EVENTS)]
        self.stack = QStackedWidget()
        self.tabs = [button(word, partial(self.show_tab, n), "plain") for n, word in enumerate(("", "", LOG))]
        self.acknowledge_button = button("Acknowledge all  Ctrl+K", self.acknowledge_all, "plain")
        for view in self.views:
            view.acknowledged.connect(self.acknowledged)
            view.details_wanted.connect(self.details_wanted)
            self.stack.addWidget(view)
        self.stack.addWidget(self.log)
        self.bar = QWidget()  # the dock's title, too
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(10, 6, 10, 2)
        for tab in self.tabs:
            tab.setCheckable(True)
            row.addWidget(tab)
        row.addStretch(1)
        row.addWidget(self.acknowledge_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(2)
        column.addWidget(self.stack, 1)
        self.show_tab(0)
        self._count()

    def set_theme(self, theme: Theme) -> None:
        for view in self.views:
            view.paint.theme = theme
            view.viewport().update()

    def show_tab(self, number: int) -> None:
        self.stack.setCurrentIndex(number)
        for position, tab in enumerate(self.tabs):
            tab.setChecked(position == number)

    def add(self, records: Sequence[EventRecord], acknowledged: AbstractSet[int]) -> None:
        """Add new events and update which ones are acknowledged."""
        if records:
            self.next = records[-1].number + 1
            for table in (self.alarms, self.events):
                table.add(records)
            for record in records:
                event = record.event
                parts = (fmt.wall_clock(record.wall_s), event.level.value, event.text, event.source, event.detail)
                self.log.appendPlainText("  ".join(filter(None, parts)))
        changed = bool(records) or acknowledged != self.alarms.acknowledged
        if changed:
            self.alarms.mark(acknowledged)
            self.events.mark(acknowledged)
            self._count()

    def clear(self) -> None:
        """Remove all events, before another session or a replay."""
        self.next = 0
        self.alarms.clear()
        self.events.clear()
        self.log.clear()
        self._count()

    def acknowledge_all(self) -> None:
        self.acknowledged.emit(self.alarms.waiting)

    def _count(self) -> None:
        waiting = len(self.alarms.waiting)
        self.tabs[0].setText(f"{ALARMS} {waiting}")
        self.tabs[1].setText(f"{EVENTS} {len(self.events.rows)}")
        self.acknowledge_button.setEnabled(waiting > 0)
        self.acknowledge_button.setToolTip("" if waiting else "No alarm needs an acknowledgement.")
