"""Fallback of the guard: takes its reports, trips when it is silent, runs the safe sequence when it has not.

A verification is valid for one trip: it counts for the trip number at which the sequence started.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Final

from control.guard_reports import ResetAnswer, TripReport
from control.state import BenchState, OutputState
from drivers.clock import monotonic
from drivers.event import DETAIL, Event, Level
from workbench.engine import shutdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.guard_reports import KeptReport
    from control.tick import Tick
    from workbench.engine.live_bench import LiveBench

CONFIRM_S: Final = 0.3  # how long the guard may take to confirm a trip before the engine acts itself
AGAIN_S: Final = 3.0  # longer than one safe sequence of the engine takes to fail
ANSWER_S: Final = 0.5
ASK_AGAIN_S: Final = 0.1
RESET_S: Final = 4.0  # the guard verifies off before it resets, and repeats the report once a second


class GuardFallback:
    """Acts where the guard does not. `check` runs on the loop's thread after each turn; `tell` records an event."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self.guard_alive = False
        self._tell = tell
        self._verified_trip = 0  # the newest trip for which off was read back,
        self._verified_s = math.nan  # and when that was
        self._seen_trip = 0
        self._guard_trip = self._guard_reset = 0  # numbers of the guard's own trips: the newest, the newest reset here
        self._tripped_s, self._acted_s = math.nan, -math.inf
        self._acting = False

    def check(self, station: LiveBench, tick: Tick) -> None:
        """Take the guard's reports; trip when it is silent while something is live; act when it confirms too late."""
        self.take_reports(station)
        machine, now_s = station.loop.machine, tick.snapshot.t_s
        if not self.guard_alive and (station.loop.live or machine.state in (BenchState.ARMED, BenchState.RUNNING)):
            station.loop.trip("the guard is silent")
        if machine.state is not BenchState.TRIPPED:
            return
        if machine.trips != self._seen_trip:
            self._seen_trip, self._tripped_s, self._acted_s = machine.trips, now_s, -math.inf
        settled = now_s - self._verified_s > CONFIRM_S  # what is read now was sampled later
        if settled and self.is_verified(station) and station.output_word() is OutputState.ENERGISED:
            self._verified_trip = 0  # somebody switched on again: off is required until reset
        waited = not self.guard_alive or now_s - self._tripped_s > CONFIRM_S
        if waited and not self.is_verified(station):
            self._start_sequence(station, now_s)

    def take_reports(self, station: LiveBench) -> None:
        """Take the reports of the guard; call it on the loop's thread, or before the loop turns."""
        self.guard_alive = station.guard.alive()
        for report in station.guard.reports:
            self._take_report(report, station)
        station.guard.reports.clear()

    def is_verified(self, station: LiveBench) -> bool:
        """Return whether the guard or the engine has read back off since the present trip."""
        machine = station.loop.machine
        return machine.state is BenchState.TRIPPED and machine.trips == self._verified_trip

    def make_safe(self, station: LiveBench) -> list[str]:
        """Run the engine's own safe sequence, whatever the guard does; return a sentence for each step not verified."""
        trip = station.loop.machine.trips
        trouble = shutdown.make_safe(station)
        if not trouble and station.loop.machine.state is BenchState.TRIPPED:
            self._mark_verified(station, trip)
        elif trouble and not self.guard_alive:
            self._verified_trip = 0  # what a guard read back before it died does not prove the present state
        for sentence in trouble:
            self._tell(Event(Level.ALARM, "safe sequence", sentence))
        return trouble

    def release_guard(self, station: LiveBench, reason: str) -> bool:
        """Request a reset of the guard; return False if it does not reset, or is dead.

        The guard resets once it has verified off itself. Until then nothing can be armed.
        """
        self._guard_reset = self._guard_trip
        until_s = monotonic() + RESET_S
        while self.guard_alive and monotonic() < until_s:
            if self._is_granted(station, reason):
                return True
            station.wait_until(lambda: not self.guard_alive, ASK_AGAIN_S)
        return False

    def _is_granted(self, station: LiveBench, reason: str) -> bool:
        """Request one reset; return False if the guard stays latched or does not answer in time."""
        number = station.guard.reset(reason)
        station.wait_until(lambda: station.guard.answer(number) is not None, ANSWER_S)
        answer = station.guard.answer(number)
        return isinstance(answer, ResetAnswer) and answer.is_granted

    def _take_report(self, report: KeptReport, station: LiveBench) -> None:
        if not isinstance(report, TripReport) or 0 < report.trip <= self._guard_reset:
            return
        self._guard_trip = report.trip
        station.loop.trip(f"guard: {report.reason}")
        self._mark_verified(station, station.loop.machine.trips if report.is_safe else 0)
        words = f"verified off after {report.took_ms:.0f} ms" if report.is_safe else "off is NOT verified"
        self._tell(Event(Level.ALARM, "guard", f"{report.reason}; {words}", {DETAIL: report.steps_text}))

    def _mark_verified(self, station: LiveBench, trip: int) -> None:
        self._verified_trip, self._verified_s = trip, station.loop.parts.clock.now()

    def _start_sequence(self, station: LiveBench, now_s: float) -> None:
        """Run the safe sequence outside the loop's thread; repeat it until it or the guard's sequence is verified."""
        if self._acting or now_s - self._acted_s <= AGAIN_S:
            return
        self._acted_s, self._acting = now_s, True
        threading.Thread(target=self._make_safe, args=(station,), name="safe sequence", daemon=True).start()

    def _make_safe(self, station: LiveBench) -> None:
        try:
            self.make_safe(station)
        finally:
            self._acting = False
