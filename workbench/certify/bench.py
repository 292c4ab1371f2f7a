"""The bench of a certification case: the few actions of the test procedure on a live session."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from drivers.channel_names import (
    BMS_FAULT,
    BMS_FAULT_CELL,
    BMS_POWER,
    CONTACTOR,
    CONTACTOR_AGE,
    SUPPLY_CURRENT,
    cell_voltage,
    thermistor,
)
from drivers.clock import monotonic
from drivers.errors import BenchError, Blocked, NotApplicable
from workbench.certify import recovery
from workbench.certify.case_session import CaseSession
from workbench.certify.observations import ContactorReaction, ReportedFault, Stimulus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from workbench.certify.case_trace import CaseTrace
    from workbench.certify.device import DeviceRules
    from workbench.certify.tick_observer import TickObserver
    from workbench.session.live_session import LiveSession

READY_S: Final = 3.0
SEND_S: Final = 0.004  # a request is sent within this time
EDGE_UNCERTAINTY_S: Final = 0.0015  # the I/O box's edge capture: its resolution and half of a query's round trip
PLACE_S: Final = 1.0  # the place of a fault follows within this time
AFTER_S: Final = 0.08  # a plot shows this much after the last event
READ_BACK_TOLERANCE: Final = 2e-3  # relative error of a read-back that counts as the set-point
OPEN, CLOSED = 0.0, 1.0


class CaseBench:
    """One armed bench for all cases, one after the other; waiting ends when `stop_file` exists."""

    def __init__(self, session: LiveSession, device: DeviceRules, stop_file: Path) -> None:
        self.device = device
        self._session = CaseSession(session, stop_file)
        self._is_auxiliary_held = self._is_heartbeat_off = False
        self.zero_s = monotonic()
        self.shown: list[str] = []
        self._crossings: dict[str, tuple[float, float]] = {}  # by channel: which limit, and when

    # -- actions of a case

    def cell(self, cell: int, volts: float, *, past: float | None = None) -> Stimulus:
        """Set one cell to `volts`, all others at rest; `past`: the limit whose crossing counts."""
        return self._stimulate({"cells_v": {cell: volts}}, cell_voltage(cell), volts, past)

    def current(self, amperes: float, *, past: float | None = None) -> Stimulus:
        """Set the pack current, discharge positive."""
        return self._stimulate({"current_a": amperes}, SUPPLY_CURRENT, amperes, past)

    def sensor(self, number: int, kelvin: float, *, past: float | None = None) -> Stimulus:
        """Set one temperature sensor to `kelvin`."""
        return self._stimulate({"sensors_k": {number: kelvin}}, thermistor(number), kelvin, past)

    def rest(self) -> None:
        """Return all cells and sensors to their values at arming, without current."""
        self._session.act("command")

    def heartbeat(self, *, on: bool) -> Stimulus:
        """Turn the tester's heartbeat on or off; off counts from the last beat sent. Raise `NotApplicable` if none."""
        if not self.device.heartbeat:
            raise NotApplicable("the device map declares no heartbeat", hint="add [heartbeat] if the device has one")
        self._is_heartbeat_off = not on
        times = self._session.act("heartbeat", on=on)
        return Stimulus(times.sent_s, times.sent_s, late_s=times.late_s)

    def power(self, *, on: bool) -> None:
        """Turn the supply of the device under test on or off."""
        self._session.act("power", on=on)

    def auxiliary(self, state: str) -> Stimulus:
        """Set the contactor's auxiliary contact: `through` to the device, or its wire held `open` or `closed`."""
        self._is_auxiliary_held = state != "through"
        times = self._session.act("auxiliary", state=state)
        return Stimulus(times.asked_s, times.done_s, late_s=times.late_s)

    def request(self, contactor: str, *, reset: bool = False) -> Stimulus:
        """Send the tester's request to the device: `open`, `close` or `none`."""
        times = self._session.act("request", contactor=contactor, reset=reset)
        return Stimulus(times.asked_s, times.asked_s + SEND_S, late_s=times.late_s)

    def hold(self, seconds: float) -> None:
        """Let time pass."""
        self.until(lambda: False, seconds)

    def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Poll session and ring until `holds()`; return False when it does not hold in time.

        Raise `Interrupted` when stopped, `BenchError` when the bench tripped or the engine ended.
        """
        return self._session.until(holds, within_s)

    # -- what a case observes

    @staticmethod
    def now_s() -> float:
        """Return the time of the monotonic clock, which all measurements here use."""
        return monotonic()

    def contactor_closed(self) -> bool:
        """Return whether the contact at the I/O box was closed when last read."""
        return self._read_newest(CONTACTOR) == CLOSED

    def is_closed_since(self, since_s: float) -> bool:
        """Return whether the contact was closed in every reading since `since_s`."""
        return not self._observer.has_ever(CONTACTOR, lambda values: values != CLOSED, since_s)

    def opening(self, stimulus: Stimulus, within_s: float) -> ContactorReaction | None:
        """Return when the contact opened after a stimulus; None when it did not open in time."""
        return self._wait_for_contact(stimulus, OPEN, within_s)

    def wait_for_fault(self, since_s: float, within_s: float) -> ReportedFault | None:
        """Wait for the first fault that the device reports over CAN; return None when it reports none in time."""
        found: list[tuple[float, float]] = []

        def is_fault_reported() -> bool:
            seen = self._observer.find_first(BMS_FAULT, lambda values: values > 0.0, since_s)
            found[:] = [seen] if seen else []
            return bool(found)

        self._show(BMS_FAULT)
        if not self.until(is_fault_reported, within_s):
            return None
        at_s, code = found[0]
        return ReportedFault(self._fault_word(code), self._wait_for_place(at_s), at_s)

    def last_reported_fault(self, since_s: float) -> ReportedFault | None:
        """Return the last fault that the device reported since `since_s`; None when it reported none."""
        self._show(BMS_FAULT)
        fault = self._observer.find_last(BMS_FAULT, lambda values: values > 0.0, since_s)
        if fault is None:
            return None
        first = self._observer.find_first(BMS_FAULT, lambda values: values == fault[1], since_s) or fault
        place = self._observer.find_last(BMS_FAULT_CELL, lambda values: values >= 0.0, since_s)
        return ReportedFault(self._fault_word(fault[1]), int(place[1]) if place else 0, first[0])

    def is_healthy(self) -> bool:
        """Return whether the device reports that it has no fault."""
        return self._read_newest(self.device.health) in self.device.healthy

    def fault(self) -> str:
        """Return the fault that the device reports now, else the name of its state; empty if it is silent."""
        code, health = self._read_newest(BMS_FAULT), self._read_newest(self.device.health)
        if code == 0.0 and not math.isnan(health):
            return self.device.states.get(int(health), f"{health:g}")
        return "" if math.isnan(code) else self._fault_word(code)

    # -- between cases

    def prepare(self) -> None:
        """Bring the bench to armed, at rest, no fault, contactors closed; raise `Blocked` with what is refused."""
        self._session.ensure_armed()
        self.shown = []
        self._crossings.clear()
        self._session.act("command")
        if self._is_auxiliary_held:
            self.auxiliary("through")
        if self._is_heartbeat_off:
            self.heartbeat(on=True)
        if self._read_newest(BMS_POWER) != 1.0:
            self.power(on=True)
        within_s = max(READY_S, self.device.healthy_s)
        if not self.until(lambda: not math.isnan(self._read_newest(self.device.health)), within_s):
            raise Blocked("the device under test is silent", hint="check its power and its CAN bus")
        recovery.clear_fault(self)
        recovery.close_contactors(self)
        self._observer.restart()
        self.zero_s = monotonic()

    def disarm(self) -> None:
        """Turn everything off; the instruments stay connected."""
        self._session.disarm()

    def arm_with_open_wire(self, cell: int) -> ReportedFault | None:
        """Arm with the wire of `cell` open; return the fault that the device reports, None when it reports none."""
        session = self._session
        session.disarm()
        self._observer.restart()
        self.zero_s = since_s = monotonic()
        number = session.inject("open wire", cell=cell)
        try:
            session.try_to_arm()
            # cells at 0 V may be a fault of their own, before the device checks its wires
            reported = self.last_reported_fault(since_s)
        finally:
            self._show(CONTACTOR)
            session.wait_until_settled()
            session.disarm()
            session.clear(number)
        return reported

    def was_ever_closed(self, since_s: float) -> bool:
        """Return whether the contact was closed in any reading since `since_s`."""
        return self._observer.has_ever(CONTACTOR, lambda values: values == CLOSED, since_s)

    def traces(self, also: Iterable[str] = ()) -> tuple[CaseTrace, ...]:
        """Return the traces for the plots: channels that the case set or read, and those of `also` that exist."""
        observer = self._session.last_observer
        if observer is None:
            return ()
        wanted = dict.fromkeys((*self.shown, *also))
        traces = (observer.make_trace(channel, self.zero_s) for channel in wanted if channel in observer.table)
        return tuple(self._with_bound(trace) for trace in traces)

    def linger(self) -> None:
        """Record for `AFTER_S` more, for the plots."""
        self.until(lambda: False, AFTER_S)

    # -- inside

    @property
    def _observer(self) -> TickObserver:
        return self._session.observer

    def _show(self, *channels: str) -> None:
        self.shown += [channel for channel in channels if channel not in self.shown]

    def _read_newest(self, channel: str) -> float:
        return self._observer.read_newest(channel)

    def _fault_word(self, code: float) -> str:
        return self.device.faults.get(int(code), f"{code:g}")

    def _wait_for_place(self, at_s: float) -> int:
        """Return the place of a fault seen at `at_s`, which may come in a separate frame; 0 where none comes."""
        seen: list[tuple[float, float]] = []

        def is_place_reported() -> bool:
            place = self._observer.find_first(BMS_FAULT_CELL, lambda values: values >= 0.0, at_s)
            seen[:] = [place] if place else []
            return bool(seen)

        return int(seen[0][1]) if self.until(is_place_reported, PLACE_S) else 0

    def _with_bound(self, trace: CaseTrace) -> CaseTrace:
        """Return the trace with the limit that was crossed, if any."""
        if trace.channel not in self._crossings:
            return trace
        bound, at_s = self._crossings[trace.channel]
        return replace(trace, bound=bound, crossed_s=at_s - self.zero_s)

    def _stimulate(self, command: dict[str, Any], channel: str, value: float, past: float | None) -> Stimulus:
        self._show(channel, CONTACTOR)
        rising = value > self._read_newest(channel)
        times = self._session.act("command", **command)
        sent_s = times.sent_s
        seen: list[float] = []
        error = READ_BACK_TOLERANCE * max(1.0, abs(value))
        mark = past if past is not None else value - error if rising else value + error

        def is_beyond() -> bool:
            first = self._observer.find_first(
                channel, lambda values: values >= mark if rising else values <= mark, sent_s
            )
            seen[:] = [first[0]] if first else []
            return bool(seen)

        if not self.until(is_beyond, READY_S):
            now = self._read_newest(channel)
            raise BenchError(f"{channel} reads {now:.4g} where {value:.4g} was set", hint="check the instrument")
        if past is not None:
            self._crossings[channel] = past, seen[0]
        return Stimulus(sent_s, seen[0], channel, times.late_s)

    def _wait_for_contact(self, stimulus: Stimulus, contact: float, within_s: float) -> ContactorReaction | None:
        self._show(CONTACTOR)
        seen: list[tuple[float, float]] = []

        def has_moved() -> bool:
            first = self._observer.find_first(CONTACTOR, lambda values: values == contact, stimulus.begin_s)
            seen[:] = [first] if first else []
            return bool(seen)

        if not self.until(has_moved, within_s):
            return None
        sampled_s = seen[0][0]
        age = self._observer.find_first(CONTACTOR_AGE, lambda values: values >= 0.0, sampled_s)
        if age is None:
            return None
        at_s = age[0] - age[1]
        middle_s, half_s = 0.5 * (stimulus.begin_s + stimulus.end_s), 0.5 * (stimulus.end_s - stimulus.begin_s)
        late_s = self._session.act("look").late_s - stimulus.late_s
        return ContactorReaction(at_s - middle_s, half_s + EDGE_UNCERTAINTY_S, at_s, late_s)
