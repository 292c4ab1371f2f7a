"""The page's connection to a fleet: opened and closed outside the window's thread, polled ten times a second."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import QObject, Signal

from drivers.errors import PulseError
from workbench.session.actions import Failure
from workbench.window.failures import make_sentence
from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_bridge.fleet.view import FleetView
    from workbench.window.fleet_page.model import FleetBackend, FleetClient
    from workbench.window.session_controller import SessionController

Thing = TypeVar("Thing")
HUB: Final = "fleet hub"  # the one thread that calls the backend


class ConnectionStage(StrEnum):
    """State of the connection; an open one may still be without its broker."""

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"


CONNECTED: Final = "You are connected; disconnect first."
NOT_CONNECTED: Final = "No broker is connected."
WAITS: Final = {
    ConnectionStage.OPENING: "The connection is being opened.",
    ConnectionStage.CLOSING: "The connection is being closed.",
}


class FleetConnection(QObject):
    """Connects to one fleet at a time. The backend's thread lives as long as the window: our broker ends with it."""

    changed = Signal()  # stage, broker
    view_updated = Signal()  # a new view was read
    broker_up = Signal(str)  # URL of a broker of ours
    failed = Signal(Failure)

    def __init__(self, controller: SessionController, backend: FleetBackend) -> None:
        super().__init__()
        self._backend, self._background = backend, controller.background
        self._is_used = False  # by a first task
        self._fleet: FleetClient | None = None
        self.stage = ConnectionStage.CLOSED
        self.starting_broker = False
        self.view: FleetView | None = None
        self._ran = False  # whether our own broker ran at the last poll
        controller.values_due.connect(self.turn)

    @property
    def own_broker(self) -> bool:
        """Whether our own broker runs here."""
        return self._backend.broker_runs

    # ---- what is possible

    def why_not_connect(self) -> str:
        """Return why no fleet can be opened now, as a sentence."""
        return WAITS.get(self.stage, CONNECTED if self.stage is ConnectionStage.OPEN else "")

    def why_not_leave(self) -> str:
        return WAITS.get(self.stage, "" if self.stage is ConnectionStage.OPEN else NOT_CONNECTED)

    def why_no_broker(self) -> str:
        """Return why our own broker cannot be started now."""
        if self.starting_broker:
            return "A broker is being started."
        return WAITS.get(self.stage, "Our broker is running already." if self.own_broker else "")

    def why_not_stop_broker(self) -> str:
        return "" if self.own_broker else "Our broker is not running."

    # ---- actions

    def open(self, broker: str, database: Path) -> None:
        """Receive from the packs at `broker`; write their rows into `database`."""
        if not self.why_not_connect():
            self._set_stage(ConnectionStage.OPENING)
            self._run_in_thread("Connect to the fleet", partial(self._backend.open, broker, database), self._on_opened)

    def leave(self) -> None:
        """Commit and disconnect; our own broker runs on for the packs."""
        if not self.why_not_leave():
            self._fleet, self.view = None, None
            self._set_stage(ConnectionStage.CLOSING)
            self._run_in_thread(
                "Disconnect from the fleet", self._backend.leave, lambda _: self._set_stage(ConnectionStage.CLOSED)
            )

    def start_broker(self) -> None:
        """Start our own broker on 127.0.0.1, in its own process."""
        if not self.why_no_broker():
            self.starting_broker = True
            self.changed.emit()
            self._run_in_thread("Start a broker", self._backend.start_broker, self._broker_up)

    def stop_broker(self) -> None:
        if not self.why_not_stop_broker():
            self._run_in_thread("Stop the broker", self._backend.stop_broker, lambda _: self.changed.emit())

    def send(self, file: Path, node: str) -> None:
        """Begin to send a bundle; the view reports the progress."""
        if self._fleet is not None:
            self._run_in_thread(f"Send {file.name}", partial(self._fleet.send_bundle, file, node), lambda _: None)

    def close(self) -> None:
        """Commit, disconnect and stop the broker, because the window closes; a second call does nothing."""
        self._fleet, self.view = None, None
        if self._is_used:
            self._is_used = False
            task = Task[None]("Close the fleet", ready=lambda _: None)
            self._background.run_in_thread(task, lambda _: self._backend.close(), queue=HUB, finishes=True)
            self._background.end(HUB)

    # ---- polling

    def turn(self) -> None:
        """Poll the fleet; called ten times a second."""
        if self._fleet is not None:
            self._update_view(self._fleet)
        if self.own_broker != self._ran:
            self._ran = self.own_broker
            self.changed.emit()

    def _update_view(self, fleet: FleetClient) -> None:
        try:
            view = fleet.snapshot()
        except PulseError as error:
            self.failed.emit(Failure(make_sentence(error.sentence), "Connect again."))
            self.leave()
            return
        self.view = view
        self.view_updated.emit()

    def _fail(self, failure: Failure) -> None:
        self.starting_broker = False
        if self.stage in WAITS:
            self.stage = ConnectionStage.CLOSED
        self.failed.emit(failure)
        self.changed.emit()

    def _on_opened(self, fleet: FleetClient) -> None:
        self._fleet = fleet
        self._set_stage(ConnectionStage.OPEN)

    def _broker_up(self, url: str) -> None:
        self.starting_broker = False
        self.changed.emit()
        self.broker_up.emit(url)

    def _set_stage(self, stage: ConnectionStage) -> None:
        self.stage = stage
        self.changed.emit()

    def _run_in_thread(self, title: str, work: Callable[[], Thing], ready: Callable[[Thing], None]) -> None:
        self._is_used = True
        self._background.run_in_thread(Task(title, ready=ready, failed=self._fail), lambda _: work(), queue=HUB)
