"""A small plot of values over a number that is not the time of the bench: steps of a training, days of a shadow."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from workbench.window.plots.axis_ticks import AxisScale, round_scale
from workbench.window.plots.canvas import BOTTOM, LEAST_PX, RIGHT, TOP
from workbench.window.plots.curve import LegendEntry, Stroke
from workbench.window.plots.header import PlotHeader
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import LABEL_PX, font

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.window.widgets.themes import Theme

LEFT: Final = 64
_APART_PX: Final = 90.0  # between two labels of the horizontal axis
_DOT_PX: Final = 2.5
_FEW: Final = 12  # points that are marked one by one
_BELOW: Final = 0.03  # of the range, so that a line at zero shows
_RIGHT_SIDE: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class XyLine:
    """One line: points `x`, `y` in SI units; `colour` is a key of the theme.

    The legend shows `value`, or the last point where it is None; a line without a label has no entry.
    """

    label: str
    colour: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    stroke: Stroke = Stroke.LINE
    value: str | None = None


@dataclass(frozen=True)
class XyAxes:
    """What the axes show: the quantity of `y`, its narrowest range in shown units, and the word of `x`."""

    display: fmt.Display
    least: float
    x_word: str
    has_zero: bool = False  # draw a line at zero, and show it always
    is_positive: bool = False  # the axis does not go below zero


class XyCanvas(QWidget):
    """Paints its lines when they change."""

    def __init__(self, axes: XyAxes, theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, LEAST_PX)
        self.axes, self.theme = axes, theme
        self.lines: Sequence[XyLine] = ()
        self.empty = ""

    @property
    def area(self) -> QRect:
        return QRect(LEFT, TOP, max(1, self.width() - LEFT - RIGHT), max(1, self.height() - TOP - BOTTOM))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        painter, area = QPainter(self), self.area
        painter.fillRect(self.rect(), self.theme.colour("background"))
        painter.setFont(font(LABEL_PX))
        painter.setPen(self.theme.colour("faint"))
        points = [(x, self.axes.display.shown(y)) for line in self.lines for x, y in zip(line.x, line.y, strict=False)]
        points = [point for point in points if math.isfinite(sum(point))]
        if not points:
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(area, flags, self.empty)
            painter.end()
            return
        x_scale = _make_x_scale([x for x, _ in points])
        shown = [y for _, y in points] + ([0.0] if self.axes.has_zero else [])
        y_scale = round_scale(min(shown), max(shown), self.axes.least)
        if self.axes.is_positive and y_scale.low < 0.0:
            y_scale = replace(y_scale, low=-_BELOW * y_scale.high)
        self._paint_axes(painter, x_scale, y_scale)
        painter.setClipRect(area.adjusted(-3, 0, 3, 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
        for line in self.lines:
            self._paint_line(painter, line, self._place(x_scale, y_scale))
        painter.end()

    def _place(self, x_scale: AxisScale, y_scale: AxisScale) -> Callable[[float, float], QPointF]:
        area, shown = self.area, self.axes.display.shown

        def place(x: float, y: float) -> QPointF:
            across = (x - x_scale.low) / (x_scale.high - x_scale.low)
            up = (shown(y) - y_scale.low) / (y_scale.high - y_scale.low)
            return QPointF(area.left() + across * area.width(), area.bottom() + 1 - up * area.height())

        return place

    def _paint_axes(self, painter: QPainter, x_scale: AxisScale, y_scale: AxisScale) -> None:
        area = self.area
        painter.drawText(QRect(LEFT, 0, area.width(), TOP - 3), Qt.AlignmentFlag.AlignVCenter, self.axes.display.unit)
        for tick in y_scale.ticks:
            y = area.bottom() + 1 - (tick - y_scale.low) / (y_scale.high - y_scale.low) * area.height()
            is_zero = self.axes.has_zero and abs(tick) < y_scale.step / 2.0
            painter.setPen(QPen(self.theme.colour("faint" if is_zero else "grid"), 0))
            painter.drawLine(area.left(), int(y), area.right(), int(y))
            painter.setPen(self.theme.colour("faint"))
            painter.drawText(QRectF(0, y - 8, LEFT - 6, 16), _RIGHT_SIDE, fmt.figure(tick, y_scale.decimals))
        every = max(1, math.ceil(_APART_PX / max(1.0, area.width() * x_scale.step / (x_scale.high - x_scale.low))))
        word = f" {self.axes.x_word}"
        for tick in x_scale.ticks[::every]:
            x = area.left() + (tick - x_scale.low) / (x_scale.high - x_scale.low) * area.width()
            text = _write_whole(tick) + word
            width = painter.fontMetrics().horizontalAdvance(text)
            left = min(max(x - width / 2.0, 0.0), self.width() - RIGHT - width)
            painter.drawText(QPointF(left, self.height() - 6.0), text)

    def _paint_line(self, painter: QPainter, line: XyLine, place: Callable[[float, float], QPointF]) -> None:
        known = [(x, y) for x, y in zip(line.x, line.y, strict=False) if math.isfinite(x + y)]
        points = [place(x, y) for x, y in known]
        colour = self.theme.colour(line.colour)
        style = Qt.PenStyle.DashLine if line.stroke is Stroke.DASH else Qt.PenStyle.SolidLine
        painter.setPen(QPen(colour, 1.5, style))
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(QPen(colour, 1.5))
        if len(points) <= _FEW:
            painter.setBrush(colour)
            for point in points:
                painter.drawEllipse(point, _DOT_PX, _DOT_PX)
            painter.setBrush(Qt.BrushStyle.NoBrush)


class XyPlot(QWidget):
    """A header with the newest value of each line, above the canvas."""

    def __init__(self, title: str, axes: XyAxes, theme: Theme) -> None:
        super().__init__()
        self.header, self.canvas = PlotHeader(title, theme), XyCanvas(axes, theme)
        self.setAccessibleName(f"Plot {title}")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.canvas, 1)

    def set_theme(self, theme: Theme) -> None:
        self.header.set_theme(theme)
        self.canvas.theme = theme
        self.canvas.update()

    def show_x_word(self, word: str) -> None:
        """Show another unit of `x`."""
        if word != self.canvas.axes.x_word:
            self.canvas.axes = replace(self.canvas.axes, x_word=word)
            self.canvas.update()

    def show_lines(self, lines: Sequence[XyLine], empty: str) -> None:
        """Show these lines, or the sentence `empty` where none has a point."""
        show = self.canvas.axes.display.text
        entries = [
            LegendEntry(
                line.colour,
                line.label,
                show(line.y[-1] if line.y else math.nan) if line.value is None else line.value,
                stroke=line.stroke,
            )
            for line in lines
            if line.label
        ]
        self.header.show_values(entries, "", ())
        if (list(lines), empty) != (list(self.canvas.lines), self.canvas.empty):
            self.canvas.lines, self.canvas.empty = tuple(lines), empty
            self.canvas.update()


def _make_x_scale(values: Sequence[float]) -> AxisScale:
    """Return a scale from the first to the last value, with ticks at round ones."""
    low, high = min(values), max(values)
    high = high if high > low else low + 1.0
    step = round_scale(low, high, 1.0).step
    return AxisScale(low, high, max(1.0, step))


def _write_whole(value: float) -> str:
    return fmt.count(round(value)) if value >= 0.0 else fmt.figure(value, 0)
