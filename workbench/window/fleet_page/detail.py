"""The chosen pack: its trend at the left; at the right its bundle's progress and the fleet's counters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from workbench.window.fleet_page.counters import FleetCounters
from workbench.window.fleet_page.stepper import UpdateStepper, find_progress
from workbench.window.fleet_page.table_row import age_s, health, is_fresh
from workbench.window.fleet_page.trend import SPECS, PackTrend
from workbench.window.plots.plot import Plot
from workbench.window.plots.time_view import TimeView
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import DockTitle, button, label

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.view import FleetView, NodeView
    from workbench.window.widgets.themes import Theme

NONE_COUNTED: Final = "none"
OFFLINE: Final = "offline"
UNKNOWN: Final = "no answer"
_RIGHT_PX: Final = 400


class PackDetail(QWidget):
    """Shows everything of one pack that has no room in the table."""

    send_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.view = TimeView(self)
        self.plots = [Plot(spec, self.view, theme) for spec in SPECS]
        for plot in self.plots:
            plot.setAcceptDrops(False)
        self.title, self.counted = DockTitle("Pack"), DockTitle("Messages refused or flagged")
        self.word = label(tone="amber")
        self.stepper, self.counters = UpdateStepper(theme), FleetCounters()
        self.send = button("Send bundle…", self.send_wanted.emit)
        self.send.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        left, right = QWidget(), QWidget()
        trends = QVBoxLayout(left)
        trends.setContentsMargins(0, 0, 0, 0)
        trends.setSpacing(1)
        for plot in self.plots:
            trends.addWidget(plot, 1)
        row = QHBoxLayout()
        row.setContentsMargins(16, 0, 16, 8)
        row.addWidget(self.send)
        row.addWidget(self.word, 1, Qt.AlignmentFlag.AlignRight)
        side = QVBoxLayout(right)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(0)
        for part in (self.title, self.stepper):
            side.addWidget(part)
        side.addLayout(row)
        for part, stretch in ((self.counted, 0), (self.counters, 1)):
            side.addWidget(part, stretch)
        side.addStretch(0)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        for part in (left, right):
            split.addWidget(part)
        split.setStretchFactor(0, 1)
        split.setSizes([900, _RIGHT_PX])
        column = QHBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(split)

    def set_theme(self, theme: Theme) -> None:
        for plot in self.plots:
            plot.set_theme(theme)
        self.stepper.set_theme(theme)

    def show_pack(self, trend: PackTrend | None) -> None:
        """Show another pack."""
        self.view.start_anew()
        for plot in self.plots:
            plot.show_store(trend)

    def show_node(self, node: NodeView, now_ms: float, trend: PackTrend | None) -> None:
        """Show what is known of the pack now; called ten times a second while the page is visible."""
        self.title.show_fact(", ".join(filter(None, (node.node, health(node.status)))))
        self.stepper.show_progress(find_progress(node))
        known = is_fresh(node, now_ms)
        age = f"newest row {fmt.age(age_s(node, now_ms))} old"
        why = f"{UNKNOWN}, {age}" if not node.is_known else OFFLINE if not node.online else age
        self.word.setText("" if known else f"▲ {why}")
        if trend is not None:
            self.view.right_s = trend.newest_s
            for number, plot in enumerate(self.plots):
                plot.canvas.advance()
                plot.show_values(f"last {self.view.span_s:g} s" if not number else "")

    def show_counts(self, view: FleetView | None) -> None:
        self.counters.show_view(view)
        number = self.counters.topLevelItemCount()
        self.counted.show_fact("since the file was created" if number else NONE_COUNTED)

    def show_send(self, why_not: str, offered: Path | None) -> None:
        """Show whether a bundle can be sent, and which one is chosen already."""
        self.send.setText("Send bundle…" if offered is None else f"Send {offered.name}…")
        self.send.setEnabled(not why_not)
        self.send.setToolTip(why_not or "Asks for confirmation; the pack verifies the bundle with its own keys")
