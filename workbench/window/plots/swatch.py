"""A short piece of a curve beside its name, in its colour and with its stroke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QPen

from workbench.window.plots.curve import Stroke

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QPainter

SWATCH_PX: Final = 14
_WIDTH: Final = 2
_PATTERNS: Final = {Stroke.DASH: (3.0, 1.0), Stroke.DOT: (1.0, 1.0)}  # on and off, in widths of the pen


def paint_swatch(painter: QPainter, x: float, y: float, colour: QColor, stroke: Stroke) -> None:
    """Paint a swatch to the right of `x`, centred on `y`."""
    pen = QPen(colour, _WIDTH)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if stroke in _PATTERNS:
        pen.setDashPattern(_PATTERNS[stroke])
    painter.setPen(pen)
    painter.drawLine(int(x), int(y), int(x) + SWATCH_PX, int(y))
