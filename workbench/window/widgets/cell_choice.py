"""A combo box that names a cell as the verbs know it: a shipped one, the file of one, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy

from drivers.benchfile.cell_file import list_cells
from drivers.benchfile.cell_sections import DEFAULT
from workbench.window.widgets.basic import Combo
from workbench.window.widgets.file_dialogs import ask_open

if TYPE_CHECKING:
    from pathlib import Path

OTHER: Final = "Cell file…"
_VALUE: Final = Qt.ItemDataRole.UserRole


class CellChoice(Combo):
    """Offers no cell, where `none` is a word for it, then shipped cells, then files, the newest last."""

    changed = Signal()

    def __init__(self, name: str, *, none: str = "") -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(8)
        if none:
            self.addItem(none, "")
        for cell in list_cells():
            self.addItem(cell, cell)
        self.addItem(OTHER, None)
        self._last = 0
        self.choose("" if none else DEFAULT)
        self.activated.connect(self._on_activated)

    @property
    def value(self) -> str:
        """The name of a shipped cell, or the path of a file; empty for no cell."""
        return str(self.itemData(self._last, _VALUE) or "")

    def choose(self, value: str) -> None:
        """Choose one that is offered."""
        if (at := self.findData(value, _VALUE)) >= 0:
            self.setCurrentIndex(at)
            self._last = at
            self.changed.emit()

    def add(self, file: Path) -> None:
        """Offer the file of a cell, and choose it."""
        if self.findData(str(file), _VALUE) < 0:
            self.insertItem(self.count() - 1, file.stem, str(file))
            self.setItemData(self.count() - 2, str(file), Qt.ItemDataRole.ToolTipRole)
        self.choose(str(file))

    def _on_activated(self, at: int) -> None:
        if at < self.count() - 1:
            self._last = at
            self.changed.emit()
            return
        self.setCurrentIndex(self._last)
        ask_open(self, "Choose a cell file", "Cell files (*.toml);;All files (*)", self.add)
