"""The bar at the top of the page: the broker, the file, and the state of the connection."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from workbench.window.fleet_page.connection import ConnectionStage, FleetConnection
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.elided_label import ElidedLabel
from workbench.window.widgets.file_dialogs import ask_new
from workbench.window.widgets.icons import icon

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.view import FleetView
    from workbench.window.widgets.themes import Theme

USUAL: Final = "mqtt://127.0.0.1:1883"
FILE: Final = "fleet.sqlite"
NOT_YET: Final = "No TLS and no access control per pack yet: use the broker only on your own network."
CONNECT, DISCONNECT = "Connect", "Disconnect"
START_BROKER, STARTING, STOP_BROKER = "Start one here", "Starting…", "Stop ours"
NO_FILE: Final = "Choose a file for the rows first."
NO_ADDRESS: Final = "Enter the address of a broker, or start one here."


class FleetState(StrEnum):
    """State of the fleet in the words of the bar."""

    NOT_CONNECTED = "NOT CONNECTED"
    CONNECTING = "CONNECTING"
    DISCONNECTING = "DISCONNECTING"
    CONNECTED = "CONNECTED"
    NO_BROKER = "NO BROKER"
    TROUBLE = "TROUBLE"


_STATES: Final = {  # of a connection without a view
    ConnectionStage.CLOSED: FleetState.NOT_CONNECTED,
    ConnectionStage.OPENING: FleetState.CONNECTING,
    ConnectionStage.OPEN: FleetState.CONNECTING,
    ConnectionStage.CLOSING: FleetState.DISCONNECTING,
}
_LOOKS: Final = {  # icon and colour; others are a grey ring
    FleetState.CONNECTED: ("dot", "green"),
    FleetState.NO_BROKER: ("warning", "amber"),
    FleetState.TROUBLE: ("warning", "amber"),
}


class FleetBar(QWidget):
    """Emits the user's requests; `refresh` shows the current state."""

    connect_wanted = Signal()

    def __init__(self, connection: FleetConnection, root: Path | None, theme: Theme) -> None:
        super().__init__()
        self._connection, self._root, self._theme = connection, root, theme
        self.database: Path | None = None if root is None else root / FILE
        self.state = FleetState.NOT_CONNECTED
        self.url, self.filter = QLineEdit(USUAL), QLineEdit()
        self.url.setAccessibleName("Address of the broker")
        self.url.setToolTip("mqtt://HOST:PORT")
        self.url.setMinimumWidth(176)
        self.url.setMaximumWidth(210)
        self.filter.setAccessibleName("Filter packs")
        self.filter.setPlaceholderText("Filter packs…")
        self.filter.setMinimumWidth(80)
        self.filter.setMaximumWidth(150)
        self.broker = button(START_BROKER, self._broker)
        self.file = ElidedLabel("muted")
        self.other = button("Other file…", self.ask_file, "link", tip="Choose the file that stores the rows")
        self.connect_ = button(CONNECT, self.connect_wanted.emit, "primary")
        self.connect_.setMinimumWidth(112)
        self.symbol, self.word, self.text, self.not_yet = QLabel(), label(), ElidedLabel(), ElidedLabel("label")
        self.not_yet.say(NOT_YET)
        self.not_yet.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._lay_out()
        self.url.returnPressed.connect(self.connect_wanted)
        self.url.textChanged.connect(self.refresh)
        connection.changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        first.setContentsMargins(16, 12, 16, 4)
        first.setSpacing(8)
        first.addWidget(label("Fleet", "title"))
        first.addSpacing(16)
        first.addWidget(label("Broker", "muted"))
        first.addWidget(self.url, 1)
        for part in (self.broker, label("Rows in", "muted")):
            first.addWidget(part)
        first.addWidget(self.file, 1)
        for part in (self.other, self.filter, self.connect_):
            first.addWidget(part)
        second.setContentsMargins(16, 4, 16, 8)
        second.setSpacing(8)
        for part in (self.symbol, self.word):
            second.addWidget(part)
        second.addWidget(self.text, 1)
        second.addWidget(self.not_yet, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(first)
        column.addLayout(second)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.refresh()

    def why_not(self) -> str:
        """Return why the button cannot connect or disconnect now."""
        connection = self._connection
        if connection.stage is ConnectionStage.OPEN:
            return connection.why_not_leave()
        if connection.why_not_connect():
            return connection.why_not_connect()
        if self.database is None:
            return NO_FILE
        return "" if self.url.text().strip() else NO_ADDRESS

    def refresh(self) -> None:
        """Update buttons and words from the connection."""
        connection = self._connection
        is_closed = connection.stage is ConnectionStage.CLOSED
        self._button(
            self.connect_, CONNECT if connection.stage is not ConnectionStage.OPEN else DISCONNECT, self.why_not()
        )
        own = connection.own_broker
        why_not = connection.why_not_stop_broker() if own else connection.why_no_broker()
        starting = connection.starting_broker
        self._button(self.broker, STARTING if starting else STOP_BROKER if own else START_BROKER, why_not)
        self.broker.setToolTip(
            why_not
            or (
                "The packs lose this broker and wait until it is back."
                if own
                else "Start a broker on 127.0.0.1 for this machine"
            )
        )
        for part in (self.url, self.other):
            part.setEnabled(is_closed)
        self.file.say("no file" if self.database is None else self.database.name, str(self.database or ""))
        self.show_view(connection.view)

    def _button(self, which: QWidget, text: str, why_not: str) -> None:
        which.setProperty("text", text)
        which.setEnabled(not why_not)
        which.setToolTip(why_not)

    def show_view(self, view: FleetView | None) -> None:
        """Show the state in a word, and the number of rows so far."""
        self.state = self._find_state(view)
        symbol, colour, word = *_LOOKS.get(self.state, ("ring", "muted")), self.state.value
        if self.word.text() != word or self.symbol.accessibleName() != symbol + self._theme.name:
            self.word.setText(word)
            self.word.setStyleSheet(f"font-weight: 600; color: {self._theme.colour(colour).name()};")
            self.symbol.setPixmap(icon(symbol, self._theme.colour(colour)).pixmap(QSize(14, 14)))
            self.symbol.setAccessibleName(symbol + self._theme.name)
        self.text.say(_facts(view))

    def _find_state(self, view: FleetView | None) -> FleetState:
        if view is None:
            return _STATES[self._connection.stage]
        if not view.connected:
            return FleetState.NO_BROKER
        return FleetState.TROUBLE if view.trouble else FleetState.CONNECTED

    # ---- requests

    def _broker(self) -> None:
        connection = self._connection
        if connection.own_broker:
            connection.stop_broker()
        else:
            connection.start_broker()

    def ask_file(self) -> None:
        """Ask for the file that keeps the rows; it may be new."""
        ask_new(self, "The fleet's file", "Fleet files (*.sqlite *.db);;All files (*)", self.choose_file, self._root)

    def choose_file(self, file: Path) -> None:
        self.database = file
        self.refresh()


def _facts(view: FleetView | None) -> str:
    if view is None:
        return ""
    totals, online = view.totals, sum(node.online for node in view.nodes)
    facts = [view.trouble] if view.trouble else []
    if view.nodes:
        facts.append(f"{online} of {len(view.nodes)} packs online")
    facts.append(f"{fmt.count(totals.stored)} rows stored, {fmt.count(totals.missing)} missing")
    if view.outage_s:
        facts.append(f"without a broker for {fmt.age(view.outage_s)}")
    return "   ".join(facts)
