"""The page's connection to the API of a fleet: opened outside the window's thread, polled ten times a second."""

from __future__ import annotations

from dataclasses import replace
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
    """State of the connection; an open one may be silent, or its fleet without a broker."""

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"


CONNECTED: Final = "You are connected; disconnect first."
NOT_CONNECTED: Final = "No fleet is connected."
WAITS: Final = {
    ConnectionStage.OPENING: "The connection is being opened.",
    ConnectionStage.CLOSING: "The connection is being closed.",
}


class FleetConnection(QObject):
    """Connects to one fleet at a time. The backend's thread lives as long as the window: our fleet ends with it."""

    changed = Signal()  # stage, our own fleet
    view_updated = Signal()  # a new view was read
    fleet_up = Signal(str)  # address of our own fleet
    failed = Signal(Failure)

    def __init__(self, controller: SessionController, backend: FleetBackend) -> None:
        super().__init__()
        self._backend, self._background = backend, controller.background
        self._is_used = False  # by a first task
        self._fleet: FleetClient | None = None
        self.stage = ConnectionStage.CLOSED
        self.starting_fleet = False
        self.view: FleetView | None = None
        self.broker = ""  # of the fleet that is open
        self.silent_s, self.silent_why = 0.0, ""  # for how long its API has not answered
        self.is_refused = False  # it answers, but not to this person
        self._marked: tuple[FleetView, FleetView] | None = None  # a view, and the same with packs of unknown state
        self._ran = False  # whether our own fleet ran at the last poll
        controller.values_due.connect(self.turn)

    @property
    def own_fleet(self) -> bool:
        """Whether our own fleet runs here."""
        return self._backend.fleet_runs

    # ---- what is possible

    def why_not_connect(self) -> str:
        """Return why no fleet can be opened now, as a sentence."""
        return WAITS.get(self.stage, CONNECTED if self.stage is ConnectionStage.OPEN else "")

    def why_not_leave(self) -> str:
        return WAITS.get(self.stage, "" if self.stage is ConnectionStage.OPEN else NOT_CONNECTED)

    def why_no_fleet(self) -> str:
        """Return why our own fleet cannot be started now."""
        if self.starting_fleet:
            return "A fleet is being started."
        return WAITS.get(self.stage, "Our fleet is running already." if self.own_fleet else "")

    def why_not_stop_fleet(self) -> str:
        return "" if self.own_fleet else "Our fleet is not running."

    # ---- actions

    def open(self, address: str) -> None:
        """Connect to the API at `address`."""
        if not self.why_not_connect():
            self._set_stage(ConnectionStage.OPENING)
            self._run_in_thread("Connect to the fleet", partial(self._backend.open, address), self._on_opened)

    def leave(self) -> None:
        """Disconnect; our own fleet runs on for the packs."""
        if not self.why_not_leave():
            self._forget()
            self._set_stage(ConnectionStage.CLOSING)
            self._run_in_thread(
                "Disconnect from the fleet", self._backend.leave, lambda _: self._set_stage(ConnectionStage.CLOSED)
            )

    def start_fleet(self, database: Path) -> None:
        """Start our own fleet on 127.0.0.1, in its own processes; it stores its rows in `database`."""
        if not self.why_no_fleet():
            self.starting_fleet = True
            self.changed.emit()
            self._run_in_thread("Start a fleet", partial(self._backend.start_fleet, database), self._fleet_up)

    def stop_fleet(self) -> None:
        if not self.why_not_stop_fleet():
            self._run_in_thread("Stop the fleet", self._backend.stop_fleet, lambda _: self.changed.emit())

    def send(self, file: Path, node: str) -> None:
        """Begin to send a bundle; the view reports the progress."""
        if self._fleet is not None:
            self._run_in_thread(f"Send {file.name}", partial(self._fleet.send_bundle, file, node), lambda _: None)

    def close(self) -> None:
        """Disconnect and stop our own fleet, because the window closes; a second call does nothing."""
        self._forget()
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
        if self.own_fleet != self._ran:
            self._ran = self.own_fleet
            self.changed.emit()

    def _update_view(self, fleet: FleetClient) -> None:
        try:
            view = fleet.snapshot()
        except PulseError as error:
            self.failed.emit(Failure(make_sentence(error.sentence), "Connect again."))
            self.leave()
            return
        self.broker = fleet.broker
        self.silent_s, self.silent_why = fleet.read_silence()
        self.is_refused = bool(self.silent_s) and fleet.is_refused
        self.view = self._mark_silent(view) if self.silent_s else view
        self.view_updated.emit()

    def _mark_silent(self, view: FleetView) -> FleetView:
        """Return the view with packs of unknown state; the same object while the fleet is silent."""
        if self._marked is None or self._marked[0] is not view:
            from edge_bridge.fleet.view import mark_unknown  # noqa: PLC0415  # the window starts without MQTT

            self._marked = view, replace(view, nodes=tuple(mark_unknown(node) for node in view.nodes))
        return self._marked[1]

    def _forget(self) -> None:
        self._fleet, self.view = None, None
        self.broker = self.silent_why = ""
        self.silent_s, self.is_refused = 0.0, False

    def _fail(self, failure: Failure) -> None:
        self.starting_fleet = False
        if self.stage in WAITS:
            self.stage = ConnectionStage.CLOSED
        self.failed.emit(failure)
        self.changed.emit()

    def _on_opened(self, fleet: FleetClient) -> None:
        self._fleet = fleet
        self._set_stage(ConnectionStage.OPEN)

    def _fleet_up(self, address: str) -> None:
        self.starting_fleet = False
        self.changed.emit()
        self.fleet_up.emit(address)

    def _set_stage(self, stage: ConnectionStage) -> None:
        self.stage = stage
        self.changed.emit()

    def _run_in_thread(self, title: str, work: Callable[[], Thing], ready: Callable[[Thing], None]) -> None:
        self._is_used = True
        self._background.run_in_thread(Task(title, ready=ready, failed=self._fail), lambda _: work(), queue=HUB)
