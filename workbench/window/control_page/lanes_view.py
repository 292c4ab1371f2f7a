"""The controllers beside each other: a table, and their plots over time with the plans ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from workbench.session.actions import Action
from workbench.window.control_page.control_plots import CURRENT, ROLE, make_control_specs
from workbench.window.control_page.lane_figures import SolveTimes, find_solve_times, make_rows
from workbench.window.control_page.lane_table import ControllerTable
from workbench.window.control_page.plan_canvas import PlanCanvas
from workbench.window.control_page.positive_canvas import PositiveCanvas
from workbench.window.plots.channel_history import NOTHING
from workbench.window.plots.default_plots import list_lane_colours
from workbench.window.plots.plot import Plot
from workbench.window.widgets.placeholder import EmptyState

if TYPE_CHECKING:
    from workbench.session.status import LaneInfo
    from workbench.window.bench_page.page import BenchPage
    from workbench.window.plots.channel_history import ChannelHistory
    from workbench.window.session_controller import SessionController
    from workbench.window.widgets.themes import Theme

NOT_CONNECTED: Final = "Connect the bench to see its controllers."
PLAN_TIP: Final = (
    "Right of now: what each controller means to request. An MPC shows its plan; a policy shows what it would request "
    "along the duty ahead if the pack stayed as it is."
)
_SOLVE_EVERY: Final = 10  # readings between two looks at the solve times of a minute


class LanesView(QWidget):
    """Shows the history and the time view of the Bench page, so that both pages pause and zoom together."""

    lane_wanted = Signal(str, str)  # role, name
    connect_wanted = Signal()

    def __init__(self, controller: SessionController, bench: BenchPage, theme: Theme) -> None:
        super().__init__()
        self._controller, self._bench = controller, bench
        self._lanes: tuple[LaneInfo, ...] = ()
        self._store: ChannelHistory | None = None
        self._times: dict[str, SolveTimes] = {}
        self._readings = 0
        self.empty = EmptyState(NOT_CONNECTED, "Connect", self.connect_wanted.emit, acts_on_bench=True)
        self.table = ControllerTable(theme)
        view = bench.board.view
        self.plots = [
            Plot(spec, view, theme, canvas=PlanCanvas if spec.key == CURRENT else PositiveCanvas)
            for spec in make_control_specs(())
        ]
        for plot in self.plots:
            plot.setAcceptDrops(False)
        self.plots[0].setToolTip(PLAN_TIP)
        self.board = QWidget()
        self.board.setAutoFillBackground(True)
        self._lay_out()
        self.table.lane_wanted.connect(self._want_lane)
        self.set_theme(theme)
        self._show_session()

    def _lay_out(self) -> None:
        grid = QGridLayout(self.board)
        grid.setContentsMargins(0, 1, 0, 0)
        grid.setSpacing(1)
        grid.addWidget(self.plots[0], 0, 0, 1, 3)
        for column, plot in enumerate(self.plots[1:]):
            grid.addWidget(plot, 1, column)
            grid.setColumnStretch(column, 1)
        for row, stretch in enumerate((6, 5)):
            grid.setRowStretch(row, stretch)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.empty, self.table):
            column.addWidget(part)
        column.addWidget(self.board, 1)

    def set_theme(self, theme: Theme) -> None:
        palette = self.board.palette()
        palette.setColor(self.board.backgroundRole(), theme.colour("line"))
        self.board.setPalette(palette)
        self.table.set_theme(theme)
        for plot in self.plots:
            plot.set_theme(theme)

    @property
    def plan_canvas(self) -> PlanCanvas:
        """The canvas that draws the plans."""
        return self.plots[0].canvas  # pyright: ignore[reportReturnType]  # its plot was given one

    def fit(self) -> None:
        for plot in self.plots:
            plot.canvas.fit()

    # ---- what changes

    def _want_lane(self, name: str) -> None:
        self.lane_wanted.emit(ROLE, name)

    def show_status(self) -> None:
        """Show another bench, other lanes, and whether the bench can be connected."""
        able, why = self._controller.can(Action.CONNECT)
        self.empty.button.setEnabled(able)
        self.empty.button.setToolTip(why)
        self._show_session()

    def _show_session(self) -> None:
        bench = self._bench
        if (store := bench.board.store) is not self._store:
            self._store = store
            self._times = {}
            for plot in self.plots:
                plot.show_store(store)
        if (lanes := bench.list_lanes()) != self._lanes:
            self._lanes = lanes
            for plot, spec in zip(self.plots, make_control_specs(lanes), strict=True):
                plot.show_curves(spec)
        self.empty.setVisible(store is None)
        self.table.setVisible(store is not None)

    def frame(self) -> None:
        """Draw the new rows; called 30 times a second while the view shows."""
        self._show_session()
        if self._bench.board.advance_view():
            for plot in self.plots:
                plot.canvas.advance()

    def read(self) -> None:
        """Update figures, legends and plans; called ten times a second while the view shows."""
        store, view = self._store, self._bench.board.view
        is_live = self._bench.replay is None
        if store is not None and self._readings % _SOLVE_EVERY == 0:
            self._times = find_solve_times(store, self._lanes)
        self._readings += 1
        reading = NOTHING if store is None else store.at(view.right_s)
        status, fresh = self._controller.status, store is not None and not store.stopped_s
        notes = status.notes if is_live else dict[str, str]()
        self.table.show_rows(make_rows(self._lanes, reading, notes, self._times, fresh=fresh))
        for plot in self.plots:
            plot.show_values(f"last {view.span_s:g} s" if plot is self.plots[0] and not view.paused else "")
        if not view.paused:
            colours = {lane.name: colour for lane, colour in list_lane_colours(self._lanes, ROLE)}
            self.plan_canvas.show_plans(status.plans if is_live and fresh else {}, colours)
