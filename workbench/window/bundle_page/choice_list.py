"""A list with a title and one chosen line: runs, certificates or bundles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # a field of a record names it
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from workbench.window.bundle_page.style import mark
from workbench.window.widgets.basic import DockTitle, label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent

    from workbench.window.widgets.themes import Theme


@dataclass(frozen=True, slots=True)
class ChoiceLine:
    """One line; `path` is its file or folder (None for nothing), `grey` a sentence why it cannot be used."""

    text: str
    path: Path | None
    symbol: str
    colour: str
    tip: str = ""
    grey: str = ""


class ChoiceList(QWidget):
    """Emits `changed` when another line is chosen, `activated` on Return and on a double-click."""

    changed = Signal()
    activated = Signal()

    def __init__(self, title: str, empty: str, theme: Theme, *parts: QWidget) -> None:
        super().__init__()
        self._theme = theme
        self._lines: Sequence[ChoiceLine] = ()
        self.title = DockTitle(title)
        self.list = _List(self)
        self.list.setAccessibleName(title)
        self.empty = label(empty, "muted", wrap=True)
        self.empty.setContentsMargins(16, 4, 16, 8)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(0)
        row.addWidget(self.title, 1)
        for part in parts:
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.empty, 1)
        column.addWidget(self.list, 1)
        self.list.currentRowChanged.connect(self.changed)
        self.list.itemActivated.connect(self.activated)
        self.show_lines((), fact="")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.show_lines(self._lines, fact=self.title.fact.text())

    def show_lines(self, lines: Sequence[ChoiceLine], *, fact: str) -> None:
        """Show these lines; keep the chosen line, else choose the first that can be used."""
        before, had = self.selected_path, self.line is not None
        self._lines = lines
        self.list.blockSignals(True)  # noqa: FBT003  # Qt's own way
        self.list.clear()
        for line in lines:
            self.list.addItem(self._item(line))
        paths = [line.path for line in lines]
        usable = next((number for number, line in enumerate(lines) if not line.grey), 0 if lines else -1)
        self.list.setCurrentRow(paths.index(before) if had and before in paths else usable)
        self.list.blockSignals(False)  # noqa: FBT003  # Qt's signature
        self.list.setVisible(bool(lines))
        self.empty.setVisible(not lines)
        self.title.show_fact(fact)
        self.changed.emit()

    def _item(self, line: ChoiceLine) -> QListWidgetItem:
        item = QListWidgetItem(line.text)
        item.setIcon(mark(line.symbol, self._theme.colour("faint" if line.grey else line.colour).name()))
        item.setToolTip("\n".join(part for part in (line.grey, line.tip) if part))
        if line.grey:
            item.setForeground(self._theme.colour("faint"))
        return item

    @property
    def line(self) -> ChoiceLine | None:
        """The chosen line."""
        at = self.list.currentRow()
        return self._lines[at] if 0 <= at < len(self._lines) else None

    @property
    def selected_path(self) -> Path | None:
        return self.line.path if self.line is not None else None

    def choose(self, path: Path | None) -> None:
        """Choose a line and scroll to it; ignore an unknown one."""
        paths = [line.path for line in self._lines]
        if path in paths:
            self.list.setCurrentRow(paths.index(path))


class _List(QListWidget):
    def __init__(self, lines: ChoiceList) -> None:
        super().__init__()
        self._of = lines
        self.setUniformItemSizes(True)
        self.setStyleSheet("QListWidget::item { padding: 4px 12px; }")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._of.activated.emit()
        else:
            super().keyPressEvent(event)
