"""Overlay on the curves: markers of events, the hovered instant with a dot on each curve, and the two cursors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from workbench.window.plots.curve import Stroke
from workbench.window.widgets.themes import LABEL_PX, font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.plots.canvas import PlotCanvas
    from workbench.window.plots.markers import Marker

_DOT: Final = 2.5
_WIDE: Final = 500  # a narrower plot has no room for the texts of markers
_TEXT_PX: Final = 260
_GAP_PX: Final = 8.0


def paint_overlay(painter: QPainter, canvas: PlotCanvas) -> None:
    """Paint over the finished curves of `canvas`."""
    view, area = canvas.view, canvas.area
    markers = view.markers.between(canvas.right_s - view.span_s, canvas.right_s)
    if view.hover_s is None and not view.cursors and not markers:
        return
    painter.setClipRect(area)
    painter.setFont(font(LABEL_PX))
    _markers(painter, canvas, markers)
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


def _markers(painter: QPainter, canvas: PlotCanvas, markers: Sequence[Marker]) -> None:
    """Paint a dashed line at each event, the most severe last, over the others."""
    area = canvas.area
    for marker in sorted(markers, key=lambda one: one.severity):
        x = int(canvas.x_of(marker.t_s))
        painter.setPen(QPen(canvas.theme.colour(marker.colour), 1, Qt.PenStyle.DashLine))
        painter.drawLine(x, area.top(), x, area.bottom())
    if area.width() >= _WIDE:
        _marker_texts(painter, canvas, markers)


def _marker_texts(painter: QPainter, canvas: PlotCanvas, markers: Sequence[Marker]) -> None:
    """Paint the texts as far as there is room: the most severe first, then the newest."""
    metrics, area = painter.fontMetrics(), canvas.area
    taken: list[QRectF] = []
    for marker in sorted(markers, key=lambda one: (-one.severity, -one.t_s)):
        x = canvas.x_of(marker.t_s)
        text = metrics.elidedText(marker.text, Qt.TextElideMode.ElideRight, _TEXT_PX)
        width = metrics.horizontalAdvance(text) + 4.0
        left = x + 3.0 if x + 3.0 + width <= area.right() else x - 3.0 - width
        box = QRectF(left, area.top() + 2, width, metrics.height())
        room = box.adjusted(-_GAP_PX, 0, _GAP_PX, 0)
        if left < area.left() or any(room.intersects(other) for other in taken):
            continue
        taken.append(box)
        painter.fillRect(box, canvas.theme.colour("background"))
        painter.setPen(canvas.theme.colour(marker.colour))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


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
