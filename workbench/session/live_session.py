"""A session on a live bench: start an engine, send requests to it and directly to the guard, never block."""

from __future__ import annotations

import atexit
import dataclasses
import itertools
import time
from collections.abc import Iterable, Mapping, Sequence  # noqa: TC003  # as the protocol has them
from pathlib import Path
from typing import TYPE_CHECKING, Any

from control.guard_messages import BYE, OFF, encode
from control.guard_reports import Heartbeat, OffReceived, ResetAnswer, TripReport
from control.state import BenchState, OutputState
from drivers import ring_files
from drivers.clock import monotonic
from drivers.event import DETAIL, Event, EventRecord, Level
from drivers.event_limiter import EventLimiter
from workbench.session import allowed_actions, messages
from workbench.session.actions import Action, Failure, PendingAction
from workbench.session.bench_info import BenchInfo
from workbench.session.engine_link import EngineLink
from workbench.session.event_list import EventList
from workbench.session.outputs_off_requests import OutputsOffRequests, PendingOff
from workbench.session.status import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from control.guard_reports import GuardReport
    from drivers.ring import RingReader
    from workbench.session.order import EngineEntry, EngineOrder

SEALING = "The outputs are made safe and the run is sealed; an interrupted seal is repeated when the run is opened."
KNOWN_S = 2.0  # after so long without a message from the engine, the outputs are UNKNOWN
LEAVE_S = 15.0  # for the safe sequence; the guard runs it if the engine cannot verify it
SEAL_S = 900.0  # to seal a long run, once the bench is safe; then the engine ends by itself


