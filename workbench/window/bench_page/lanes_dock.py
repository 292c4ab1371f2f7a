"""The lanes dock: the lanes of each role, which is active, its error and its step time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from drivers.channel_names import GROWTH, GROWTH_STD, SOH, SOH_MIN, SOH_STD, lane_channel
from workbench.window.plots.curve import LANE_STROKES
from workbench.window.plots.default_plots import TwinError, find_twin_error, list_lane_colours
from workbench.window.plots.swatch import paint_swatch
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import BODY_PX, LABEL_PX, Theme, font, measure_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.session.status import LaneInfo
    from workbench.window.plots.channel_history import ChannelReading

_PAD: Final = 16.0
_NAME_PX: Final = 104.0  # least room of a name
_WORDLESS_PX: Final = 136.0  # with less for the name, the words after the numbers give way
_APART_PX: Final = 12.0  # between two columns
_WORD_PX: Final = 36.0  # of the faint word after a number
HEADS: Final = {
    "twin": ("mV", "step"),
    "estimator": ("SoC err.", "SoH", "step"),
    "controller": ("cost", "viol.", "step", "interv."),
}
_SHORT: Final = {TwinError.TRACKING: "track", TwinError.DIFFERENCE: "diff", TwinError.RESIDUAL: "resid"}
_ROLES: Final = {"twin": "Twin", "estimator": "Estimator", "controller": "Controller"}
UNKNOWN_SOH: Final = "SoH not known yet, it needs long rests at different charge"
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """What follows a lane's name: a number and a faint word per column; `tip`: what has no room there."""

    columns: tuple[tuple[str, str], ...]
    tip: str = ""


def make_figures(lane: LaneInfo, reading: ChannelReading, active_twin: str, *, residual: bool = False) -> LaneFigures:
    """Return the lane's columns at one instant; SoC errors are relative to `active_twin`."""
    own = partial(lane_channel, lane.role, lane.name)
    step = (fmt.step_time(reading[own("step")]), "")
    if lane.role == "twin":
        off = abs(reading[own("difference")])
        word = _SHORT[find_twin_error(lane, residual=residual)]
        return LaneFigures(((fmt.MILLIVOLT.number(off), word), step))
    if lane.role == "estimator":
        error = abs(reading[own("soc")] - reading[lane_channel("twin", active_twin, "soc")])
        health = fmt.PERCENT.text(reading[own(SOH)])
        return LaneFigures(((fmt.PERCENT.text(error), ""), (health, ""), step), _describe_health(own, reading))
    cost, violations = reading[own("cost")], reading[own("violations")]
    interventions = (fmt.COUNT.number(reading[own("interventions")]), "")
    return LaneFigures(((fmt.NUMBER.number(cost), ""), (fmt.COUNT.number(violations), ""), step, interventions))


def _describe_health(own: Callable[[str], str], reading: ChannelReading) -> str:
    """Return the state of health of the pack as a sentence for each part that is known."""
    soh, std, low = (fmt.PERCENT.number(reading[own(what)]) for what in (SOH, SOH_STD, SOH_MIN))
    growth, growth_std = (fmt.NUMBER.number(reading[own(what)]) for what in (GROWTH, GROWTH_STD))
    capacity = f"SoH {soh} ±{std} %, the lowest cell {low} %" if math.isfinite(reading[own(SOH)]) else UNKNOWN_SOH
    if not math.isfinite(reading[own(GROWTH)]):
        return f"{capacity}."
    return f"{capacity}. Resistance {growth} ±{growth_std} times the cell file's."


