"""Overlay on the curves: the hovered instant with a dot on each curve, and the two cursors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from workbench.window.plots.curve import Stroke
from workbench.window.widgets.themes import LABEL_PX, font

if TYPE_CHECKING:
    from workbench.window.plots.canvas import PlotCanvas

_DOT: Final = 2.5


def paint_overlay(painter: QPainter, canvas: PlotCanvas) -> None:
    """Paint over the finished curves of `canvas`."""
    view, area = canvas.view, canvas.area
    if view.hover_s is None and not view.cursors:
        return
    painter.setClipRect(area)
    painter.setFont(font(LABEL_PX))
    for name, t_s in view.cursors.items():
        _vertical(painter, canvas, t_s, "blue")
        box = QRectF(canvas.x_of(t_s) + 3, area.bottom() - 16, 16, 14)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, name)
    if view.hover_s is not None:
        _vertical(painter, canvas, view.hover_s, "muted")
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
    for t_s in (*view.cursors.values(), *([] if view.hover_s is None else [view.hover_s])):
        _dots(painter, canvas, t_s)
    painter.setClipping(False)


def _vertical(painter: QPainter, canvas: PlotCanvas, t_s: float, colour: str) -> None:
    painter.setPen(QPen(canvas.theme.colour(colour), 0))
    x = int(canvas.x_of(t_s))
    painter.drawLine(x, canvas.area.top(), x, canvas.area.bottom())


def _dots(painter: QPainter, canvas: PlotCanvas, t_s: float) -> None:
    if canvas.store is None:
        return
    reading = canvas.store.at(t_s)
    for curve in canvas.spec.curves:
        value = reading[curve.channel]
        if curve.stroke is Stroke.BAND or value != value:  # noqa: PLR0124  # NaN
            continue
        painter.setPen(QPen(canvas.theme.colour("background"), 1))
        painter.setBrush(canvas.theme.colour(curve.colour))
        centre = QPointF(canvas.x_of(t_s), canvas.y_of(canvas.spec.display.shown(value)))
        painter.drawEllipse(centre, _DOT, _DOT)
    painter.setBrush(Qt.BrushStyle.NoBrush)
