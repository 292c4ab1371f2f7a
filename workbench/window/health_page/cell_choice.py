"""A combo box that names a cell as the verbs know it: a shipped one, the file of one, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy

from drivers.benchfile.cell_file import list_cells
from workbench.window.widgets.basic import Combo
from workbench.window.widgets.file_dialogs import ask_open

if TYPE_CHECKING:
    from pathlib import Path

NONE: Final = "not named"
OTHER: Final = "Cell file…"
TIP: Final = "Its limits and voltages; without it, neither capacity nor limits are judged"
_VALUE: Final = Qt.ItemDataRole.UserRole


class CellChoice(Combo):
    """Offers no cell, the shipped ones, then a file."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Cell of the logs")
        self.setToolTip(TIP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(8)
        self.addItem(NONE, "")
        for name in list_cells():
            self.addItem(name, name)
        self.addItem(OTHER, None)
        self._last = 0
        self.activated.connect(self._on_activated)

    @property
    def value(self) -> str:
        """A name or a path; empty for no cell."""
        return str(self.currentData(_VALUE) or "")

    def choose(self, value: str) -> None:
        """Choose a cell that is offered."""
        if (at := self.findData(value, _VALUE)) >= 0:
            self.setCurrentIndex(at)
            self._last = at

    def add(self, file: Path) -> None:
        """Offer the file of a cell, and choose it."""
        if self.findData(str(file), _VALUE) < 0:
            self.insertItem(self.count() - 1, file.stem, str(file))
            self.setItemData(self.count() - 2, str(file), Qt.ItemDataRole.ToolTipRole)
        self.choose(str(file))

    def _on_activated(self, at: int) -> None:
        if at < self.count() - 1:
            self._last = at
            return
        self.setCurrentIndex(self._last)
        ask_open(self, "Choose a cell file", "Cell files (*.toml);;All files (*)", self.add)