class LaneColumns:
    """The columns that the rows of one role share: as wide as their widest text so far, so that none collides."""

    def __init__(self, role: str) -> None:
        self.heads = HEADS[role]
        self.widths = [measure_text(head, LABEL_PX) for head in self.heads]
        self.folded = False

    def widen(self, figures: LaneFigures) -> bool:
        """Make room for these texts; return whether a column became wider."""
        wanted = [measure_text(number) + (_WORD_PX if word else 0.0) for number, word in figures.columns]
        wider = [max(pair) for pair in zip(self.widths, wanted, strict=True)]
        changed, self.widths = wider != self.widths, wider
        return changed

    def edges(self, width: float) -> list[float]:
        """Return the right edges of the columns in a row of this width; the last columns are left out without room."""
        number = len(self.widths) - self.folded
        while number > 1 and self._taken(number) > width - 2.0 * _PAD - _NAME_PX:
            number -= 1
        right = width - _PAD
        return [right - self._taken(number) + self._taken(count + 1) for count in range(number)]

    def _taken(self, number: int) -> float:
        return sum(self.widths[:number]) + _APART_PX * number


class LaneRow(QAbstractButton):
    """One lane; a click, Enter or Space requests to make it active."""

    def __init__(self, lane: LaneInfo, colour: str, columns: LaneColumns, theme: Theme) -> None:
        super().__init__()
        self.lane, self.colour, self.columns, self.theme = lane, colour, columns, theme
        self.fresh = True
        self.figures = LaneFigures(tuple((fmt.DASH, "") for _ in HEADS[lane.role]))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_lane(lane)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(220, 24)

    def show_lane(self, lane: LaneInfo) -> None:
        self.lane = lane
        activity = "active" if lane.active else "shadow"
        self.setAccessibleName(f"{_ROLES[lane.role]} {lane.name}, {activity}, {lane.state}")
        self._tip = f"{lane.name}: {activity}, {lane.state}. {lane.detail}".strip()
        self._show_tip()
        self.update()

    def _show_tip(self) -> None:
        self.setToolTip(f"{self._tip} {self.figures.tip}".strip())

    def show_figures(self, new: LaneFigures, *, fresh: bool = True) -> None:
        if (new, fresh) != (self.figures, self.fresh):
            self.figures, self.fresh = new, fresh
            self._show_tip()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        painter, theme = QPainter(self), self.theme
        box = QRectF(self.rect())
        if self.underMouse():
            painter.fillRect(box, theme.colour("hover"))
        if self.hasFocus():
            painter.setPen(theme.colour("blue"))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        stale = self.lane.state != "ok"
        paint_swatch(painter, _PAD, box.center().y() + 1, theme.colour(self.colour), LANE_STROKES[self.lane.role])
        left = self._paint_columns(painter, box, faint=stale or not self.fresh)
        badge = "active" if self.lane.active else self.lane.state if stale else ""
        badge_width = QFontMetricsF(font(LABEL_PX)).horizontalAdvance(badge) + 10 if badge else 0.0
        x, room = _PAD + 22, left - _PAD - 22 - 6 - (badge_width + 6 if badge else 0)
        painter.setFont(font(BODY_PX, bold=self.lane.active))
        painter.setPen(theme.colour("muted" if stale else "text"))
        metrics = QFontMetricsF(painter.font())
        name = metrics.elidedText(self.lane.name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(x, 0, room + 2, box.height()), Qt.AlignmentFlag.AlignVCenter, name)
        if badge:
            colour = theme.colour("blue" if self.lane.active else "amber")
            spot = QRectF(x + metrics.horizontalAdvance(name) + 6, box.center().y() - 7.5, badge_width, 16)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
            painter.setPen(QPen(colour, 1))
            painter.drawRoundedRect(spot, 3, 3)
            painter.setFont(font(LABEL_PX))
            painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, badge)
        painter.end()

    def _paint_columns(self, painter: QPainter, box: QRectF, *, faint: bool) -> float:
        """Paint the columns and return the x where they begin."""
        painter.setFont(font())
        edges = self.columns.edges(box.width())
        words = edges[0] - self.columns.widths[0] - _PAD >= _WORDLESS_PX  # else the name gets their room
        for (number, word), width, right in zip(self.figures.columns, self.columns.widths, edges, strict=False):
            tail = _WORD_PX if word and words else 0.0
            painter.setPen(self.theme.colour("faint"))
            if tail:
                painter.drawText(QRectF(right - tail, 0, tail, box.height()), _RIGHT, word)
            painter.setPen(self.theme.colour("faint" if faint else "text"))
            painter.drawText(QRectF(right - width, 0, width - tail, box.height()), _RIGHT, number)
        return edges[0] - self.columns.widths[0] + (0.0 if words or not self.figures.columns[0][1] else _WORD_PX)


