"""A plot of the past with the plans of the controllers at its right, in one scale of time; "now" is between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF

from workbench.window.plots.canvas import LEFT, RIGHT, TOP, PlotCanvas
from workbench.window.widgets.themes import LABEL_PX, font

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control.ports import Plan
    from workbench.window.plots.curve import PlotSpec
    from workbench.window.plots.min_max_bins import MinMaxBins
    from workbench.window.plots.time_view import TimeView
    from workbench.window.widgets.themes import Theme

SHARE: Final = 0.2  # of the width is ahead: a quarter of the time that the past shows
PLAN_AHEAD: Final = "plan ahead"
NO_PLAN: Final = "no plan"
_ALPHA: Final = 190  # fainter than what was really requested


class PlanCanvas(PlotCanvas):
    """Draws each plan as steps, dotted, in the colour of its lane."""

    def __init__(self, spec: PlotSpec, view: TimeView, theme: Theme) -> None:
        super().__init__(spec, view, theme)
        self._plans: list[tuple[str, Plan]] = []

    @property
    def plans(self) -> list[tuple[str, Plan]]:
        """What is drawn: colour key and plan."""
        return self._plans

    def show_plans(self, plans: Mapping[str, Plan], colours: Mapping[str, str]) -> None:
        """Show the plans by lane; `colours` gives the key of the theme for each lane."""
        shown = [(colours[name], plan) for name, plan in plans.items() if name in colours]
        if shown != self._plans:
            self._plans = shown
            self.update()

    @property
    def ahead(self) -> QRect:
        """The area of the plans, right of the curves."""
        left = self.area.right() + 1
        return QRect(left, self.area.top(), max(0, self.width() - RIGHT - left), self.area.height())

    def _keep_free(self, width: int) -> int:
        return max(0, round(SHARE * width))

    def _find_extent(self, bins: MinMaxBins) -> tuple[float, float]:
        low, high = super()._find_extent(bins)
        for _, plan in self._plans:
            known = [a for a in plan.current_a if math.isfinite(a)]
            low, high = min([low, *known]), max([high, *known])
        return low, high

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        super().paintEvent(event)
        if self.area.contains(event.rect()):
            return
        painter = QPainter(self)
        self._paint_frame(painter)
        painter.setClipRect(self.ahead)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
        for key, plan in self._plans:
            colour = self.theme.colour(key)
            colour.setAlpha(_ALPHA)
            painter.setPen(QPen(colour, 1.5, Qt.PenStyle.DotLine))
            painter.drawPolyline(self._make_steps(plan))
        painter.end()

    def _make_steps(self, plan: Plan) -> QPolygonF:
        per_s = self.area.width() / self.view.span_s
        left, points = float(self.ahead.left()), list[QPointF]()
        for step, current_a in enumerate(plan.current_a):
            x = left + step * plan.step_s * per_s
            if not math.isfinite(current_a) or x > self.ahead.right() + 1:
                break
            y = self.y_of(self.spec.display.shown(current_a))
            points += [QPointF(x, y), QPointF(x + plan.step_s * per_s, y)]
        return QPolygonF(points)

    def _paint_frame(self, painter: QPainter) -> None:
        """Paint the grid, the line of now, and the times ahead."""
        ahead = self.ahead
        painter.setPen(QPen(self.theme.colour("grid"), 0))
        for tick in () if self.scale is None else self.scale.ticks:
            y = int(self.y_of(tick))
            if ahead.top() <= y <= ahead.bottom():
                painter.drawLine(ahead.left(), y, ahead.right(), y)
        painter.setPen(QPen(self.theme.colour("faint"), 0))
        painter.drawLine(ahead.left(), ahead.top(), ahead.left(), ahead.bottom())
        painter.setFont(font(LABEL_PX))
        word = PLAN_AHEAD if self._plans else NO_PLAN
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(ahead.left(), 0, ahead.width() + RIGHT, TOP - 3), side, word)
        if self.scale is not None:
            self._paint_times(painter)

    def _paint_times(self, painter: QPainter) -> None:
        step_s = self.view.span_s / (6.0 if self.area.width() >= 360 else 3.0)  # noqa: PLR2004  # as the past has them
        x = self.ahead.left() + step_s * self.area.width() / self.view.span_s
        text = f"+{step_s:g} s"
        width = painter.fontMetrics().horizontalAdvance(text)
        if x + width / 2.0 <= self.width() and x - width / 2.0 >= self.ahead.left() + LEFT / 2.0:
            painter.drawText(QPointF(x - width / 2.0, self.height() - 6.0), text)
