"""Painter of the columns of a plot's picture: ground, grid, bands, curves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QBrush, QPainter, QPen

from workbench.window.plots.curve import PlotCurve, Stroke
from workbench.window.plots.polyline import find_steep, make_band, make_polyline, split_dashes, split_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.window.plots.axis_ticks import AxisScale
    from workbench.window.plots.min_max_bins import Extremes, MinMaxBins, Numbers
    from workbench.window.widgets.format import Display
    from workbench.window.widgets.themes import Theme

_BAND_ALPHA: Final = {"dark": 46, "light": 38}
_ON_TOP: Final = (Stroke.LINE, Stroke.DASH, Stroke.DOT)
_WIDTH_PX: Final = 1.5  # of a curve, logical pixels
_DOT_PX: Final = 2.0
_SHIFT: Final = 4  # bins by which the dashes of the next curve lie beside those of the last, where two curves coincide
_PATTERNS: Final = {Stroke.DASH: (8.0, 4.0), Stroke.DOT: (2.0, 3.0)}  # on and off, logical pixels


@dataclass(frozen=True)
class PlotPainter:
    """A painter on the picture whose first column is bin `start`; gaps longer than `gap` bins stay gaps."""

    painter: QPainter
    theme: Theme
    scale: AxisScale
    display: Display
    start: int
    gap: int
    ratio: float = 1.0  # device pixels a logical pixel

    def draw(self, bins: MinMaxBins, curves: Sequence[PlotCurve], first: int, last: int) -> None:
        """Draw the bins `first` .. `last` and nothing beside them."""
        painter = self.painter
        self._ground(QRect(first - self.start, 0, last - first + 1, painter.device().height()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
        number, low, high = bins.between(first - self.gap - 2, last + self.gap + 2)
        x = (number - self.start).astype(np.float64) + 0.5
        for curve in curves:
            if curve.stroke is Stroke.BAND and curve.channel in bins.row and curve.other in bins.row:
                one, other = bins.row[curve.channel], bins.row[curve.other]
                if curve.around:
                    self._band(curve, number, x, low[one] - high[other], high[one] + high[other])
                else:
                    self._band(curve, number, x, low[one], high[other])
        low, high = self._pixels(low), self._pixels(high)
        for place, curve in _sort_by_stroke(curves):
            if curve.channel in bins.row:
                row = bins.row[curve.channel]
                self._line(curve, number + place * _SHIFT, x, low[row], high[row])

    def _ground(self, columns: QRect) -> None:
        painter = self.painter
        painter.setClipRect(columns)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        painter.fillRect(columns, self.theme.colour("background"))
        painter.setPen(QPen(self.theme.colour("grid"), 0))
        for y in self._pixels(np.array([self.scale.ticks]) / self.display.scale - self._offset).ravel().tolist():
            painter.drawLine(columns.left(), int(y), columns.right(), int(y))

    @property
    def _offset(self) -> float:
        return self.display.offset / self.display.scale

    def _pixels(self, si: Extremes) -> Extremes:
        height = self.painter.device().height()
        per = -height / (self.scale.high - self.scale.low)
        return si * (self.display.scale * per) + (height + (self.display.offset - self.scale.low) * per)

    def _line(self, curve: PlotCurve, number: Numbers, x: Extremes, low: Extremes, high: Extremes) -> None:
        known = np.isfinite(low)
        if not known.all():
            number, x, low, high = number[known], x[known], low[known], high[known]
        painter = self.painter
        painter.setPen(QPen(self.theme.colour(curve.colour), 1.0))
        passes = 1 + math.ceil(self.ratio)  # a wider pen costs the raster engine forty times a thin one
        width = (_DOT_PX if curve.stroke is Stroke.DOT else _WIDTH_PX) * self.ratio
        apart = (width - 1.0) / (passes - 1)
        for part in self._parts(curve.stroke, number, low, high):
            shape = make_polyline(x[part], low[part], high[part])
            for each in range(passes):
                painter.translate(0.0, each * apart)
                painter.drawPolyline(shape)
                painter.translate(0.0, -each * apart)

    def _parts(self, stroke: Stroke, number: Numbers, low: Extremes, high: Extremes) -> Iterator[slice]:
        """Yield the pieces of a curve that its stroke shows."""
        if stroke not in _PATTERNS:
            return split_runs(number, self.gap)
        on, off = (max(1, round(part * self.ratio)) for part in _PATTERNS[stroke])
        return split_dashes(number, self.gap, (on, off), find_steep(low, high))

    def _band(self, curve: PlotCurve, number: Numbers, x: Extremes, low: Extremes, high: Extremes) -> None:
        known = np.isfinite(low + high)
        colour = self.theme.colour(curve.colour)
        colour.setAlpha(_BAND_ALPHA[self.theme.name])
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(QBrush(colour))
        number, x = number[known], x[known]
        low, high = self._pixels(low[known]), self._pixels(high[known])
        for part in split_runs(number, self.gap):
            self.painter.drawPolygon(make_band(x[part], low[part], high[part]))
        self.painter.setBrush(Qt.BrushStyle.NoBrush)


def _sort_by_stroke(curves: Sequence[PlotCurve]) -> list[tuple[int, PlotCurve]]:
    """Return the lines with their places, solid ones first, so that dashes and dots on top leave them visible.

    Of one stroke the first of the legend lies on top.
    """
    lines = [(place, curve) for place, curve in enumerate(curves) if curve.stroke is not Stroke.BAND]
    return sorted(lines, key=lambda line: (_ON_TOP.index(line[1].stroke), -line[0]))
