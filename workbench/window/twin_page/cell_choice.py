"""A combo box of cells: the shipped ones by name, and files."""

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

OTHER: Final = "Other file…"
KIND: Final = "Cells (*.toml)"
_VALUE: Final = Qt.ItemDataRole.UserRole


class CellChoice(Combo):
    """Shipped cells first, then files, the newest last."""

    changed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(8)
        for cell in list_cells():
            self.addItem(cell, cell)
        self.addItem(OTHER, "")
        self._last = DEFAULT
        self.choose(DEFAULT)
        self.activated.connect(self._on_activated)

    @property
    def value(self) -> str:
        """The name of a shipped cell, or the path of a file."""
        return str(self.currentData(_VALUE) or self._last)

    def choose(self, value: str) -> None:
        """Choose one that is offered."""
        if (at := self.findData(value, _VALUE)) >= 0:
            self.setCurrentIndex(at)
            self._last = value
            self.changed.emit()

    def add(self, file: Path) -> None:
        """Offer a cell file, and choose it."""
        if self.findData(str(file), _VALUE) < 0:
            at = self.count() - 1
            self.insertItem(at, file.stem, str(file))
            self.setItemData(at, str(file), Qt.ItemDataRole.ToolTipRole)
        self.choose(str(file))

    def _on_activated(self, at: int) -> None:
        if self.itemText(at) != OTHER:
            self.choose(str(self.itemData(at, _VALUE)))
            return
        self.choose(self._last)
        ask_open(self, "Choose a cell", KIND, self.add)
