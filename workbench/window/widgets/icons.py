"""Small painted line icons, so that no font needs the glyph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

RATIOS: Final = (1.0, 1.5, 2.0)  # device pixels a logical pixel for which a picture is made
_SIDE: Final = 16.0
Draw = Callable[[QPainter, QColor], None]


def _grid(painter: QPainter, colour: QColor) -> None:
    del colour
    for x in (2.0, 9.0):
        for y in (2.0, 9.0):
            painter.drawRect(QRectF(x, y, 5.0, 5.0))


def _wave(painter: QPainter, colour: QColor) -> None:
    del colour
    for y in (5.5, 10.5):
        path = QPainterPath(QPointF(1.5, y + 1.0))
        path.cubicTo(5.0, y - 4.0, 6.0, y - 2.0, 8.0, y)
        path.cubicTo(10.0, y + 2.0, 11.0, y + 4.0, 14.5, y - 1.0)
        painter.drawPath(path)


def _dial(painter: QPainter, colour: QColor) -> None:
    del colour
    painter.drawEllipse(QRectF(2.0, 2.0, 12.0, 12.0))
    painter.drawLine(QPointF(8.0, 8.0), QPointF(11.0, 4.8))


def _check(painter: QPainter, colour: QColor) -> None:
    del colour
    painter.drawPolyline(QPolygonF([QPointF(2.5, 8.5), QPointF(6.0, 12.0), QPointF(13.5, 4.0)]))


def _list(painter: QPainter, colour: QColor) -> None:
    del colour
    for y in (4.0, 8.0, 12.0):
        painter.drawLine(QPointF(2.5, y), QPointF(13.5, y))


def _box(painter: QPainter, colour: QColor) -> None:
    del colour
    painter.drawRect(QRectF(2.5, 3.5, 11.0, 10.0))
    painter.drawLine(QPointF(8.0, 3.5), QPointF(8.0, 13.5))


def _net(painter: QPainter, colour: QColor) -> None:
    del colour
    for x, y in ((8.0, 3.5), (3.5, 12.0), (12.5, 12.0)):
        painter.drawEllipse(QPointF(x, y), 2.0, 2.0)
    painter.drawLine(QPointF(7.1, 5.3), QPointF(4.5, 10.2))
    painter.drawLine(QPointF(8.9, 5.3), QPointF(11.5, 10.2))


def _pulse(painter: QPainter, colour: QColor) -> None:
    del colour
    points = ((1.5, 8.5), (4.5, 8.5), (6.5, 3.5), (9.5, 12.5), (11.5, 8.5), (14.5, 8.5))
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points]))


def _square(painter: QPainter, colour: QColor) -> None:
    painter.fillRect(QRectF(4.0, 4.0, 8.0, 8.0), colour)


def _disc(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawEllipse(QPointF(8.0, 8.0), 3.6, 3.6)


def _bars(painter: QPainter, colour: QColor) -> None:
    painter.fillRect(QRectF(4.0, 3.5, 3.0, 9.0), colour)
    painter.fillRect(QRectF(9.0, 3.5, 3.0, 9.0), colour)


def _play(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(5.0, 3.5), QPointF(12.5, 8.0), QPointF(5.0, 12.5)]))


def _triangle(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(8.0, 3.5), QPointF(13.0, 12.5), QPointF(3.0, 12.5)]))


def _down(painter: QPainter, colour: QColor) -> None:
    del colour
    painter.drawPolyline(QPolygonF([QPointF(4.0, 6.0), QPointF(8.0, 10.0), QPointF(12.0, 6.0)]))


def _bolt(painter: QPainter, colour: QColor) -> None:
    painter.setBrush(colour)
    points = ((9.0, 1.5), (4.0, 9.0), (7.5, 9.0), (6.5, 14.5), (12.0, 6.5), (8.5, 6.5))
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))


def _cross(painter: QPainter, colour: QColor) -> None:
    del colour
    painter.drawLine(QPointF(4.0, 4.0), QPointF(12.0, 12.0))
    painter.drawLine(QPointF(12.0, 4.0), QPointF(4.0, 12.0))


def _minus(painter: QPainter, colour: QColor) -> None:
    del colour
    painter.drawLine(QPointF(3.5, 8.0), QPointF(12.5, 8.0))


def _ring(painter: QPainter, colour: QColor) -> None:
    del colour
    painter.drawEllipse(QPointF(8.0, 8.0), 3.6, 3.6)


_DRAWN: Final[dict[str, Draw]] = {
    "bench": _grid,
    "twin": _wave,
    "control": _dial,
    "certify": _check,
    "runs": _list,
    "bundle": _box,
    "fleet": _net,
    "health": _pulse,
    "stop": _square,
    "dot": _disc,
    "pause": _bars,
    "play": _play,
    "warning": _triangle,
    "down": _down,
    "bolt": _bolt,
    "ok": _check,
    "cross": _cross,
    "minus": _minus,
    "ring": _ring,
}


def paint_icon(painter: QPainter, name: str, box: QRectF, colour: QColor) -> None:
    """Paint an icon into `box`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
    painter.translate(box.topLeft())
    painter.scale(box.width() / _SIDE, box.height() / _SIDE)
    painter.setPen(QPen(colour, 1.3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _DRAWN[name](painter, colour)
    painter.restore()


def icon(name: str, colour: QColor) -> QIcon:
    """Return the icon in one colour, at the size of buttons; a selected line does not dull it."""
    made = QIcon()
    for ratio in RATIOS:
        picture = QPixmap(QSize(int(_SIDE * ratio), int(_SIDE * ratio)))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        paint_icon(painter, name, QRectF(0.0, 0.0, _SIDE, _SIDE), colour)
        painter.end()
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            made.addPixmap(picture, mode)
    return made
