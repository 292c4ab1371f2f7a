"""Whether a log is of one cell or of a pack: its cells in series and in parallel."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QWidget

from workbench.window.widgets.basic import pad_text

MOST: Final = 1000
SERIES_TIP: Final = "Cells in series of a log of a pack; the mean of its cells is read"
PARALLEL_TIP: Final = "Cells in parallel of a log of a pack"


class PackChoice(QWidget):
    """Two numbers; a log of one cell has 1 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self._series, self._parallel = QSpinBox(), QSpinBox()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for spin, suffix, tip in ((self._series, " s", SERIES_TIP), (self._parallel, " p", PARALLEL_TIP)):
            spin.setRange(1, MOST)
            spin.setSuffix(suffix)
            spin.setAccessibleName(tip.partition(" of a log")[0])
            spin.setToolTip(tip)
            spin.setAlignment(Qt.AlignmentFlag.AlignRight)
            pad_text(spin)
            row.addWidget(spin, 1)
        self.setFocusProxy(self._series)

    @property
    def value(self) -> tuple[int, int]:
        """Cells in series and in parallel."""
        return self._series.value(), self._parallel.value()

    def choose(self, series: int, parallel: int) -> None:
        self._series.setValue(series)
        self._parallel.setValue(parallel)