class _Head(QWidget):
    def __init__(self, role: str, columns: LaneColumns, theme: Theme) -> None:
        super().__init__()
        self.role, self.columns, self.theme = role, columns, theme
        self.setFixedHeight(20)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        painter = QPainter(self)
        painter.setFont(font(LABEL_PX))
        painter.setPen(self.theme.colour("faint"))
        box = QRectF(self.rect())
        painter.drawText(box.adjusted(_PAD, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, _ROLES[self.role])
        for head, right in zip(self.columns.heads, self.columns.edges(box.width()), strict=False):
            painter.drawText(QRectF(right - _NAME_PX, 0, _NAME_PX, box.height()), _RIGHT, head)
        painter.end()


class LanesDock(QWidget):
    """Rows by role; emits `wanted` with the lane that the operator wants to make active."""

    wanted = Signal(str, str)  # role, name

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.rows: dict[tuple[str, str], LaneRow] = {}
        self._residual = False
        self._columns: dict[str, LaneColumns] = {}
        self._folded = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 4)
        self._column.setSpacing(0)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        for part in self.findChildren(QWidget):
            if isinstance(part, LaneRow | _Head):
                part.theme = theme
                part.update()

    def show_lanes(self, lanes: Sequence[LaneInfo], *, residual: bool = False) -> None:
        """Show these lanes; keep the rows while the lanes are the same and change only their state."""
        if [(lane.role, lane.name) for lane in lanes] != list(self.rows):
            self._build(lanes)
        self._residual = residual
        for lane in lanes:
            row = self.rows[lane.role, lane.name]
            if row.lane != lane:
                row.show_lane(lane)

    def _build(self, lanes: Sequence[LaneInfo]) -> None:
        while (item := self._column.takeAt(0)) is not None:  # pyright: ignore[reportUnnecessaryComparison]  # None at the end
            part = item.widget()
            if part is not None:  # pyright: ignore[reportUnnecessaryComparison]  # a stretch has none
                part.hide()
                part.deleteLater()
        self.rows.clear()
        for role in _ROLES:
            own = list_lane_colours(lanes, role)
            if own and self.rows:
                self._column.addSpacing(8)
            if own:
                self._columns[role] = LaneColumns(role)
                self._columns[role].folded = self._folded
                self._column.addWidget(_Head(role, self._columns[role], self.theme))
            for lane, colour in own:
                row = LaneRow(lane, colour, self._columns[role], self.theme)
                row.clicked.connect(lambda _=False, lane=lane: self.wanted.emit(lane.role, lane.name))
                self.rows[role, lane.name] = row
                self._column.addWidget(row)
        self._column.addStretch(1)

    def show_values(self, reading: ChannelReading, *, fresh: bool = True) -> None:
        """Show the lanes' outputs of one row; grey if no more rows arrive."""
        active_twin = next((name for (role, name), row in self.rows.items() if role == "twin" and row.lane.active), "")
        wider = False
        for row in self.rows.values():
            figures = make_figures(row.lane, reading, active_twin, residual=self._residual)
            wider |= row.columns.widen(figures)
            row.show_figures(figures, fresh=fresh)
        if wider:
            self._repaint()

    def fold(self, *, last: bool) -> None:
        """Leave out the last column of each role, or show it where its row has room."""
        self._folded = last
        for columns in self._columns.values():
            columns.folded = last
        self._repaint()

    def _repaint(self) -> None:
        for part in self.findChildren(QWidget):
            part.update()