class LiveSession:
    """One bench file, one engine process at a time; implements `workbench.session.session.Session`."""

    def __init__(
        self,
        order: EngineOrder,
        engine: EngineEntry,
        *,
        take_over: bool = False,
    ) -> None:
        """Start `engine`, which reads the bench file of `order` and waits for `connect`.

        `take_over`: each connect takes over a supply that another client controls.
        """
        self._take_over, self._order, self._entry = take_over, order, engine
        self._facts = BenchInfo(order.bench.stem, str(order.bench), "", "", attended=not order.unattended, cells=0)
        self._numbers = itertools.count(1)
        self._pending: dict[int, PendingAction] = {}
        self._events = EventList()
        self._limiter = EventLimiter(self._keep_event, monotonic)
        self._acknowledged: set[int] = set()
        self._presses = OutputsOffRequests(self._add_event)
        self.bench_error: Failure | None = None
        self.run_folder = ""  # of the newest connection, also after its end
        self.guard_reports: list[TripReport] = []
        self._open()
        atexit.register(self.close)  # before multiprocessing waits for its children: the engine ends with its client

    # -- state that a client reads

    @property
    def bench(self) -> BenchInfo:
        return self._facts

    @property
    def status(self) -> SessionStatus:
        return self._status

    @property
    def ring(self) -> RingReader | None:
        return self._ring

    @property
    def acknowledged(self) -> AbstractSet[int]:
        return self._acknowledged

    @property
    def engine_pid(self) -> int | None:
        return self._link.pid

    def events(self, since: int) -> Sequence[EventRecord]:
        return self._events.since(since)

    def acknowledge(self, numbers: Sequence[int]) -> None:
        self._acknowledged.update(numbers)

    def can(self, action: Action) -> tuple[bool, str]:
        if self.bench_error and action is Action.CONNECT:
            return False, "The bench file has an error; correct it and open it again."
        if self._left is not None and not self._ended and action is Action.CONNECT:
            return False, "The bench is being closed; connect again once its run is sealed."
        return allowed_actions.can(action, self._status.state)

    # -- actions

    def connect(self, *, take_over: bool = False) -> PendingAction:
        self._connect = self._request(Action.CONNECT, "Connect", take_over=take_over or self._take_over)
        self._connect.cancel = lambda: self._link.send(messages.Request(0, "cancel"))
        return self._connect

    def disconnect(self) -> PendingAction:
        pending = self._request(Action.DISCONNECT, "Disconnect")
        pending.why_no_cancel = SEALING
        return pending

    def arm(self) -> PendingAction:
        pending = self._request(Action.ARM, "Arm")
        pending.cancel = lambda: self._link.send(messages.Request(0, "cancel"))
        return pending

    def disarm(self) -> PendingAction:
        return self._request(Action.DISARM, "Disarm")

    def start(self, duration_s: float | None = None) -> PendingAction:
        """Start the active controller; an unattended run ends by itself after `duration_s`."""
        return self._request(Action.START, "Start", duration_s=duration_s)

    def stop(self) -> PendingAction:
        return self._request(Action.STOP, "Stop")

    def outputs_off(self) -> PendingOff:
        """Send OUTPUTS OFF to the guard and the engine at once, always; done at once if nothing was connected."""
        pending, number, now_s = PendingOff(), next(self._numbers), monotonic()
        if not self._guarded:
            pending.done = True
            if self._status.output is OutputState.UNKNOWN:
                sentence = "Not connected: no output can be reached from here."
                pending.error = Failure(sentence, "Use the hard-wired emergency stop, or switch off at the instrument.")
            return pending
        self._link.send_to_guard(encode(OFF, number))
        self._link.send(messages.Request(number, Action.OUTPUTS_OFF.value))
        self._presses.add(number, now_s, pending)
        return pending

    def reset(self, reason: str) -> PendingAction:
        return self._request(Action.RESET, "Reset", reason=reason)

    def activate(self, role: str, lane: str) -> PendingAction:
        return self._request(Action.ACTIVATE, f"Activate {lane}", role=role, lane=lane)

    def inject(self, fault: str, parameters: Mapping[str, float | str]) -> PendingAction:
        return self._request(Action.INJECT, f"Inject {fault}", fault=fault, parameters=dict(parameters))

    def clear(self, number: int) -> PendingAction:
        return self._request(Action.CLEAR, "Clear fault", fault_number=number)

    def script(self, verb: str, **arguments: Any) -> PendingAction:
        """Run one action of a certification case on the armed bench; see `workbench.engine.case_actions`."""
        return self._request(Action.SCRIPT, f"Case: {verb}", act=verb, arguments=arguments)

    def poll(self) -> None:
        for message in self._link.receive():
            self._take(message)
        if self._link.exit_code is not None and not self._ended:
            self._engine_ended()
        self._expire_outputs(monotonic())
        for report in self._link.receive_guard_reports():  # after the engine's end, since a report may be about it
            self._take_guard(report)
        self._presses.watch(monotonic(), alone=self._ended, connecting=not self._connect.done)
        self._limiter.report()
        if self._guarded:
            self._link.send_heartbeat(monotonic())

    def close(self) -> None:
        """Leave in order: make the bench safe, seal the run, end everything that was started."""
        atexit.unregister(self.close)
        self._link.send(messages.Request(0, "leave"))
        began_s = monotonic()
        while self._link.exit_code is None and monotonic() - began_s < (SEAL_S if self._left else LEAVE_S):
            self.poll()
            time.sleep(0.01)
        if self._link.exit_code is None:
            self._link.kill()
        self._close_link()

    # -- inside

    def _open(self) -> None:
        self._link = EngineLink(self._order, self._entry)
        self.guard_pid: int | None = None
        self.guard_ports: frozenset[int] = frozenset()
        self._guarded = False  # from Connect until all is verified off: a guard reads the pipe
        self._ended = False
        self._left: messages.Closed | None = None
        self._connect = PendingAction("Connect", done=True, action=Action.CONNECT)
        self._ring: RingReader | None = None
        self._ring_path = Path()
        self._status, self._news_s = SessionStatus(), monotonic()
        self._trip_report: TripReport | None = None  # the guard's newest, until its trip is reset

    def _request(self, action: Action, title: str, **arguments: Any) -> PendingAction:
        pending = PendingAction(title, action=action)
        allowed, why_not = self.can(action)
        if not allowed:
            pending.done, pending.error = True, self.bench_error or Failure(why_not)
            return pending
        if action is Action.CONNECT and self._ended:
            self._reopen()
        self._guarded = self._guarded or action is Action.CONNECT
        number = next(self._numbers)
        self._pending[number] = pending
        self._link.send(messages.Request(number, action.value, arguments))
        if allowed_actions.can_withdraw(action):
            pending.withdraw = lambda: self._withdraw(number)
        return pending

    def _withdraw(self, number: int) -> None:
        self._pending.pop(number, None)
        self._link.send(messages.Request(number, "withdraw"))

    def _reopen(self) -> None:
        self._close_link()
        self._open()

    def _close_link(self) -> None:
        self._link.close()
        if self._ring is not None:
            self._ring.close()
            if self._link.exit_code:  # a killed engine removes nothing; a guard keeps its mapping
                ring_files.remove(self._ring_path)
            self._ring = None

    def _take(self, message: object) -> None:  # noqa: C901, PLR0912  # one branch a message
        match message:
            case messages.StatusUpdate(status):
                if self._left is not None:  # the engine has closed the bench and reads nothing back any more
                    status = dataclasses.replace(status, output=self._left.output)
                self._status, self._news_s = status, monotonic()
                self.run_folder = status.run_folder or self.run_folder
            case EventRecord():
                self._events.add(message)
            case messages.RequestProgress(number, sentence, fraction, left_s):
                if pending := self._pending.get(number):
                    pending.sentence, pending.fraction, pending.left_s = sentence, fraction, left_s
            case messages.Response(number, error, payload):
                self._presses.verify("engine", number, error)
                if pending := self._pending.pop(number, None):
                    pending.payload, pending.error, pending.done = payload, error, True
            case messages.OutputsOffReceived(number, at_s):
                self._presses.receive("engine", number, at_s)
            case messages.Closed():
                self._left = message
                self._presses.settle(message.output)
                if message.is_released:  # otherwise the guard continues and its reports still count
                    self._guarded = False
                    self._link.send_to_guard(BYE)
            case messages.BenchDeclared(bench):
                self._facts = bench
                self._status = dataclasses.replace(self._status)  # a new object: the client looks again
            case messages.BenchUnreadable(failure):
                self.bench_error = failure
                self._status = dataclasses.replace(self._status)
                self._alarm("bench file", failure.sentence, failure.hint)
                self._fail_pending(failure)
            case messages.RingOpened(path):
                from drivers.ring import RingReader  # noqa: PLC0415  # numpy waits until there is something to show

                self._ring, self._ring_path = RingReader.open(path), path
            case _:
                pass

    def _take_guard(self, report: GuardReport) -> None:
        match report:
            case Heartbeat():
                self.guard_ports = join_ports(self.guard_ports if report.pid == self.guard_pid else (), report.ports)
                self.guard_pid = report.pid
            case OffReceived(number, at_s):
                self._presses.receive("guard", number, at_s)
            case TripReport():
                self.guard_reports.append(report)
                self._trip_report = report
                self._presses.take_report(report)
                if self._ended:
                    self._guard_alone(report)
            case ResetAnswer() if report.is_granted:
                self._trip_report = None
            case _:
                pass

    def _guard_alone(self, report: TripReport) -> None:
        """Take the output state from the guard's report, since the engine has ended; raise an alarm event."""
        output = OutputState.CURRENT_OFF if report.is_safe else OutputState.UNKNOWN
        self._status = dataclasses.replace(self._status, output=output)
        words = (
            f"verified off after {report.took_ms:.0f} ms"
            if report.is_safe
            else "off is NOT verified; use the hard-wired emergency stop"
        )
        self._alarm("guard", f"{report.reason}; {words}", report.steps_text)

    def _expire_outputs(self, now_s: float) -> None:
        """Set the outputs to UNKNOWN while the engine hangs and sends no status."""
        connected = self._status.state is not BenchState.DISCONNECTED and not self._ended
        if connected and now_s - self._news_s > KNOWN_S and self._status.output is not OutputState.UNKNOWN:
            self._status = dataclasses.replace(self._status, output=OutputState.UNKNOWN)

    def _engine_ended(self) -> None:
        self._ended = True
        code = self._link.exit_code
        live = self._status.state not in (BenchState.DISCONNECTED, BenchState.CONNECTED)
        left = self._left
        if code:
            words = f"The engine ended unexpectedly (exit {code})"
            rest = "; the guard runs the safe sequence. Connect again to continue." if live else ". Connect again."
            self._alarm("engine", words + rest)
        output = OutputState.UNKNOWN if left is None else left.output  # the last read-back, never the expected state
        self._status = dataclasses.replace(self._status, state=BenchState.DISCONNECTED, output=output)
        self._fail_pending(Failure("The engine ended.", "Connect again."), clean=not code)
        if self._trip_report is not None and (left is None or not left.is_released):
            self._guard_alone(self._trip_report)

    def _fail_pending(self, failure: Failure, *, clean: bool = False) -> None:
        for pending in self._pending.values():
            pending.done, pending.error = True, None if clean else failure
        self._pending.clear()

    def _add_event(self, event: Event) -> None:
        self._limiter.add(event)

    def _keep_event(self, event: Event) -> None:
        self._events.add(EventRecord(0, monotonic(), time.time(), event))  # noqa: TID251  # a date

    def _alarm(self, source: str, text: str, detail: str = "") -> None:
        self._add_event(Event(Level.ALARM, source, text, {DETAIL: detail} if detail else {}))


def join_ports(known: Iterable[int], reported: Iterable[int]) -> frozenset[int]:
    """Return every port by which a guard has connected: a journal names also one that is closed by now (0)."""
    return frozenset(port for port in (*known, *reported) if port)
