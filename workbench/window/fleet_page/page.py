"""The Fleet page: address and state at the top, the packs in a table, the chosen pack below."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from drivers.clock import monotonic
from workbench.window.bundle_page.model import BUNDLES
from workbench.window.fleet_page.bar import START_FLEET, FleetBar
from workbench.window.fleet_page.connection import ConnectionStage, FleetConnection
from workbench.window.fleet_page.detail import PackDetail
from workbench.window.fleet_page.table import PackTable
from workbench.window.fleet_page.trend import PackTrend
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.dialogs import Dialog, QuestionDialog
from workbench.window.widgets.file_dialogs import ask_open
from workbench.window.widgets.placeholder import EmptyState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QResizeEvent

    from edge_bridge.fleet.view import NodeView
    from workbench.window.fleet_page.model import FleetBackend
    from workbench.window.session_controller import SessionController
    from workbench.window.widgets.themes import Theme

MOST_TRENDS: Final = 100  # packs whose trend is kept before the user selects them
_TABLE_PX: Final = 96  # two packs below the head
_TABLE_SHARE: Final = 0.45  # of the height, at most, until a person moves the handle
NOT_CONNECTED: Final = "The packs of a fleet appear here. Connect to its address, or start one on this machine."
NO_PACK: Final = "No pack has reported yet. An edge beside a pack reports here once it runs."
QUESTION: Final = (
    "The bundle is sent in pieces. The pack verifies it with its own keys, runs it from its second slot, and returns "
    "to the bundle before by itself if the new one does not prove healthy."
)
OFFLINE: Final = "The pack is offline; it receives the bundle once it is online again."
NO_VIEW: Final = "Connect to a fleet first."
SILENT: Final = "The fleet does not answer."
ANY_BROKER: Final = "mqtt://HOST:PORT"
NO_CHOICE: Final = "Choose a pack first."
CONNECT_COMMAND, DISCONNECT_COMMAND = "Fleet: connect", "Fleet: disconnect"


class FleetPage(QWidget):
    """Shows one fleet connection."""

    dialog_wanted = Signal(Dialog)
    message = Signal(str)

    def __init__(
        self,
        controller: SessionController,
        backend: FleetBackend,
        root: Path | None,
        theme: Theme,
        wall_s: Callable[[], float] = time.time,  # noqa: TID251  # dates of other machines
    ) -> None:
        super().__init__()
        self.setAccessibleName("Fleet page")
        self._wall_s, self._root = wall_s, None if root is None else root.resolve()
        self.connection = FleetConnection(controller, backend)
        self.bar = FleetBar(self.connection, self._root, theme)
        self.table, self.detail = PackTable(theme), PackDetail(theme)
        self.table.setMinimumHeight(_TABLE_PX)
        self.not_connected = EmptyState(NOT_CONNECTED, START_FLEET, self.bar.start_fleet)
        self.no_pack = EmptyState(NO_PACK, "Copy the edge's command", self.copy_command)
        self.offer_text = label()
        self.offer_bar = QWidget()
        self.trends: dict[str, PackTrend] = {}
        self.offered: Path | None = None
        self._is_split_moved = False
        self._lay_out()
        self._wire()
        self._on_stage_changed()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self.offer_bar)
        row.setContentsMargins(16, 4, 16, 8)
        row.addWidget(self.offer_text)
        row.addWidget(button("Clear", self.withdraw, "link"))
        row.addStretch(1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        for part in (self.table, self.detail):
            split.addWidget(part)
        split.setStretchFactor(1, 1)
        split.splitterMoved.connect(self._on_split_moved)
        self.split = split
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        for part in (self.bar, self.offer_bar, self.not_connected, self.no_pack):
            page.addWidget(part)
        page.addWidget(split, 1)
        page.addStretch(0)
        self.setFocusProxy(self.bar.url)

    def _on_split_moved(self) -> None:
        self._is_split_moved = True

    def _fit_split(self) -> None:
        """Give the table the height of its packs; the chosen pack needs more than half."""
        if self._is_split_moved or not self.split.height():
            return
        table_px = max(_TABLE_PX, min(self.table.find_height(), round(_TABLE_SHARE * self.split.height())))
        if self.split.sizes()[0] != table_px:
            self.split.setSizes([table_px, self.split.height() - table_px])

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        self._fit_split()

    def _wire(self) -> None:
        connection = self.connection
        self.bar.connect_wanted.connect(self.connect_or_leave)
        self.bar.filter.textChanged.connect(self.table.packs.filter)
        self.table.pack_selected.connect(self._on_pack_selected)
        self.detail.send_wanted.connect(self.ask_send)
        connection.fleet_up.connect(self._fleet_up)
        connection.changed.connect(self._on_stage_changed)
        connection.view_updated.connect(self._on_view_updated)

    def set_theme(self, theme: Theme) -> None:
        self.bar.set_theme(theme)
        self.table.packs.set_theme(theme)
        self.detail.set_theme(theme)

    # ---- the connection

    def words(self) -> str:
        """What `connect_or_leave` does now, as a label."""
        return DISCONNECT_COMMAND if self.connection.stage is ConnectionStage.OPEN else CONNECT_COMMAND

    def connect_or_leave(self) -> None:
        """Connect or disconnect, as the state requires."""
        if self.bar.why_not():
            return
        if self.connection.stage is ConnectionStage.OPEN:
            self.connection.leave()
        else:
            self.connection.open(self.bar.url.text().strip())

    def _fleet_up(self, address: str) -> None:
        """Use our own fleet, which has started."""
        if self.connection.stage is ConnectionStage.CLOSED:
            self.bar.url.setText(address)
            self.connect_or_leave()

    def _on_stage_changed(self) -> None:
        if self.connection.stage is not ConnectionStage.OPEN:
            self.trends.clear()
            self.table.packs.show_nodes((), 0.0)
        self._show()

    def _on_view_updated(self) -> None:
        view = self.connection.view
        if view is None:
            return
        now_ms, t_s = self._wall_s() * 1e3, monotonic()
        for node in view.nodes:
            if node.node == self.table.selected_pack or node.node in self.trends or len(self.trends) < MOST_TRENDS:
                self.trends.setdefault(node.node, PackTrend()).append_status(node, now_ms, t_s)
        if self.isVisible():
            self.table.packs.show_nodes(view.nodes, now_ms)
            self._show()

    # ---- what is shown

    @property
    def node(self) -> NodeView | None:
        """The chosen pack in its current state."""
        view = self.connection.view
        return None if view is None else next((one for one in view.nodes if one.node == self.table.selected_pack), None)

    def _on_pack_selected(self) -> None:
        self.detail.show_pack(self.trends.get(self.table.selected_pack))
        self._show()

    def _show(self) -> None:
        view, node, connection = self.connection.view, self.node, self.connection
        has_nodes = view is not None and bool(view.nodes)
        self.not_connected.setVisible(connection.stage is ConnectionStage.CLOSED)
        self.not_connected.button.setEnabled(not self.bar.why_not_start())
        self.not_connected.button.setToolTip(self.bar.why_not_start())
        self.no_pack.setVisible(view is not None and not has_nodes)
        self.split.setVisible(has_nodes)
        self.detail.setVisible(node is not None)
        self.offer_bar.setVisible(self.offered is not None)
        self.bar.show_view(view)
        self.detail.show_counts(view)
        self.detail.show_send(self.why_not_send(), self.offered)
        if node is not None:
            trend = self.trends.get(node.node)
            if trend is not self.detail.plots[0].canvas.store:
                self.detail.show_pack(trend)
            self.detail.show_node(node, self._wall_s() * 1e3, trend)
        if has_nodes:
            self._fit_split()

    def command(self) -> str:
        """The command line that starts an edge which reports here."""
        broker = self.connection.broker or ANY_BROKER
        return f"python main.py edge --bundle FILE --trust DIR --broker {broker} --node NAME"

    def copy_command(self) -> None:
        QApplication.clipboard().setText(self.command())
        self.message.emit(f"Copied: {self.command()}")

    # ---- a bundle

    def offer(self, file: Path) -> None:
        """Take a bundle from the Bundle page, to be sent once a pack is chosen."""
        self.offered = file
        self.offer_text.setText(f"{file.name} is chosen: choose a pack and send it.")
        self._show()

    def withdraw(self) -> None:
        """Clear the chosen bundle."""
        self.offered = None
        self._show()

    def why_not_send(self) -> str:
        """Return why no bundle can be sent now, as a sentence."""
        if self.connection.view is None:
            return NO_VIEW
        if self.connection.silent_s:
            return SILENT
        return "" if self.node is not None else NO_CHOICE

    def ask_send(self) -> None:
        """Ask which bundle to send if none is chosen; then ask for confirmation."""
        node = self.node
        if node is None or self.why_not_send():
            return
        if self.offered is not None:
            self._ask(self.offered, node)
            return
        start = None if self._root is None else self._root / BUNDLES
        kinds = "Bundles (*.bundle);;All files (*)"
        ask_open(self, f"Send a bundle to {node.node}", kinds, partial(self._on_file_selected, node=node), start)

    def _on_file_selected(self, file: Path, node: NodeView) -> None:
        self._ask(file, node)

    def _ask(self, file: Path, node: NodeView) -> None:
        question = QUESTION if node.online else f"{QUESTION} {OFFLINE}"
        dialog = QuestionDialog(self.window(), f"Send {file.name} to {node.node}?", question, "Send")
        dialog.accepted.connect(partial(self.send, file, node.node))
        self.dialog_wanted.emit(dialog)

    def send(self, file: Path, node: str) -> None:
        """Begin to send; the detail shows the progress."""
        self.offered = None
        self.connection.send(file, node)
        self._show()
