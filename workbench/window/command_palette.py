"""The command palette: every command by its label, with its keys, and why a grey one is not allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from workbench.window.widgets.dialogs import Dialog
from workbench.window.widgets.themes import LABEL_PX, Theme, font

if TYPE_CHECKING:
    from PySide6.QtCore import QModelIndex, QPersistentModelIndex

    from workbench.window.command_registry import CommandRegistry, WindowCommand

_NAME: Final = Qt.ItemDataRole.UserRole
_KEYS: Final = Qt.ItemDataRole.UserRole + 1
_WHY: Final = Qt.ItemDataRole.UserRole + 2


def matches(text: str, words: str) -> bool:
    """Whether every typed word begins somewhere in `words`, or its letters occur there in order."""
    low = words.lower()
    return all(part in low or _letters(part, low) for part in text.lower().split())


def _letters(part: str, low: str) -> bool:
    rest = iter(low)
    return all(letter in rest for letter in part)


class _Row(QStyledItemDelegate):
    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self.theme = theme

    def sizeHint(  # noqa: N802  # Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        del option, index
        return QSize(200, 32)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        del option
        view = self.parent()
        if not isinstance(view, QListWidget):
            return
        box = QRectF(view.visualRect(index))
        if view.currentRow() == index.row():
            painter.fillRect(box, self.theme.colour("selected"))
        why = str(index.data(_WHY))
        painter.setFont(font())
        painter.setPen(self.theme.colour("faint" if why else "text"))
        middle = Qt.AlignmentFlag.AlignVCenter
        words = str(index.data(Qt.ItemDataRole.DisplayRole))
        painter.drawText(box.adjusted(16, 0, 0, 0), middle, words)
        used = painter.fontMetrics().horizontalAdvance(words) + 28
        painter.setFont(font(LABEL_PX))
        painter.setPen(self.theme.colour("muted"))
        keys = str(index.data(_KEYS))
        painter.drawText(box.adjusted(0, 0, -16, 0), middle | Qt.AlignmentFlag.AlignRight, keys)
        painter.setPen(self.theme.colour("faint"))
        room = box.adjusted(used, 0, -24 - painter.fontMetrics().horizontalAdvance(keys), 0)
        text = painter.fontMetrics().elidedText(why, Qt.TextElideMode.ElideRight, max(0, int(room.width())))
        painter.drawText(room, middle, text)


class CommandPalette(Dialog):
    """Dialog to find and run a command: type, select with the arrow keys, press Enter."""

    def __init__(self, parent: QWidget, actions: CommandRegistry, theme: Theme) -> None:
        super().__init__(parent, "Commands", "", "Run")
        self._commands = actions
        self._theme = theme
        self.resize(self.find_room(620, 460))
        self.text = QLineEdit()
        self.text.setPlaceholderText("Type what to do…")
        self.text.setAccessibleName("Command")
        self.list = QListWidget()
        self.list.setAccessibleName("Commands")
        self.list.setItemDelegate(_Row(self.list, theme))
        self.body.setSpacing(8)
        self.body.addWidget(self.text)
        self.body.addWidget(self.list)
        self.text.textChanged.connect(self._show)
        self.list.currentRowChanged.connect(self._update_run)
        self.text.installEventFilter(self)
        self.list.itemActivated.connect(self.accept)
        self.accepted.connect(self._run)
        self._chosen = ""
        self._show("")
        self.text.setFocus()

    def _show(self, text: str) -> None:
        """List the matches. Without a text nothing is chosen; OUTPUTS OFF is always last, so never chosen by chance."""
        self.list.clear()
        found = [command for command in self._commands.list() if matches(text, command.words())]
        begun = text.lower().strip()
        found.sort(key=lambda command: (command.always, not command.words().lower().startswith(begun)))
        for command in found:
            self.list.addItem(_item(command))
        self.list.setCurrentRow(0 if begun else -1)
        self._update_run()

    def _update_run(self) -> None:
        self.yes.setEnabled(self.list.currentRow() >= 0)
        self.yes.setToolTip("" if self.yes.isEnabled() else "Type what to do, or choose a command with the arrow keys.")

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is not None:  # pyright: ignore[reportUnnecessaryComparison]  # None in an empty list
            self._commands.run(str(item.data(_NAME)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if step:
                row = min(max(self.list.currentRow() + step, 0), self.list.count() - 1)
                self.list.setCurrentRow(row)
                return True
        return super().eventFilter(watched, event)


def _item(command: WindowCommand) -> QListWidgetItem:
    item = QListWidgetItem(command.words())
    why = command.why_not()
    item.setData(_NAME, command.name)
    item.setData(_KEYS, command.keys)
    item.setData(_WHY, why)
    item.setToolTip(why)
    return item
