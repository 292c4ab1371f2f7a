"""The signal tree: filter, groups by source, live values with units; stale values are grey with their age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from drivers.ports import LinkState
from drivers.snapshot import Quality
from workbench.window.bench_page.signal_groups import SignalGroup, filter_groups, make_groups
from workbench.window.bench_page.signal_tree_model import SignalModel
from workbench.window.widgets import format as fmt
from workbench.window.widgets.icons import paint_icon
from workbench.window.widgets.themes import BODY_PX, LABEL_PX, Theme, font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent, QPainter

    from drivers.ports import Health
    from workbench.session.bench_info import BenchInfo
    from workbench.window.bench_page.signal_groups import SignalItem as Row
    from workbench.window.plots.channel_history import ChannelHistory

ROW: Final = 24
_UNIT: Final = 30
_PAD: Final = 15  # with the view's own border of 1 px: 16 px


class SignalTree(QWidget):
    """A filter above the tree; emits `wanted` with a signal to plot."""

    wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.store: ChannelHistory | None = None
        self.health: dict[str, Health] = {}
        self._groups: list[SignalGroup] = []
        self._whole: set[str] = set()
        self._shown_values: dict[str, tuple[str, str, str]] = {}
        self.model = SignalModel(self.format_with_unit)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter signals…  Ctrl+F")
        self.filter.setAccessibleName("Filter signals")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._show)
        self.view = _View(self)
        self.view.setModel(self.model)
        self.rows = _Rows(self, theme)
        self.view.setItemDelegate(self.rows)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        top = QVBoxLayout()
        top.setContentsMargins(16, 0, 16, 4)
        top.addWidget(self.filter)
        column.addLayout(top)
        column.addWidget(self.view, 1)

    def set_theme(self, theme: Theme) -> None:
        self.rows.theme = theme
        self.view.viewport().update()

    def show_channels(self, bench: BenchInfo, store: ChannelHistory | None) -> None:
        """Show other channels; open groups stay open."""
        self.store = store
        self._groups = make_groups(bench, store.channels if store is not None else ())
        self._show()

    def show_health(self, health: Sequence[Health]) -> None:
        known = {source.name: source for source in health}
        if known != self.health:
            self.health = known
            self.view.viewport().update()

    def refresh(self) -> None:
        """Repaint the visible rows whose text changed; called ten times a second."""
        if not self.isVisible():
            return
        visible: dict[str, tuple[str, str, str]] = {}
        index = self.view.indexAt(QPoint(0, 0))
        while index.isValid() and self.view.visualRect(index).top() < self.view.viewport().height():
            signal = self.model.signal_at(index)
            if signal is not None:
                value = visible[signal.channel] = self.format_value(signal)
                if self._shown_values.get(signal.channel) != value:
                    self.view.update(index)
            index = self.view.indexBelow(index)
        self._shown_values = visible

    def format_value(self, row: Row) -> tuple[str, str, str]:
        """Return number, unit or age, and colour of a signal's newest value."""
        store = self.store
        if store is None or row.channel not in store:
            return fmt.DASH, "", "faint"
        quality, age_s = store.state(row.channel)
        number = row.display.number(store.newest(row.channel))
        if quality is Quality.MISSING or number == fmt.DASH:
            return fmt.DASH, "", "faint"
        if quality is Quality.GOOD:
            return number, row.display.unit, "text"
        return f"{number} {row.display.unit}".strip(), fmt.age(age_s) if quality is Quality.STALE else "?", "faint"

    @property
    def count(self) -> int:
        return sum(len(group.signals) for group in self._groups)

    def choose(self, channel: str) -> None:
        """Select a signal and scroll to it; show the rest of its group if necessary."""
        group = next((g for g in self._groups if any(s.channel == channel for s in g.signals)), None)
        if group is None:
            return
        if not self.model.find(channel).isValid():
            self.filter.clear()
            self._whole.add(group.name)
            self._show()
        index = self.model.find(channel)
        self.view.expand(index.parent())
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index)

    def format_with_unit(self, row: Row) -> str:
        """Return the text beside a signal, with its unit."""
        number, unit, _ = self.format_value(row)
        return f"{number} {unit}".strip()

    def plot_selected(self) -> None:
        for index in self.view.selectedIndexes():
            self.activate(index)

    def activate(self, index: QModelIndex) -> None:
        """Handle Enter or a double-click: plot the signal; on the last row show the rest of the group."""
        name = self.model.expand_rest(index)
        if name is not None:
            self._whole.add(name)
            return
        signal = self.model.signal_at(index)
        if signal is not None:
            self.wanted.emit(signal.channel)

    def _show(self) -> None:
        text = self.filter.text()
        shown = filter_groups(self._groups, text)
        self.model.show_groups(shown, self._whole)
        for row, group in enumerate(shown):
            self.view.setExpanded(self.model.index(row, 0), group.open)


