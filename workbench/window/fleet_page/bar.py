"""The bar at the top of the page: the fleet's address, the file of our own, and the state of the connection."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from workbench.window.failures import make_sentence
from workbench.window.fleet_page.connection import ConnectionStage, FleetConnection
from workbench.window.fleet_page.table_row import is_tripped
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.elided_label import ElidedLabel
from workbench.window.widgets.file_dialogs import ask_new
from workbench.window.widgets.icons import icon

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.view import FleetView
    from workbench.window.widgets.themes import Theme

USUAL: Final = "http://127.0.0.1:8080"
FILE: Final = "fleet.sqlite"
LOOPBACK: Final = "A fleet started here listens on this machine alone; `fleet init` makes one for others, with TLS."
CONNECT, DISCONNECT = "Connect", "Disconnect"
START_FLEET, STARTING, STOP_FLEET = "Start one here", "Starting…", "Stop ours"
START_TIP: Final = "Start a broker and a fleet on 127.0.0.1 for this machine"
STOP_TIP: Final = "The packs lose this fleet; they keep their rows and wait until it is back."
NO_FILE: Final = "Choose a file for the rows first."
FILE_IN_USE: Final = "The fleet here writes its rows into the file; stop it first."
NO_ADDRESS: Final = "Enter the address of a fleet, or start one here."


class FleetState(StrEnum):
    """State of the fleet in the words of the bar."""

    NOT_CONNECTED = "NOT CONNECTED"
    CONNECTING = "CONNECTING"
    DISCONNECTING = "DISCONNECTING"
    CONNECTED = "CONNECTED"
    NO_ANSWER = "NO ANSWER"
    REFUSED = "REFUSED"
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
    FleetState.NO_ANSWER: ("warning", "amber"),
    FleetState.REFUSED: ("warning", "amber"),
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
        self.url.setAccessibleName("Address of the fleet")
        self.url.setToolTip("http://HOST:PORT, as `fleet --api` prints it")
        self.url.setMinimumWidth(176)
        self.url.setMaximumWidth(210)
        self.filter.setAccessibleName("Filter packs")
        self.filter.setPlaceholderText("Filter packs…")
        self.filter.setMinimumWidth(80)
        self.filter.setMaximumWidth(150)
        self.own = button(START_FLEET, self._start_or_stop)
        self.file = ElidedLabel("muted")
        self.other = button(
            "Other file…", self.ask_file, "link", tip="Choose the file of the fleet that is started here"
        )
        self.connect_ = button(CONNECT, self.connect_wanted.emit, "primary")
        self.connect_.setMinimumWidth(112)
        self.symbol, self.word, self.text, self.reach = QLabel(), label(), ElidedLabel(), ElidedLabel("label")
        self.reach.say(LOOPBACK)
        self.reach.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
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
        first.addWidget(label("Address", "muted"))
        first.addWidget(self.url, 1)
        for part in (self.own, label("Its rows in", "muted")):
            first.addWidget(part)
        first.addWidget(self.file, 1)
        for part in (self.other, self.filter, self.connect_):
            first.addWidget(part)
        second.setContentsMargins(16, 4, 16, 8)
        second.setSpacing(8)
        for part in (self.symbol, self.word):
            second.addWidget(part)
        second.addWidget(self.text, 1)
        second.addWidget(self.reach, 1)
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
        return "" if self.url.text().strip() else NO_ADDRESS

    def why_not_start(self) -> str:
        """Return why our own fleet cannot be started now."""
        return self._connection.why_no_fleet() or (NO_FILE if self.database is None else "")

    def why_no_other_file(self) -> str:
        """Return why the file of our own fleet cannot be changed now."""
        connection = self._connection
        return FILE_IN_USE if connection.own_fleet or connection.starting_fleet else ""

    def refresh(self) -> None:
        """Update buttons and words from the connection."""
        connection = self._connection
        is_closed = connection.stage is ConnectionStage.CLOSED
        self._button(
            self.connect_, CONNECT if connection.stage is not ConnectionStage.OPEN else DISCONNECT, self.why_not()
        )
        own, starting = connection.own_fleet, connection.starting_fleet
        why_not = connection.why_not_stop_fleet() if own else self.why_not_start()
        self._button(self.own, STARTING if starting else STOP_FLEET if own else START_FLEET, why_not)
        self.own.setToolTip(why_not or (STOP_TIP if own else START_TIP))
        self.url.setEnabled(is_closed)
        self.other.setEnabled(not self.why_no_other_file())
        self.file.say("no file" if self.database is None else self.database.name, str(self.database or ""))
        self.show_view(connection.view)

    def _button(self, which: QWidget, text: str, why_not: str) -> None:
        which.setProperty("text", text)
        which.setEnabled(not why_not)
        which.setToolTip(why_not)

    def show_view(self, view: FleetView | None) -> None:
        """Show the state in a word, and the number of rows so far."""
        connection = self._connection
        self.state = self._find_state(view)
        symbol, colour, word = *_LOOKS.get(self.state, ("ring", "muted")), self.state.value
        if self.word.text() != word or self.symbol.accessibleName() != symbol + self._theme.name:
            self.word.setText(word)
            self.word.setStyleSheet(f"font-weight: 600; color: {self._theme.colour(colour).name()};")
            self.symbol.setPixmap(icon(symbol, self._theme.colour(colour)).pixmap(QSize(14, 14)))
            self.symbol.setAccessibleName(symbol + self._theme.name)
        self.reach.setVisible(connection.stage is ConnectionStage.CLOSED)  # of a fleet that may be started
        self.text.say(_facts(view, connection.silent_s, connection.silent_why))

    def _find_state(self, view: FleetView | None) -> FleetState:
        if view is None:
            return _STATES[self._connection.stage]
        if self._connection.silent_s:
            return FleetState.REFUSED if self._connection.is_refused else FleetState.NO_ANSWER
        if not view.connected:
            return FleetState.NO_BROKER
        return FleetState.TROUBLE if view.trouble else FleetState.CONNECTED

    # ---- requests

    def _start_or_stop(self) -> None:
        if self._connection.own_fleet:
            self._connection.stop_fleet()
        else:
            self.start_fleet()

    def start_fleet(self) -> None:
        """Start our own fleet with the chosen file."""
        if self.database is not None and not self.why_not_start():
            self._connection.start_fleet(self.database)

    def ask_file(self) -> None:
        """Ask for the file in which our own fleet keeps its rows; it may be new."""
        ask_new(self, "The fleet's file", "Fleet files (*.sqlite *.db);;All files (*)", self.choose_file, self._root)

    def choose_file(self, file: Path) -> None:
        self.database = file
        self.refresh()


def _facts(view: FleetView | None, silent_s: float, why: str) -> str:
    if view is None:
        return ""
    if silent_s:
        return f"for {fmt.age(silent_s)}, connecting again. Last values in grey. {make_sentence(why)}".rstrip()
    totals, online = view.totals, sum(node.online for node in view.nodes)
    tripped = sum(map(is_tripped, view.nodes))
    facts = [view.trouble] if view.trouble else []
    if view.nodes:
        facts.append(f"{online} of {len(view.nodes)} packs online")
    if tripped:
        facts.append(f"{tripped} tripped")
    facts.append(f"{fmt.count(totals.stored)} rows stored, {fmt.count(totals.missing)} missing")
    if view.outage_s:
        facts.append(f"without a broker for {fmt.age(view.outage_s)}")
    return "   ".join(facts)
