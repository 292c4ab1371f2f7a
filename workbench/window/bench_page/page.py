"""The Bench page: signals, plots, lanes, gate, limits, faults and alarms in movable docks."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QAbstractButton, QApplication, QMainWindow, QMenu, QVBoxLayout, QWidget

from drivers.channel_names import cell_voltage
from drivers.clock import monotonic
from workbench.session.actions import Action
from workbench.window.bench_page.alarms import AlarmsDock
from workbench.window.bench_page.info_docks import FaultsDock, GateDock, LimitsDock
from workbench.window.bench_page.lanes_dock import LanesDock
from workbench.window.bench_page.replay_controls import ReplayControls
from workbench.window.bench_page.signal_tree import SignalTree
from workbench.window.layout import find_area
from workbench.window.plots.channel_history import ChannelHistory
from workbench.window.plots.plot_grid import PlotGrid
from workbench.window.space import DockSpace, PagePart, find_hidden
from workbench.window.widgets.basic import Dock, wrap_in_scroll_area
from workbench.window.widgets.placeholder import EmptyState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from PySide6.QtGui import QResizeEvent

    from drivers.event import EventRecord
    from drivers.ring import RingReader
    from workbench.session.bench_info import BenchInfo
    from workbench.session.status import LaneInfo
    from workbench.window.runs_page.runs_model import ReplaySource
    from workbench.window.session_controller import SessionController
    from workbench.window.widgets.themes import Theme

_LEFT_PX, _LEFT_NARROW_PX = 296, 232
_RIGHT_PX, _RIGHT_NARROW_PX = 336, 264
_SHORT: Final = 800  # a laptop's screen
_TITLE_PX: Final = 34
DOCKS: Final = ("signals", "lanes", "gate", "limits", "faults", "alarms")


class BenchPage(QMainWindow):
    """Shows the session of the session controller, or a replay."""

    lane_wanted = Signal(str, str)
    inject_wanted = Signal()
    connect_wanted = Signal()
    message = Signal(str)

    def __init__(self, controller: SessionController, theme: Theme) -> None:
        super().__init__()
        self.setWindowFlags(Qt.WindowType.Widget)
        self._controller = controller
        self._ring: RingReader | None = None
        self._bench_info: BenchInfo | None = None
        self._lanes: tuple[LaneInfo, ...] = ()
        self._as_new = False  # the default layout is in use and no lanes have been shown yet
        self._last_tick_s = time.perf_counter()
        self.store: ChannelHistory | None = None
        self.replay: ReplaySource | None = None
        self.transport = ReplayControls()
        self.board = PlotGrid(theme, 24)
        self.empty = EmptyState(
            "Connect the bench to see its signals.", "Connect", self.connect_wanted.emit, acts_on_bench=True
        )
        self.tree, self.lanes, self.alarms = SignalTree(theme), LanesDock(theme), AlarmsDock(theme)
        self.gate, self.limits, self.faults = GateDock(), LimitsDock(), FaultsDock(self.inject_wanted.emit)
        self._lay_out()
        self._wire()

    def _lay_out(self) -> None:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.transport, self.empty):
            column.addWidget(part)
        column.addWidget(wrap_in_scroll_area(self.board), 1)
        self.setCentralWidget(centre)
        self.setDockNestingEnabled(True)
        area = Qt.DockWidgetArea
        self.setCorner(Qt.Corner.BottomLeftCorner, area.BottomDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, area.BottomDockWidgetArea)
        made = (
            ("signals", "Bench", self.tree),
            ("lanes", "Lanes", wrap_in_scroll_area(self.lanes)),
            ("gate", "Gate", self.gate),
            ("limits", "Limits", self.limits),
            ("faults", "Faults", wrap_in_scroll_area(self.faults)),
            ("alarms", "Alarms", self.alarms),
        )
        self.docks = {name: Dock(name, title, content) for name, title, content in made}
        self.docks["alarms"].set_bar(self.alarms.bar)
        self.space = DockSpace(self.docks)
        for part in (self.gate, self.limits):  # the lanes get the room that these do not need
            part.setMaximumHeight(part.sizeHint().height())
        self.docks["lanes"].widget().setMinimumHeight(72)  # they scroll: a notification needs room above the page
        self._resize_faults_dock(0)
        for name, dock in self.docks.items():
            dock.titleBarWidget().customContextMenuRequested.connect(partial(self._dock_menu, dock))
            self.addDockWidget(find_area(name), dock)
        self.docks["lanes"].bar.show_fact("all lanes get the same samples")
        self.docks["gate"].bar.show_fact("last 60 s")
        self.docks["limits"].bar.show_fact("closest to bench limit")
        self.docks["faults"].bar.show_fact("none injected")

    def _resize_faults_dock(self, number: int) -> None:
        """Keep room for the button and one injected fault; more faults scroll."""
        self.docks["faults"].widget().setMinimumHeight(78 if number else 46)

    def arrange(self) -> None:
        """Apply the default layout for the current width."""
        for name, dock in self.docks.items():
            dock.setFloating(False)
            self.addDockWidget(find_area(name), dock)
            dock.show()
        narrow = PagePart.LAST_COLUMNS in find_hidden(self.width(), self.height())
        widths = [_LEFT_NARROW_PX, _RIGHT_NARROW_PX] if narrow else [_LEFT_PX, _RIGHT_PX]
        self.resizeDocks([self.docks["signals"], self.docks["lanes"]], widths, Qt.Orientation.Horizontal)
        self.resizeDocks([self.docks["alarms"]], [92 if self.height() < _SHORT else 140], Qt.Orientation.Vertical)
        self._share_right_column()
        self._as_new = True
        self.fit_space(anew=True)

    def fit_space(self, *, anew: bool = False) -> None:
        """Hide what has no room on a page of this size; `anew`: after another layout was applied."""
        hidden = find_hidden(self.width(), self.height())
        if anew:
            self.space.forget()
        self.space.apply(hidden)
        self.board.show_room(cell_strip=PagePart.CELL_STRIP not in hidden, third_row=PagePart.THIRD_ROW not in hidden)
        self.lanes.fold(last=PagePart.LAST_COLUMNS in hidden)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        self.fit_space()

    @property
    def hidden_alarms(self) -> int:
        """Number of alarms that wait for an acknowledgement while their dock is hidden."""
        return len(self.alarms.alarms.waiting) if self.docks["alarms"].isHidden() else 0

    def _share_right_column(self) -> None:
        """Give the lanes the height they need, if there is room; leave the rest empty at the bottom."""
        lanes = _TITLE_PX + self.lanes.sizeHint().height()
        heights = [lanes, 104, 126, self.height() - self.docks["alarms"].height() - 230 - lanes]
        if self.height() < _SHORT:
            heights = [lanes, 84, 84, 60]  # minimum heights of the others; the lanes get the rest
        parts = [self.docks[name] for name in ("lanes", "gate", "limits", "faults")]
        self.resizeDocks(parts, heights, Qt.Orientation.Vertical)

    def _dock_menu(self, dock: Dock) -> None:
        menu = self.createPopupMenu() or QMenu(self)
        menu.addSeparator()
        menu.addAction("Dock" if dock.isFloating() else "Float", dock.turn_float)
        menu.addAction("Reset layout", self.arrange)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(dock.titleBarWidget().mapToGlobal(dock.titleBarWidget().rect().bottomLeft()))

    def _wire(self) -> None:
        controller = self._controller
        controller.ticked.connect(self._tick)
        controller.values_due.connect(self._read)
        controller.changed.connect(self._status)
        self.lanes.wanted.connect(self.lane_wanted)
        self.alarms.acknowledged.connect(self._acknowledge)
        self.faults.cleared.connect(controller.clear)
        self.board.refused.connect(self.message)
        self.board.cell_chosen.connect(self._choose_cell)
        self.tree.wanted.connect(self.plot_signal)
        self.transport.leave_wanted.connect(self.leave_replay)
        self.transport.failed.connect(controller.failed)

    def _choose_cell(self, number: int) -> None:
        self.tree.choose(cell_voltage(number))

    def set_theme(self, theme: Theme) -> None:
        for part in (self.board, self.tree, self.lanes, self.alarms):
            part.set_theme(theme)

    # ---- what is shown

    def plot_signal(self, channel: str) -> None:
        """Add a signal to the first plot of its unit, or to a new plot."""
        for plot in self.board.plots:
            if any(curve.channel == channel for curve in plot.spec.curves):
                self.message.emit(f"{channel} is already in the plot {plot.spec.title}.")
                return
        self.board.add_plot([channel])
        self.message.emit(f"{channel} is in a new plot; drag it onto another plot to compare.")

    def _show_session(self) -> None:
        """Restart the tree and the plots if the ring or the bench description changed."""
        session = self._controller.session
        source = self.replay or session
        if source is None:
            return
        if source.bench is not self._bench_info:
            self._bench_info = source.bench
            self.board.set_cells(self._bench_info.cells or 24)
            self.limits.show_limits(self._bench_info.limits)
            self.tree.show_channels(self._bench_info, self.store)
        ring = source.ring
        if ring is self._ring:
            return
        self._ring = ring
        if ring is not None and self._bench_info is not None:
            clock = monotonic if self.replay is None else None
            self.store = ChannelHistory(ring, self.list_lanes(), residual=self._residual, clock=clock)
            self.board.show_store(self.store)
            self.board.show_lanes(self.list_lanes(), residual=self._residual)
            self.tree.show_channels(self._bench_info, self.store)
            self.docks["signals"].bar.show_fact(f"{self.tree.count} channels")
        self.empty.setVisible(self.store is None)

    @property
    def _residual(self) -> bool:
        """Whether the measured cells are a real pack, not voltages that the active twin requested."""
        return self._bench_info is not None and self._bench_info.mode == "pack"

    def list_lanes(self) -> tuple[LaneInfo, ...]:
        """Return the lanes of the replay, else those of the session."""
        return self.replay.lanes if self.replay is not None else self._controller.status.lanes

    def _status(self) -> None:
        lanes = self.list_lanes()
        if lanes != self._lanes:
            self._lanes = lanes
            self.lanes.show_lanes(lanes, residual=self._residual)
            if self._as_new and lanes:
                self._as_new = False
                QTimer.singleShot(0, self, self._share_right_column)  # once the rows have a size
            self.board.show_lanes(lanes, residual=self._residual)
            if self.store is not None:
                self.store.set_lanes(lanes)
        status = self._controller.status
        self.tree.show_health(() if self.replay else status.health)
        injected = () if self.replay else status.injected
        self.faults.show_injected(injected)
        number = len(injected)
        self._resize_faults_dock(number)
        self.docks["faults"].bar.show_fact(f"{number} injected" if number else "none injected")
        for part, action in ((self.faults.inject, Action.INJECT), (self.empty.button, Action.CONNECT)):
            able, why = self._controller.can(action)
            part.setEnabled(able)
            part.setToolTip(why)

    def _tick(self) -> None:
        now = time.perf_counter()
        passed_s, self._last_tick_s = now - self._last_tick_s, now
        self._show_session()
        self._status_if_lanes_changed()
        if self.replay is not None:
            self.transport.advance(min(passed_s, 0.25))
        if self.store is not None and self._ring is not None:
            self.store.feed()
        if self.board.isVisible():
            self.board.frame()
        self._events()

    def _status_if_lanes_changed(self) -> None:
        if self.list_lanes() is not self._lanes:
            self._status()

    def _read(self) -> None:
        if not self.isVisible():
            return
        self.board.values()
        store = self.store
        if store is None:
            self.limits.show_nothing()
            return
        fresh = not store.stopped_s
        if self.lanes.isVisible():
            self.lanes.show_values(store.at(), fresh=fresh)
        for part in (self.gate, self.limits):
            if part.isVisible():
                part.show_values(store)
                part.setEnabled(fresh)  # grey, like every stale value
        self.tree.refresh()

    def _events(self) -> None:
        session = self._controller.session
        if self.replay is not None or session is None:
            return
        self._add_events(session.events(self.alarms.next), session.acknowledged)

    def _add_events(self, records: Sequence[EventRecord], acknowledged: AbstractSet[int]) -> None:
        """Show events in the list and as markers on the plots."""
        self.alarms.add(records, acknowledged)
        if self.board.view.markers.add(records):
            self.board.view.pointed.emit()

    def _clear_events(self) -> None:
        self.alarms.clear()
        self.board.view.markers.clear()

    def _acknowledge(self, numbers: list[int]) -> None:
        if self._controller.session is not None and self.replay is None:
            self._controller.session.acknowledge(numbers)

    def pause_view(self) -> None:
        """Pause or resume the view; if a button has the focus, click it instead, because Space does both."""
        focus = QApplication.focusWidget()
        if isinstance(focus, QAbstractButton):
            focus.click()
            return
        view = self.board.view
        view.pause(paused=not view.paused)

    def forget(self) -> None:
        """Remove everything of this session, because another one follows."""
        self.leave_replay()
        self.store, self._ring, self._bench_info = None, None, None
        self.board.show_store(None)
        self._clear_events()

    # ---- replay

    def show_replay(self, source: ReplaySource, name: str) -> None:
        """Play a recorded run in these plots; the session goes on in the background."""
        self.leave_replay()
        self.replay, self.store = source, None
        self.board.replaying = True
        self._clear_events()
        self._add_events(source.events(), frozenset())
        self.transport.open(source, name)
        self._show_session()
        self._status()

    def why_no_replay(self) -> str:
        return "" if self.replay is not None else "No run is being replayed."

    def leave_replay(self) -> None:
        """End the replay and show the session again."""
        if self.replay is None:
            return
        self.replay, self.store, self._ring = None, None, None
        self.board.replaying = False
        self.board.show_store(None)
        self.transport.close_source()
        self._clear_events()
        self._show_session()
        self._status()
