"""The live shadow score over time: all controllers of one duty see the same samples, one acts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QVBoxLayout, QWidget

from drivers.channel_names import lane_channel
from workbench.window.control_page.control_plots import ROLE
from workbench.window.control_page.shadow_plots import make_shadow_specs
from workbench.window.plots.channel_history import NOTHING
from workbench.window.plots.plot import Plot
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import label

if TYPE_CHECKING:
    from workbench.session.status import LaneInfo
    from workbench.window.bench_page.page import BenchPage
    from workbench.window.plots.channel_history import ChannelHistory, ChannelReading
    from workbench.window.widgets.themes import Theme

NOT_CONNECTED: Final = "Connect the bench to see the shadow score of its controllers."
NO_SCORE: Final = (
    "No score yet. It begins some seconds after arming and grows while the bench runs; it needs two controllers that "
    "follow the same duty."
)
SENTENCE: Final = (
    "All see the same samples, one acts. Both scores are counterfactual: single steps of 0.5 s on the states of the "
    "active one, and a run of the same duty on a twin of its own, whose sensors have no errors. Costs, limits and "
    "shield are those of the task duty_tracking. In the legend: cost above the active one, violations / interventions."
)
LATE_S: Final = 5.0


class LiveShadowView(QWidget):
    """Shows the history and the time view of the Bench page, so that all pages pause and zoom together."""

    def __init__(self, bench: BenchPage, theme: Theme) -> None:
        super().__init__()
        self._bench = bench
        self._lanes: tuple[LaneInfo, ...] = ()
        self._store: ChannelHistory | None = None
        self.sentence, self.state = label(SENTENCE, "muted", wrap=True), label(NOT_CONNECTED, "text", wrap=True)
        self.plots = [Plot(spec, bench.board.view, theme) for spec in make_shadow_specs(())]
        self.board = QWidget()
        self.board.setAutoFillBackground(True)
        inner = QVBoxLayout(self.board)
        inner.setContentsMargins(0, 1, 0, 0)
        inner.setSpacing(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.sentence, self.state):
            part.setContentsMargins(16, 4, 16, 8)
            column.addWidget(part)
        for plot in self.plots:
            plot.setAcceptDrops(False)
            inner.addWidget(plot, 1)
        column.addWidget(self.board, 1)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        palette = self.board.palette()
        palette.setColor(self.board.backgroundRole(), theme.colour("line"))
        self.board.setPalette(palette)
        for plot in self.plots:
            plot.set_theme(theme)

    def fit(self) -> None:
        for plot in self.plots:
            plot.canvas.fit()

    def frame(self) -> None:
        """Draw the new rows; called 30 times a second while the view shows."""
        self._show_session()
        if self._bench.board.advance_view():
            for plot in self.plots:
                plot.canvas.advance()

    def read(self) -> None:
        """Update legends and the sentence on the state; called ten times a second while the view shows."""
        view = self._bench.board.view
        for plot in self.plots:
            plot.show_values(f"last {view.span_s:g} s" if plot is self.plots[0] and not view.paused else "")
        state = self._describe(NOTHING if self._store is None else self._store.at(view.right_s))
        if state != self.state.text():
            self.state.setText(state)
        self.state.setVisible(bool(state))

    def _show_session(self) -> None:
        if (store := self._bench.board.store) is not self._store:
            self._store = store
            for plot in self.plots:
                plot.show_store(store)
        if (lanes := self._bench.list_lanes()) != self._lanes:
            self._lanes = lanes
            for plot, spec in zip(self.plots, make_shadow_specs(lanes), strict=True):
                plot.show_curves(spec)

    def _describe(self, reading: ChannelReading) -> str:
        """Return why there is no score, or how far it lags; empty for a score that follows."""
        if self._store is None:
            return NOT_CONNECTED
        ages = [reading[lane_channel(ROLE, lane.name, "shadow_age")] for lane in self._lanes if lane.role == ROLE]
        known = [age for age in ages if math.isfinite(age)]
        if not known:
            return NO_SCORE
        return f"The score lags by {fmt.age(max(known))}: this machine is busy." if max(known) > LATE_S else ""