class _View(QTreeView):
    def __init__(self, tree: SignalTree) -> None:
        super().__init__()
        self._tree = tree
        self.setHeaderHidden(True)
        self.setIndentation(0)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setExpandsOnDoubleClick(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Signals")
        self.clicked.connect(self._clicked)
        self.doubleClicked.connect(tree.activate)

    def _clicked(self, index: QModelIndex) -> None:
        if self._tree.model.group_at(index) is not None:
            self.setExpanded(index, not self.isExpanded(index))
        elif self._tree.model.signal_at(index) is None:
            self._tree.activate(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            for index in self.selectedIndexes() or [self.currentIndex()]:
                self._tree.activate(index)
        else:
            super().keyPressEvent(event)


class _Rows(QStyledItemDelegate):
    """Paints a row: label, right-aligned value, unit in its own column."""

    def __init__(self, tree: SignalTree, theme: Theme) -> None:
        super().__init__(tree)
        self._tree = tree
        self.theme = theme

    def sizeHint(  # noqa: N802  # Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        del option, index
        return QSize(120, ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        del option
        view, model = self._tree.view, self._tree.model
        box = view.visualRect(index)
        if view.selectionModel().isSelected(index):
            painter.fillRect(box, self.theme.colour("selected"))
        if view.hasFocus() and view.currentIndex() == index:
            painter.setPen(self.theme.colour("blue"))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        group, signal = model.group_at(index), model.signal_at(index)
        if group is not None:
            self._paint_group(painter, QRectF(box), group)
        elif signal is not None:
            self._paint_signal(painter, QRectF(box), signal)
        else:
            self._text(painter, QRectF(box).adjusted(33, 0, 0, 0), str(index.data()), "faint")

    def _paint_group(self, painter: QPainter, box: QRectF, group: SignalGroup) -> None:
        health = self._tree.health.get(group.name)
        ok = health is None or health.state is LinkState.OK
        dot = QRectF(box.left() + 11, box.top() + 6, 12, 12)
        if health is not None:
            paint_icon(painter, "dot" if ok else "warning", dot, self.theme.colour("green" if ok else "amber"))
        else:
            paint_icon(painter, "ring", dot, self.theme.colour("faint"))
        self._text(painter, box.adjusted(29, 0, -_PAD, 0), group.label, "text", bold=True)
        right = group.period if ok else (health.state.value if health else "")
        align = Qt.AlignmentFlag.AlignRight
        self._text(painter, box.adjusted(0, 0, -_PAD, 0), right, "faint" if ok else "amber", px=LABEL_PX, align=align)

    def _paint_signal(self, painter: QPainter, box: QRectF, signal: Row) -> None:
        number, unit, colour = self._tree.format_value(signal)
        label = "faint" if colour == "faint" and number != fmt.DASH else "muted"
        metrics_right = box.right() - _PAD - _UNIT
        value = QRectF(box.left(), box.top(), metrics_right - box.left(), box.height())
        painter.setFont(font())
        width = painter.fontMetrics().horizontalAdvance(number)
        room = QRectF(box.left() + 33, box.top(), value.right() - width - 8 - box.left() - 33, box.height())
        text = painter.fontMetrics().elidedText(signal.label, Qt.TextElideMode.ElideRight, max(0, int(room.width())))
        self._text(painter, room, text, label)
        self._text(painter, value, number, colour, align=Qt.AlignmentFlag.AlignRight)
        tail = QRectF(metrics_right + 6, box.top(), _UNIT + 8, box.height())
        self._text(painter, tail, unit, "faint" if colour == "faint" else "muted", px=LABEL_PX + 1)

    def _text(
        self,
        painter: QPainter,
        box: QRectF,
        text: str,
        colour: str,
        *,
        px: int = BODY_PX,
        bold: bool = False,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        painter.setFont(font(px, bold=bold))
        painter.setPen(self.theme.colour(colour))
        painter.drawText(box, align | Qt.AlignmentFlag.AlignVCenter, text)
