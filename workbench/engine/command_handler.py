"""The handler of the operator's requests: it runs them one after the other."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any, Final

from control.state import BenchState, OutputState
from drivers import source_names
from drivers.clock import monotonic
from drivers.errors import BenchError, Refused
from drivers.event import INJECTED, Event, Level
from workbench.engine import last_shutdown, progress, session_journal, shutdown
from workbench.engine.arm import arm
from workbench.engine.case_actions import CaseActions
from workbench.engine.device_events import DeviceEvents
from workbench.engine.evidence import confirm_evidence
from workbench.engine.guard_fallback import GuardFallback
from workbench.engine.injected_faults import InjectedFaults
from workbench.engine.sleep_trip import SleepTrip
from workbench.session.messages import Closed, Request, RequestProgress, RingOpened
from workbench.session.status import CheckState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from control.tick import Tick
    from drivers.benchfile.model import Bench
    from workbench.engine.engine import Engine
    from workbench.engine.live_bench import LiveBench
    from workbench.session.status import ChecklistLine

CONNECT_S, GUARD_S = 6.0, 30.0  # a guard has a Python to start first
VERIFY_S: Final = 3.0  # for the guard, when the engine's own connections have verified nothing
FALL_S: Final = 1.0  # until the cells read no voltage


class CommandHandler:
    """Runs requests on the engine's one live bench. `handle` runs on the operator's thread, `check` on the loop's."""

    def __init__(self, engine: Engine, bench: Bench) -> None:
        self.bench = bench
        self.cancelled = threading.Event()
        self.connect_cancelled = threading.Event()  # not by OUTPUTS OFF, which needs the bench
        self.has_left = False
        self.checklist: tuple[ChecklistLine, ...] = ()
        self.faults: InjectedFaults | None = None
        self.case_actions: CaseActions | None = None
        self.device_events: DeviceEvents | None = None
        self.running_since_s: float | None = None
        self._engine = engine
        self._ends_s: float | None = None
        self.connecting = False  # from the moment of the request
        self.guard_fallback = GuardFallback(engine.to_client.send_event)
        self._reset_reason = ""
        self._commands: dict[str, Callable[..., dict[str, Any] | None]] = {
            "connect": self._connect,
            "disconnect": self._leave,
            "leave": self._leave,
            "client gone": self._client_gone,
            "arm": self._arm,
            "disarm": self._disarm,
            "start": self._start,
            "stop": self._stop,
            "reset": self._reset,
            "activate": self._activate,
            "inject": self._inject,
            "clear": self._clear,
            "script": self._script,
        }
        self._number = 0
        self._journal: Path | None = None
        self._wake = SleepTrip(self._engine.to_client.send_event)

    @property
    def state(self) -> BenchState:
        station = self._engine.bench
        return BenchState.DISCONNECTED if station is None else station.loop.machine.state

    def cancel(self) -> None:
        """Cancel the action in progress."""
        self.cancelled.set()
        self.connect_cancelled.set()

    def handle(self, request: Request) -> dict[str, Any] | None:
        """Run a request and return its payload; raise `PulseError`."""
        self._number = request.number
        return self._commands[request.verb](**request.arguments)

    def check(self, tick: Tick) -> None:
        """Check the guard and end a run in time; call it on the loop's thread after each turn."""
        self.guard_fallback.check(self._station, tick)
        self._wake.watch(self._station)
        if self.device_events is not None:
            self.device_events.watch(tick)
        if self._ends_s is not None and tick.snapshot.t_s >= self._ends_s:
            self._ends_s = None
            self._engine.enqueue(Request(0, "stop"))

    @property
    def guard_alive(self) -> bool:
        return self.guard_fallback.guard_alive

    # -- requests

    @property
    def _station(self) -> LiveBench:
        if self._engine.bench is None:
            raise Refused("no bench is connected", hint="connect first")
        return self._engine.bench

    def _send_progress(self, sentence: str, fraction: float | None = None) -> None:
        if self._number:
            self._engine.to_client.send(RequestProgress(self._number, sentence, fraction))

    def _event(self, level: Level, source: str, text: str) -> None:
        self._engine.to_client.send_event(Event(level, source, text))

    def _connect(self, take_over: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002  # a message's argument
        try:
            if self._engine.bench is not None:
                raise Refused("the bench is connected already")
            return self._build_and_connect(take_over=take_over)
        finally:
            self.connecting = False

    def _build_and_connect(self, *, take_over: bool) -> dict[str, Any]:
        self._send_progress("building the bench", 0.1)
        engine = self._engine
        station = engine.compose(self.bench, engine.order, engine.guard_client, take_over=take_over)
        self._engine.bench = station
        self._engine.to_client.keep_event = station.recorder.event
        for note in self.bench.notes:
            self._event(Level.INFO, "bench file", note)
        if station.taken:
            self._event(Level.WARNING, source_names.SUPPLY, station.taken)
        self._journal = session_journal.begin(
            self.bench.bench.name, station.folder, station.lock.addresses, station.guard_process.pid
        )
        self.faults, self.case_actions = InjectedFaults(station), CaseActions(station)
        self.device_events = DeviceEvents(station.dut.map, self._engine.to_client.send_event)
        station.guard.disarm()  # a guard without a request counts as armed
        station.start()
        waiting = progress.ConnectProgress(station, self._send_progress, self.connect_cancelled.is_set)
        waiting.wait("waiting for the guard", 0.3, GUARD_S, progress.has_guard_answered)
        answering = waiting.wait("waiting for the instruments", 0.5, CONNECT_S, progress.is_answering)
        if station.loop.machine.state is BenchState.DISCONNECTED:  # or OUTPUTS OFF has been pressed meanwhile
            station.loop.machine.to(BenchState.CONNECTED)
        gc.collect()  # a quarter of a million objects that stay: a later collection of them costs 0.3 s
        gc.freeze()
        self._engine.begin_turning()
        waiting.wait("waiting for the guard's connections", 0.8, CONNECT_S, progress.is_guarded)
        if self.connect_cancelled.is_set():
            self._event(Level.INFO, "session", "connecting was cancelled")
            self._leave()
            return {}
        self._engine.to_client.send(RingOpened(station.ring.path))
        last_shutdown.show(self._engine.to_client.send_event)
        confirm_evidence(station, self._engine.to_client.send_event)
        self._event(
            Level.INFO, "session", f"connected {self.bench.bench.name}, evidence class {station.evidence_class}"
        )
        if not self._engine.attended:
            self._event(Level.WARNING, "session", "unattended: the run continues if its client ends")
        if not answering:
            hint = "repair it; the bench goes on and reconnects by itself"
            raise BenchError(progress.describe_silent(station) or "the guard does not answer", hint=hint)
        return {"guard_pid": station.guard_process.pid, "folder": str(station.folder)}

    def _arm(self) -> None:
        station = self._station
        self.cancelled.clear()
        self.checklist = ()
        self._ready_to_arm(station)
        try:
            arm(self._engine, station, self._run_checklist, self.cancelled.is_set)
        except Exception:
            for trouble in self._take_down(station)[1]:
                self._event(Level.ALARM, "arm", trouble)
            raise
        self._event(Level.INFO, "session", f"armed: {len(self.checklist)} checks hold")

    def _ready_to_arm(self, station: LiveBench) -> None:
        """Raise `Refused` if the bench has tripped, or if its guard is dead or still tripped."""
        if station.loop.machine.state is not BenchState.CONNECTED:
            raise Refused(
                f"the bench cannot be armed while it is {station.loop.machine.state.word}",
                hint="reset or disarm it first",
            )
        if not self.guard_fallback.guard_alive:
            raise Refused(
                "the guard has ended or does not respond", hint="disconnect and connect again to start a new guard"
            )
        cause = station.guard.cause
        if cause and not self.guard_fallback.release_guard(station, self._reset_reason):
            raise Refused(
                f"the guard has tripped and cannot verify that the outputs are off: {cause}",
                hint="repair what it cannot reach, then arm again; or disconnect and connect again",
            )

    def _run_checklist(self, checks: tuple[ChecklistLine, ...], fraction: float, left_s: float | None) -> None:
        self.checklist = checks
        if self._number:
            name = next((check.name for check in checks if check.state is CheckState.WORKING), "")
            self._engine.to_client.send(RequestProgress(self._number, name, fraction, left_s))
        self._engine.publish()

    def _disarm(self) -> None:
        station = self._station
        self._engine.between_turns(lambda: station.loop.machine.to(BenchState.CONNECTED))
        self._is_taken_down(station)
        self._event(Level.INFO, "session", "disarmed")

    def _is_taken_down(self, station: LiveBench) -> None:
        """Switch everything off; raise `BenchError` if that could not be verified."""
        verified, trouble = self._take_down(station)
        if trouble:
            after = "" if verified else "; the device keeps its power and the cells stay connected"
            raise BenchError("; ".join(trouble) + after, hint="" if verified else "switching off is repeated every 3 s")

    def _take_down(self, station: LiveBench) -> tuple[bool, list[str]]:
        """Switch off, then power down; return whether the engine or the guard has read back off, and what went wrong.

        If off is not verified, the bench trips, so that the guard acts. The guard stays armed, and the device keeps
        its power and its cells: a live BMS with open wires is worse.
        """
        self._end_script()
        trouble = self.guard_fallback.make_safe(station)
        if trouble:
            self._engine.trip(f"off is not verified: {trouble[0]}")
            if not station.wait_until(lambda: self.guard_fallback.is_verified(station), VERIFY_S):
                return False, trouble
        return True, trouble + shutdown.power_down(station)

    def _start(self, duration_s: float | None = None) -> None:
        station = self._station

        def go() -> None:
            station.loop.machine.to(BenchState.RUNNING)

        self._engine.between_turns(go)
        self.running_since_s = monotonic()
        self._ends_s = None if duration_s is None else self.running_since_s + duration_s
        self._event(Level.INFO, "session", "running" if duration_s is None else f"running for {duration_s:g} s")

    def _stop(self) -> None:
        station = self._station
        if station.loop.machine.state is BenchState.RUNNING:
            self._engine.between_turns(lambda: station.loop.machine.to(BenchState.ARMED))
            self._event(Level.INFO, "session", "stopped")
        self.running_since_s = self._ends_s = None
        if self._client_is_gone:
            self._leave()

    def _reset(self, reason: str) -> None:
        station = self._station
        if not reason.strip():
            raise Refused("a trip can only be reset with a reason", hint="give the reason why this is safe")
        if self.faults is not None:
            self.faults.clear_all()
        verified, trouble = self._take_down(station)
        for sentence in trouble:
            self._event(Level.WARNING, "reset", sentence)
        if not verified:
            raise BenchError(
                f"off is not verified, the bench stays tripped: {trouble[0]}",
                hint="repair what does not answer; switching off is repeated every 3 s",
            )
        self._reset_reason = reason
        if not self.guard_fallback.release_guard(station, reason):
            lacks = "stays tripped" if self.guard_fallback.guard_alive else "has ended or does not respond"
            self._event(Level.WARNING, "reset", f"the guard {lacks}; nothing can be armed")
        self._engine.between_turns(lambda: station.loop.reset(reason))
        self.running_since_s = None
        self._event(Level.INFO, "session", f"reset: {reason}")

    def _activate(self, role: str, lane: str) -> None:
        station = self._station
        self._engine.between_turns(lambda: station.loop.activate(role, lane))

    def _inject(self, fault: str, parameters: dict[str, float | str]) -> dict[str, Any]:
        if self.faults is None:
            raise Refused("no bench is connected", hint="connect first")
        number = self.faults.inject(fault, parameters)
        self._event(Level.WARNING, INJECTED, self.faults.injected[-1].sentence)
        return {"number": number}

    def _script(self, act: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if self.case_actions is None:
            raise Refused("no bench is connected", hint="connect first")
        return self.case_actions.do(act, arguments)

    def _end_script(self) -> None:
        if self.case_actions is not None:
            self.case_actions.end()

    def _clear(self, fault_number: int) -> None:
        if self.faults is not None:
            self.faults.clear(fault_number)
            self._event(Level.INFO, INJECTED, f"fault {fault_number} cleared")

    # -- leaving

    _client_is_gone = False

    def _client_gone(self) -> None:
        """End an attended run; let an unattended one continue until its time is over."""
        if self.has_left:
            return
        self._client_is_gone = True
        unattended_run = not self._engine.attended and self.state is BenchState.RUNNING and self._ends_s is not None
        if not unattended_run:
            self._leave()

    def _leave(self) -> None:
        """Make the bench safe, seal the run and close the bench; the engine ends after this."""
        station = self._engine.bench
        self.has_left = True
        if station is None:
            return
        state = station.loop.machine.state
        self._end_script()
        if state in (BenchState.ARMED, BenchState.RUNNING):
            self._engine.between_turns(lambda: station.loop.machine.to(BenchState.CONNECTED))
        at_rest = state in (BenchState.DISCONNECTED, BenchState.CONNECTED)
        released, trouble = (True, list[str]()) if at_rest else self._take_down(station)
        for sentence in trouble:
            self._event(Level.ALARM, "leave", sentence if released else f"{sentence}; the guard keeps trying")
        if not at_rest and released:
            station.wait_until(lambda: station.output_word(BenchState.CONNECTED) is OutputState.DE_ENERGISED, FALL_S)
        output = station.output_word(BenchState.CONNECTED) if released else OutputState.UNKNOWN
        if released:
            station.supply.restore()
        self._engine.report_changes(station)
        self._event(Level.INFO, "session", f"disconnected; outputs read {output.value}")
        self._engine.end_turning()
        self._engine.to_client.keep_event = None
        if released:
            station.guard.quit()
            session_journal.end(self._journal)
        self._engine.to_client.send(Closed(released, output))
        seal = progress.SealProgress(self._send_progress, station.recorder.ticks)
        seal.report(0.0)
        station.close(seal.report)
        self._engine.bench = None
