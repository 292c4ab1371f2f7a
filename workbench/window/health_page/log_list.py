"""The logs of one cell, in the order of its life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from workbench.window.control_page.form_layout import show_reasons
from workbench.window.widgets.basic import DockTitle, button, label
from workbench.window.widgets.file_dialogs import ask_folder, ask_open

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

EMPTY: Final = "Drop logs of one cell or pack here, the oldest first, or add them. A run is a folder."
KINDS: Final = "Logs (*.csv *.txt *.parquet *.xlsx *.xls *.mf4 *.mdf *.mat *.mpr *.nda *.ndax);;All files (*)"
_LIST_PX: Final = 120
REMOVE_TIP: Final = "Take the chosen log off the list"


class LogList(QWidget):
    """Emits `changed` when a log is added or removed."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.paths: tuple[Path, ...] = ()
        self.title, self.empty, self.list = DockTitle("Logs"), label(EMPTY, "muted", wrap=True), QListWidget()
        self.list.setAccessibleName("Logs")
        self.list.setStyleSheet("QListWidget::item { padding: 4px 12px; }")
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFixedHeight(_LIST_PX)
        self.empty.setContentsMargins(16, 4, 16, 8)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.empty.setFixedHeight(_LIST_PX)
        self.add_file = button("Add a log…", self.ask_file)
        self.add_run = button("Add a run…", self.ask_run)
        self.remove = button("Remove", self.remove_chosen)
        row = QHBoxLayout()
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(8)
        for part in (self.add_file, self.add_run, self.remove):
            row.addWidget(part)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.title, self.empty, self.list):
            column.addWidget(part)
        column.addLayout(row)
        self._show()

    def add(self, paths: Iterable[Path]) -> None:
        """Add logs at the end; one that is there already stays where it is."""
        more = tuple(path for path in paths if path not in self.paths)
        if more:
            self.paths = (*self.paths, *more)
            self._show()
            self.list.setCurrentRow(len(self.paths) - 1)

    def remove_chosen(self) -> None:
        """Remove the chosen log."""
        if not self.why_not_remove():
            row = self.list.currentRow()
            self.paths = self.paths[:row] + self.paths[row + 1 :]
            self._show()

    def why_not_remove(self) -> str:
        return "" if 0 <= self.list.currentRow() < len(self.paths) else "Choose a log in the list first."

    def ask_file(self) -> None:
        """Ask for a log."""
        ask_open(self, "Add a log", KINDS, lambda path: self.add([path]))

    def ask_run(self) -> None:
        """Ask for the folder of a run."""
        ask_folder(self, "Add a run", lambda path: self.add([path]))

    def _show(self) -> None:
        self.list.clear()
        for path in self.paths:
            item = QListWidgetItem(path.name)
            item.setToolTip(str(path))
            self.list.addItem(item)
        if self.paths:
            self.list.setCurrentRow(0)
        self.list.setVisible(bool(self.paths))
        self.empty.setVisible(not self.paths)
        show_reasons(((self.remove, self.why_not_remove(), REMOVE_TIP),))
        self.title.show_fact(str(len(self.paths) or ""))
        self.changed.emit()
