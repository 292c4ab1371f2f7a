"""A plot of one channel over a case: its limits, the instant of a check, and the allowed window of that instant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen

from workbench.window.certify_page import style
from workbench.window.certify_page.traces import TraceHistory, is_flag
from workbench.window.plots.axis_ticks import follow
from workbench.window.plots.canvas import LEFT, RIGHT, PlotCanvas
from workbench.window.plots.channel_history import NOTHING
from workbench.window.plots.curve import plain_legend
from workbench.window.plots.plot import Plot
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import LABEL_PX, font

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QWidget

    from workbench.window.certify_page.case_time_axis import CaseTimeView
    from workbench.window.plots.curve import PlotSpec
    from workbench.window.plots.min_max_bins import MinMaxBins
    from workbench.window.plots.time_view import TimeView
    from workbench.window.widgets.themes import Theme

_WINDOW_ALPHA: Final = 36
_ROOM: Final = 46.0  # of a word on the vertical axis
_APART: Final = 11.0  # two words on it
_FEW: Final = 3  # words of a flag that are all shown
_FLAG: Final = (-0.15, 1.15)


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A limit of the channel, SI; `upper` if values must be below it."""

    level: float
    upper: bool
    device: bool = False  # of the bench file, not of the check
    exact: bool = False  # values must equal it


