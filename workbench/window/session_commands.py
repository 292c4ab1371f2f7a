"""Commands that act on the bench: connect, arm, run, lanes, faults. Each asks before it changes what is live."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from control.state import BenchState
from workbench.session.actions import Action, Failure
from workbench.window.widgets.dialogs import InjectDialog, ReasonDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.window.bench_page.page import BenchPage
    from workbench.window.dialog_opener import DialogOpener

BENCH_TAKEN: Final = "bench_taken"  # error code of a supply that is under remote control of another client
LIVE: Final = (BenchState.ARMED, BenchState.RUNNING)
_ARM_WORDS: Final = {Action.ARM: "Arm", Action.DISARM: "Disarm", Action.RESET: "Reset with a reason…"}
_ACTIVATION: Final = {
    "twin": "It takes over the other's state; cells step by less than 2 mV, or it is refused.",
    "controller": "It takes over bumplessly, from the current that flows now.",
    "estimator": "Controllers use its estimate from the next turn on.",
}


class SessionCommands(QObject):
    """Runs the actions of the session for toolbar, palette and Bench page."""

    def __init__(self, dialogs: DialogOpener, bench: BenchPage, why_no_connect: Callable[[], str]) -> None:
        """`why_no_connect` returns why the rest of the window does not allow a connection now, or nothing."""
        super().__init__(dialogs.shell)
        self._dialogs, self._bench, self._why_no_connect = dialogs, bench, why_no_connect
        self._controller, self._commands = dialogs.shell.controller, dialogs.shell.commands
        self._controller.failed.connect(self.ask_take_over)
        self._controller.changed.connect(self._declare_lanes)
        bench.lane_wanted.connect(self.ask_lane)
        bench.inject_wanted.connect(self.ask_fault)
        bench.connect_wanted.connect(partial(self._commands.run, "connect"))

    def declare(self) -> None:
        """Register the commands; they replace the placeholders of the shell."""
        controller, add = self._controller, self._commands.replace
        add(
            "connect",
            lambda: "Disconnect the bench" if controller.connected else "Connect the bench",
            self.connect_or_disconnect,
            "Ctrl+Shift+C",
            why_not=self.why_not_connect,
        )
        add(
            "arm",
            lambda: _ARM_WORDS[self._arm_action],
            self.arm_or_other,
            "Ctrl+Shift+A",
            why_not=lambda: self._why_not(self._arm_action),
        )
        add(
            "run",
            lambda: "Stop the run" if self._running else "Start a run",
            self.start_or_stop,
            "F5",
            why_not=lambda: self._why_not(Action.STOP if self._running else Action.START),
        )
        add("inject", "Inject a fault…", self.ask_fault, "Ctrl+I", why_not=self.why_no_fault)
        add("clear faults", "Clear all faults", self.clear_faults, why_not=self.why_nothing_to_clear)
        self._declare_lanes()

    def _declare_lanes(self) -> None:
        for lane in self._controller.status.lanes:
            name = f"lane {lane.role} {lane.name}"
            if name not in self._commands.commands:
                run = partial(self.ask_lane, lane.role, lane.name)
                self._commands.add(name, f"Make {lane.name} the active {lane.role}…", run)

    def _why_not(self, action: Action) -> str:
        able, why = self._controller.can(action)
        return "" if able else why

    # ---- connect, arm, run

    def why_not_connect(self) -> str:
        if self._controller.connected:
            return self._why_not(Action.DISCONNECT)
        return self._why_not(Action.CONNECT) or self._why_no_connect()

    def connect_or_disconnect(self) -> None:
        """Connect or disconnect; ask before disconnecting from a bench that is armed or running."""
        if not self._controller.connected:
            self._controller.connect_bench()
        elif self._controller.status.state in LIVE:
            sentence = "The outputs are made safe first, and the run ends."
            self._dialogs.ask("Disconnect the bench?", sentence, "Disconnect", self._controller.disconnect_bench)
        else:
            self._controller.disconnect_bench()

    def ask_take_over(self, failure: Failure) -> None:
        """Ask the operator before taking over a supply that another client controls."""
        if (failure.error_json or {}).get("code") == BENCH_TAKEN:
            sentence = f"{failure.sentence}. Make sure that nobody works with it: what they do ends."
            run = partial(self._controller.connect_bench, take_over=True)
            self._dialogs.ask("Take the supply over?", sentence, "Take over", run)

    @property
    def _arm_action(self) -> Action:
        state = self._controller.status.state
        return Action.RESET if state is BenchState.TRIPPED else Action.DISARM if state in LIVE else Action.ARM

    def arm_or_other(self) -> None:
        """Arm, disarm or reset, as the state requires."""
        run = {Action.ARM: self._controller.arm, Action.DISARM: self._controller.disarm, Action.RESET: self.ask_reset}
        run[self._arm_action]()

    def ask_reset(self) -> None:
        """Ask for the reason, then reset the latched trip."""
        why = self._controller.status.trip_reason or "The bench tripped."
        shell = self._dialogs.shell
        dialog = ReasonDialog(shell, "Reset the trip", f"{why} The reason for the reset is recorded.", "Reset")
        dialog.accepted.connect(lambda: self._controller.reset(dialog.reason))
        self._dialogs.open(dialog)

    @property
    def _running(self) -> bool:
        return self._controller.status.state is BenchState.RUNNING

    def start_or_stop(self) -> None:
        """Start a run, or stop the one under way."""
        if self._running:
            self._controller.stop()
        else:
            self._controller.start()

    # ---- lanes and faults

    def ask_lane(self, role: str, name: str) -> None:
        """Ask before making a lane active; show a failure if the change is not allowed."""
        lane = next((lane for lane in self._controller.status.lanes if (lane.role, lane.name) == (role, name)), None)
        why = self._why_not(Action.ACTIVATE)
        if self._bench.replay is not None:
            why = "This is a replay; lanes change on the bench alone."
        if why or lane is None:
            self._controller.failed.emit(Failure(why or f"{name} does not run."))
        elif lane.active:
            self._dialogs.shell.line.say(f"{name} is the active {role} already.")
        else:
            run = partial(self._controller.activate, role, name)
            self._dialogs.ask(f"Make {name} the active {role}?", _ACTIVATION[role], "Make active", run)

    def ask_fault(self) -> None:
        """Ask which fault to inject, and with which values."""
        session = self._controller.session
        if session is None or self.why_no_fault():
            return
        dialog = InjectDialog(self._dialogs.shell, session.bench.faults)
        dialog.accepted.connect(lambda: self._controller.inject(dialog.fault.name, dialog.values))
        self._dialogs.open(dialog)

    def why_no_fault(self) -> str:
        session = self._controller.session
        if session is not None and not session.bench.faults:
            return self._why_not(Action.INJECT) or "This bench has no faults to inject."
        return self._why_not(Action.INJECT)

    def clear_faults(self) -> None:
        for fault in self._controller.status.injected:
            self._controller.clear(fault.number)

    def why_nothing_to_clear(self) -> str:
        return "" if self._controller.status.injected else "No fault is injected."
