"""The lanes dock: the lanes of each role, which is active, its error and its step time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from drivers.channel_names import lane_channel
from workbench.window.plots.curve import LANE_STROKES
from workbench.window.plots.default_plots import TwinError, find_twin_error, list_lane_colours
from workbench.window.plots.swatch import paint_swatch
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import BODY_PX, LABEL_PX, Theme, font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.status import LaneInfo
    from workbench.window.plots.channel_history import ChannelReading

_PAD: Final = 16.0
_NARROW: Final = 280
HEADS: Final = {"twin": ("mV", "step"), "estimator": ("SoC error", "step"), "controller": ("cost", "viol.", "step")}
_SHORT: Final = {TwinError.TRACKING: "track", TwinError.DIFFERENCE: "diff", TwinError.RESIDUAL: "resid"}
_ROLES: Final = {"twin": "Twin", "estimator": "Estimator", "controller": "Controller"}
_WIDTHS: Final = {2: (74.0, 62.0), 3: (52.0, 40.0, 62.0)}


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """What follows a lane's name: a number and a faint word per column."""

    columns: tuple[tuple[str, str], ...]


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
        return LaneFigures(((fmt.PERCENT.text(error), ""), step))
    cost, violations = reading[own("cost")], reading[own("violations")]
    return LaneFigures(((fmt.NUMBER.number(cost), ""), (fmt.COUNT.number(violations), ""), step))


class LaneRow(QAbstractButton):
    """One lane; a click, Enter or Space requests to make it active."""

    def __init__(self, lane: LaneInfo, colour: str, theme: Theme) -> None:
        super().__init__()
        self.lane, self.colour, self.theme = lane, colour, theme
        self.fresh = True
        self.figures = LaneFigures(tuple((fmt.DASH, "") for _ in HEADS[lane.role]))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_lane(lane)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(220, 24)

    def show_lane(self, lane: LaneInfo) -> None:
        self.lane = lane
        activity = "active" if lane.active else "shadow"
        self.setAccessibleName(f"{_ROLES[lane.role]} {lane.name}, {activity}, {lane.state}")
        self.setToolTip(f"{lane.name}: {activity}, {lane.state}. {lane.detail}".strip())
        self.update()

    def show_figures(self, new: LaneFigures, *, fresh: bool = True) -> None:
        if (new, fresh) != (self.figures, self.fresh):
            self.figures, self.fresh = new, fresh
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
        left = _columns(painter, box, self.figures, theme, faint=stale or not self.fresh)
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


def _columns(painter: QPainter, box: QRectF, shown: LaneFigures, theme: Theme, *, faint: bool) -> float:
    """Paint the columns from the right; without room drop the last column. Return the x where they begin."""
    columns = shown.columns
    widths = _WIDTHS[len(columns)]
    if box.width() < _NARROW:
        columns, widths = columns[:-1], widths[:-1]
    right = box.right() - _PAD
    for (number, word), width in reversed(list(zip(columns, widths, strict=True))):
        painter.setFont(font())
        if word:
            painter.setPen(theme.colour("faint"))
            painter.drawText(QRectF(right - 32, 0, 32, box.height()), _RIGHT, word)
        painter.setPen(theme.colour("faint" if faint else "text"))
        edge = right - (36 if word else 0)
        painter.drawText(QRectF(right - width - 8, 0, edge - right + width + 8, box.height()), _RIGHT, number)
        right -= width
    return right


_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class _Head(QWidget):
    def __init__(self, role: str, theme: Theme) -> None:
        super().__init__()
        self.role, self.theme = role, theme
        self.setFixedHeight(20)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        del event
        painter = QPainter(self)
        painter.setFont(font(LABEL_PX))
        painter.setPen(self.theme.colour("faint"))
        box = QRectF(self.rect())
        painter.drawText(box.adjusted(_PAD, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, _ROLES[self.role])
        heads = HEADS[self.role]
        widths = _WIDTHS[len(heads)]
        if box.width() < _NARROW:
            heads, widths = heads[:-1], widths[:-1]
        right = box.right() - _PAD
        for head, width in reversed(list(zip(heads, widths, strict=True))):
            painter.drawText(QRectF(right - width, 0, width, box.height()), _RIGHT, head)
            right -= width
        painter.end()


class LanesDock(QWidget):
    """Rows by role; emits `wanted` with the lane that the operator wants to make active."""

    wanted = Signal(str, str)  # role, name

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.rows: dict[tuple[str, str], LaneRow] = {}
        self._residual = False
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
                self._column.addWidget(_Head(role, self.theme))
            for lane, colour in own:
                row = LaneRow(lane, colour, self.theme)
                row.clicked.connect(lambda _=False, lane=lane: self.wanted.emit(lane.role, lane.name))
                self.rows[role, lane.name] = row
                self._column.addWidget(row)
        self._column.addStretch(1)

    def show_values(self, reading: ChannelReading, *, fresh: bool = True) -> None:
        """Show the lanes' outputs of one row; grey if no more rows arrive."""
        active_twin = next((name for (role, name), row in self.rows.items() if role == "twin" and row.lane.active), "")
        for row in self.rows.values():
            row.show_figures(make_figures(row.lane, reading, active_twin, residual=self._residual), fresh=fresh)