class CaseCanvas(PlotCanvas):
    """Labels its time axis with the case's own time, and draws limits and instants over the curve."""

    def __init__(self, spec: PlotSpec, view: TimeView, theme: Theme) -> None:
        super().__init__(spec, view, theme)
        self.limits: tuple[LimitLine, ...] = ()
        self.word = ""  # the verdict of the marked check

    @property
    def case(self) -> CaseTimeView:
        return self.view  # pyright: ignore[reportReturnType]  # its plot was given one

    def show_limits(self, limits: tuple[LimitLine, ...], word: str) -> None:
        self.limits, self.word = limits, word
        self.scale = None
        self.invalidate()

    def _follow(self, bins: MinMaxBins) -> None:
        """Set the range to include the curve, the limits of the check and the nearest device limit."""
        if self.held:
            return
        low, high = bins.extent(self.spec.curves[0].channel)
        if is_flag(self.spec.display):
            low, high = min(low, _FLAG[0]), max(high, _FLAG[1]) if high <= 1.0 else high
        for limit in self._near(low, high):
            low, high = min(low, limit.level), max(high, limit.level)
        shown = self.spec.display.shown
        fresh = follow(self.scale, shown(low), shown(high), self.spec.least)
        if fresh != self.scale:
            self.scale, self._fresh = fresh, True

    def _near(self, low: float, high: float) -> list[LimitLine]:
        own = [limit for limit in self.limits if not limit.device]
        device = [limit for limit in self.limits if limit.device]
        if not math.isfinite(low) or not math.isfinite(high):
            return own
        device.sort(key=lambda limit: max(low - limit.level, limit.level - high, 0.0))
        return own + device[:1]

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        super().paintEvent(event)
        if self.store is None or self.scale is None:
            return
        painter = QPainter(self)
        painter.setClipRect(self.area)
        painter.setFont(font(LABEL_PX))
        self._paint_window(painter)
        self._paint_words(painter)
        for limit in self.limits:
            self._paint_limit(painter, limit)
        self._paint_mark(painter)
        painter.end()

    def _paint_window(self, painter: QPainter) -> None:
        if self.case.window is None:
            return
        left, right = (self.x_of(t_s) if math.isfinite(t_s) else self.area.right() + 1.0 for t_s in self.case.window)
        colour = self.theme.colour("green")
        colour.setAlpha(_WINDOW_ALPHA)
        painter.fillRect(QRectF(left, self.area.top(), right - left, self.area.height()), colour)
        painter.setPen(QPen(self.theme.colour("amber"), 1, Qt.PenStyle.DashLine))
        for x in (left, right):
            painter.drawLine(QPointF(x, self.area.top()), QPointF(x, self.area.bottom()))

    def _paint_limit(self, painter: QPainter, limit: LimitLine) -> None:
        y = self.y_of(self.spec.display.shown(limit.level))
        if not self.area.top() - 1 <= y <= self.area.bottom() + 1:
            return
        painter.setPen(QPen(self.theme.colour("amber"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(self.area.left(), y), QPointF(self.area.right(), y))
        sign = "=" if limit.exact else "≤" if limit.upper else "≥"
        text = f"{sign} {self.spec.display.text(limit.level)}"
        text = f"{text}, device limit" if limit.device else text
        below = y - self.area.top() < 16  # noqa: PLR2004  # no room above the line
        box = QRectF(self.area.left() + 4, y + 1 if below else y - 15, self.area.width() - 8, 14)
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.fillRect(painter.boundingRect(box, side, text), self.theme.colour("background"))  # not on a curve
        painter.drawText(box, side, text)

    def _paint_mark(self, painter: QPainter) -> None:
        at_s = self.case.mark_s
        if at_s is None or not self.word:
            return
        colour, x = self.theme.colour(style.COLOURS[self.word]), self.x_of(at_s)
        painter.setPen(QPen(colour, 1.5))
        painter.drawLine(QPointF(x, self.area.top()), QPointF(x, self.area.bottom()))
        pixmap = style.verdict_icon(self.word, self.theme.name).pixmap(12, 12)
        painter.drawPixmap(QPointF(x + 3, self.area.top() + 2), pixmap)

    def _paint_time(self, painter: QPainter, back: float, x: float) -> None:
        step = self.view.span_s / 6.0
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        text = f"{fmt.figure(self.view.right_s - back, decimals)} s"
        width = painter.fontMetrics().horizontalAdvance(text)
        left = min(max(x - width / 2.0, LEFT - 2.0), self.width() - RIGHT - width + 2.0)
        painter.drawText(QPointF(left, self.height() - 6.0), text)

    def _paint_labels(self, painter: QPainter) -> None:
        if self.scale is None or not is_flag(self.spec.display):
            super()._paint_labels(painter)
            return
        scale, self.scale = self.scale, None  # words replace the numbers of the axis
        super()._paint_labels(painter)
        self.scale = scale
        painter.setPen(self.theme.colour("faint"))
        for y, word in self._words(painter, short=True):
            painter.drawText(
                QRectF(0, y - 8, LEFT - 6, 16), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, word
            )

    def _paint_words(self, painter: QPainter) -> None:
        """Paint the words that have no room beside the axis inside the plot, above their level."""
        painter.setPen(self.theme.colour("faint"))
        for y, word in self._words(painter, short=False):
            box = QRectF(self.area.left() + 4, max(y - 15, self.area.top()), self.area.width(), 14)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, word)

    def _words(self, painter: QPainter, *, short: bool) -> Iterator[tuple[float, str]]:
        """Yield y and word of each level of a flag or count; `short`: those that fit beside the axis; else the rest."""
        if self.scale is None or not is_flag(self.spec.display):
            return
        last_y = math.inf
        for value in sorted(self._levels()):
            y, word = self.y_of(value), self.spec.display.number(value)
            if self.scale.low <= value <= self.scale.high and last_y - y >= _APART:
                last_y = y
                if short == (painter.fontMetrics().horizontalAdvance(word) <= _ROOM):
                    yield y, word

    def _levels(self) -> set[int]:
        """Return the values that a flag or count takes; for a flag with few words, all of them."""
        words = self.spec.display.words or {}
        few = set(words) if len(words) <= _FEW else set[int]()
        return few | self.store.taken if isinstance(self.store, TraceHistory) else few


class CasePlot(Plot):
    """The window's plot with another canvas; its legend shows the marked instant while nothing is hovered."""

    def __init__(self, spec: PlotSpec, view: CaseTimeView, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(spec, view, theme, canvas=CaseCanvas)
        self.setParent(parent)
        self.case = view
        self.setAcceptDrops(False)

    @property
    def area(self) -> CaseCanvas:
        return self.canvas  # pyright: ignore[reportReturnType]  # it was made so

    def show_values(self, word: str = "") -> None:
        at_s = self.case.hover_s if self.case.hover_s is not None else self.case.mark_s
        store = self.canvas.store
        if self.case.hover_s is None and at_s is not None and isinstance(store, TraceHistory):
            reading = store.at(store.first_from(at_s))
        else:
            reading = NOTHING if store is None else store.at(at_s)
        entries = plain_legend(self.spec.curves, self.spec.display)(reading)
        text = f"at {fmt.figure(at_s, 3)} s" if at_s is not None else "at the end"
        self.header.show_values(entries, word or text, self.between())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        super().mouseDoubleClickEvent(event)
        self.case.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and not self.view.cursors:
            self.case.move(step)
        else:
            super().keyPressEvent(event)
