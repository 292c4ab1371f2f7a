"""The area of a plot: curves drawn once per pixel column into a circular picture, labels beside it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workbench.window.plots.axis_ticks import AxisScale, follow, round_scale
from workbench.window.plots.curve import Stroke
from workbench.window.plots.min_max_bins import MinMaxBins
from workbench.window.plots.overlay import paint_overlay
from workbench.window.plots.painter import PlotPainter
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import LABEL_PX, Theme, font

if TYPE_CHECKING:
    from workbench.window.plots.channel_history import ChannelHistory
    from workbench.window.plots.curve import PlotCurve, PlotSpec
    from workbench.window.plots.time_view import TimeView

LEFT: Final = 52
RIGHT: Final = 14
TOP: Final = 18  # room for the unit, above the curves and not on them
BOTTOM: Final = 20
LEAST_PX: Final = TOP + BOTTOM + 60  # curves that are less high cannot be read
GAP_S: Final = 0.6  # a longer gap in the data is drawn as a gap
_LABEL_APART: Final = 14.0
_FIT_EVERY: Final = 8  # frames between two updates of the range


class PlotCanvas(QWidget):
    """Paints the new rows since the last frame; `advance` is called 30 times a second while it is visible."""

    def __init__(self, spec: PlotSpec, view: TimeView, theme: Theme) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(140, LEAST_PX)
        self.spec = spec
        self.view = view
        self.theme = theme
        self.store: ChannelHistory | None = None
        self.scale: AxisScale | None = None
        self.held = False  # a range set by hand is kept
        self.whole = False  # spikes set the range, too
        self.frames = 0
        self._bins: MinMaxBins | None = None
        self._picture = QPixmap()
        self._last = 0
        self._generation = -1
        self._fresh = True
        self._frame = 0
        self._measure()

    # ---- geometry

    def _measure(self) -> None:
        width = self.width() - LEFT - RIGHT
        self.area = QRect(LEFT, TOP, max(1, width - self._keep_free(width)), max(1, self.height() - TOP - BOTTOM))
        ratio = self._ratio = self.devicePixelRatioF()
        self._size = QSize(max(1, round(self.area.width() * ratio)), max(1, round(self.area.height() * ratio)))

    def _keep_free(self, width: int) -> int:
        """Return how much of `width` a subclass needs at the right of the curves."""
        del width
        return 0

    @property
    def bin_s(self) -> float:
        """Time per device pixel."""
        return self.view.span_s / self._size.width()

    @property
    def right_s(self) -> float:
        """Time at the right edge of the area."""
        return (self._last + 1) * self.bin_s

    def x_of(self, t_s: float) -> float:
        """Return the logical x of an instant."""
        return self.area.right() + 1 - (self.right_s - t_s) / self.view.span_s * self.area.width()

    def time_at(self, x: float) -> float:
        return self.right_s - (self.area.right() + 1 - x) / self.area.width() * self.view.span_s

    def y_of(self, shown: float) -> float:
        """Return the logical y of a value in shown units."""
        scale = self.scale or round_scale(0.0, 1.0, 1.0)
        return self.area.bottom() + 1 - (shown - scale.low) / (scale.high - scale.low) * self.area.height()

    # ---- what is shown

    def show_store(self, store: ChannelHistory | None) -> None:
        self.store = store
        self.invalidate()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.invalidate()

    def set_curves(self, curves: tuple[PlotCurve, ...]) -> None:
        self.spec = replace(self.spec, curves=curves)
        self.invalidate()

    def invalidate(self) -> None:
        """Redraw everything with the next frame."""
        self._fresh = True

    def fit(self) -> None:
        """Let the range follow the data again; if spikes are left out, include or exclude them in turn."""
        self.whole = self.spec.usual and not self.whole and not self.held
        self.scale = None
        self.held = False
        self.invalidate()

    def stretch(self, factor: float, y: float) -> None:
        """Make the range `factor` times as wide about the value at `y`, and hold it."""
        if self.scale is None:
            return
        scale = self.scale
        at = scale.low + (self.area.bottom() + 1 - y) / self.area.height() * (scale.high - scale.low)
        low, high = at + (scale.low - at) * factor, at + (scale.high - at) * factor
        self.scale = replace(round_scale(low, high, 1e-9), low=low, high=high)
        self.held = True
        self.invalidate()

    # ---- each frame

    def advance(self) -> None:
        """Take new rows into the bins and draw the columns that changed."""
        store = self.store
        if store is None or not math.isfinite(self.view.right_s):
            if self._fresh:
                self.update()
            return
        last = math.floor(self.view.right_s / self.bin_s)
        if self._fresh or self._bins is None or store.generation != self._generation or last < self._last:
            self._generation = store.generation
            self._bins = MinMaxBins(self._needed(store), self._size.width(), self.bin_s)
            self._fresh = True
        self._bins.update(store, last)
        self._frame += 1
        if self._fresh or self._frame % _FIT_EVERY == 0:
            self._follow(self._bins)
        self._draw(self._bins, last)

    def _needed(self, store: ChannelHistory) -> list[str]:
        names = [name for curve in self.spec.curves for name in (curve.channel, curve.other)]
        return [name for name in dict.fromkeys(names) if name in store]

    def _follow(self, bins: MinMaxBins) -> None:
        if self.held:
            return
        low, high = self._find_extent(bins)
        display = self.spec.display
        fresh = follow(self.scale, display.shown(low), display.shown(high), self.spec.least)
        if fresh != self.scale:
            self.scale = fresh
            self._fresh = True

    def _find_extent(self, bins: MinMaxBins) -> tuple[float, float]:
        """Return the lowest and the highest value to show, SI; (inf, -inf) for nothing."""
        low, high = math.inf, -math.inf
        for curve in self.spec.curves:
            if curve.channel in bins.row:
                least, most = bins.extent(curve.channel, usual=self.spec.usual and not self.whole)
                wide = bins.extent(curve.other)[1] if curve.around and curve.other in bins.row else 0.0
                wide = wide if math.isfinite(wide) else 0.0
                low, high = min(low, least - wide), max(high, most + wide)
            if curve.stroke is Stroke.BAND and not curve.around and curve.other in bins.row:
                high = max(high, bins.extent(curve.other)[1])
        return low, high

    def _draw(self, bins: MinMaxBins, last: int) -> None:
        width = self._size.width()
        if self._picture.size() != self._size:
            self._picture = QPixmap(self._size)
            self._fresh = True
        gap = max(2, math.ceil(GAP_S / self.bin_s))
        oldest = last - width + 1
        first = oldest if self._fresh else max(self._last - gap - 1, oldest)
        self._last = last
        scale = self.scale or round_scale(0.0, 1.0, 1.0)
        painter = QPainter(self._picture)
        for start in range(first - first % width, last + 1, width):
            brush = PlotPainter(painter, self.theme, scale, self.spec.display, start, gap, self._ratio)
            brush.draw(bins, self.spec.curves, max(first, start), min(last, start + width - 1))
        painter.end()
        if self._fresh:
            self._fresh = False
            self.update()
        else:
            self.update(self.area)

    # ---- painting

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        self._measure()
        self.invalidate()
        self.advance()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        self.frames += 1
        painter = QPainter(self)
        area = self.area
        if self.devicePixelRatioF() != self._ratio:  # moved to another screen
            self._measure()
            self.invalidate()
        if self._picture.isNull() or not area.contains(event.rect()):
            painter.fillRect(self.rect(), self.theme.colour("background"))
            self._paint_labels(painter)
        if not self._picture.isNull() and self.store is not None:
            seam = (self._last + 1) % self._picture.width()
            self._blit(painter, seam, self._picture.width() - seam, 0)
            self._blit(painter, 0, seam, self._picture.width() - seam)
            paint_overlay(painter, self)
        painter.end()

    def _blit(self, painter: QPainter, column: int, width: int, at: int) -> None:
        if width:
            ratio, area = self.devicePixelRatioF(), self.area
            target = QRectF(area.left() + at / ratio, area.top(), width / ratio, area.height())
            painter.drawPixmap(target, self._picture, QRectF(column, 0, width, self._picture.height()))

    def _paint_labels(self, painter: QPainter) -> None:
        area = self.area
        painter.setFont(font(LABEL_PX))
        painter.setPen(self.theme.colour("faint"))
        painter.drawText(QRect(LEFT, 0, area.width(), TOP - 3), Qt.AlignmentFlag.AlignVCenter, self.spec.unit)
        if self.scale is not None:
            apart = area.height() * self.scale.step / (self.scale.high - self.scale.low)
            for tick in self.scale.ticks[:: max(1, math.ceil(_LABEL_APART / apart))]:
                box = QRectF(0, self.y_of(tick) - 8, LEFT - 6, 16)
                painter.drawText(
                    box,
                    Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                    fmt.figure(tick, self.scale.decimals),
                )
        step = self.view.span_s / 6.0 if area.width() >= 360 else self.view.span_s / 3.0  # noqa: PLR2004  # room for labels
        back = self.view.span_s
        while back > -1e-6:  # noqa: PLR2004  # rounding
            x = area.right() + 1 - back / self.view.span_s * area.width()
            self._paint_time(painter, back, x)
            back -= step

    def _paint_time(self, painter: QPainter, back: float, x: float) -> None:
        text = f"{fmt.MINUS}{back:g} s" if back > 1e-6 else self.view.edge  # noqa: PLR2004  # rounding
        width = painter.fontMetrics().horizontalAdvance(text)
        left = min(max(x - width / 2.0, 0.0), self.width() - RIGHT - width + 2.0)
        painter.drawText(QPointF(left, self.height() - 6.0), text)
