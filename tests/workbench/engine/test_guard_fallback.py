"""The engine's fallback: a guard killed, hung or never there, in each state, ends with everything read back off."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from control.guard_reports import GuardResult, ResetAnswer, TripReport
from control.state import BenchState, OutputState
from drivers.errors import BenchError
from tests.control.fakes import Rig, rig
from tests.control.guardbench import soon
from workbench.engine.guard_fallback import AGAIN_S, CONFIRM_S, GuardFallback

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.event import Event
    from workbench.engine.live_bench import LiveBench

LIVE = (BenchState.ARMED, BenchState.RUNNING)
UP_TO = {
    BenchState.DISCONNECTED: (),
    BenchState.CONNECTED: (BenchState.CONNECTED,),
    BenchState.ARMED: (BenchState.CONNECTED, BenchState.ARMED),
    BenchState.RUNNING: (BenchState.CONNECTED, BenchState.ARMED, BenchState.RUNNING),
}


@dataclass
class FakeGuard:
    """The engine's end of a guard that beats, has ended, has stopped, or never came."""

    beats: bool = True
    reports: list[TripReport] = field(default_factory=list[TripReport])
    releases: bool = True
    asked: int = 0

    def alive(self) -> bool:
        return self.beats

    def reset(self, reason: str) -> int:
        self.asked += 1
        return self.asked

    def answer(self, number: int) -> ResetAnswer:
        return ResetAnswer(number, "" if self.releases else "asked for")

    def report(self, trip: int, *, safe: bool) -> None:
        result = GuardResult.SAFE if safe else GuardResult.UNKNOWN
        self.reports.append(TripReport(trip, (), "asked for", result, (), 0.0, 0.01, 0.02, ()))


@dataclass
class FakeStation:
    """What the fallback touches: a supply that obeys or does not, a contactor that follows the request."""

    rig: Rig
    guard: FakeGuard
    on: bool = True
    closed: bool = True
    obeys: bool = True
    breaks: bool = False
    offs: int = 0
    opens_s: float = 2.0

    def __post_init__(self) -> None:
        self.loop = self.rig.loop
        self.supply = self.dut = self

    def set_current(self, current_a: float) -> None:
        assert current_a == 0.0

    def output(self, *, on: bool) -> None:
        self.offs += 1
        if self.breaks:
            raise RuntimeError("a vendor's library gave up")
        if not self.obeys:
            raise BenchError("does not switch its output off", where="supply")
        self.on = on

    def request(self, contactor: str) -> None:
        assert contactor == "open"
        self.closed = False

    def read(self, channel: str, since_s: float = 0.0) -> float:
        assert channel == "io/contactor"
        return float(self.closed)

    def output_word(self) -> OutputState:
        return OutputState.ENERGISED if self.on else OutputState.TRIPPED

    @staticmethod
    def wait_until(holds: Callable[[], bool], within_s: float) -> bool:
        assert within_s > 0.0
        return holds()

    @property
    def is_off(self) -> bool:
        return not self.on and not self.closed


@dataclass
class Bench:
    """A loop on a stepped clock with the fallback behind each turn."""

    station: FakeStation
    standby: GuardFallback
    told: list[Event]

    def turns(self, seconds: float) -> None:
        """Turn now and at the end of `seconds`."""
        for step_s in (0.0, seconds - 0.01):
            self.station.rig.clock.advance(step_s)
            self.standby.check(cast("LiveBench", self.station), self.station.rig.turns(1))

    def trip(self, reason: str) -> None:
        self.station.loop.trip(reason)

    @property
    def state(self) -> BenchState:
        return self.station.loop.machine.state

    @property
    def is_verified(self) -> bool:
        return self.standby.is_verified(cast("LiveBench", self.station))

    def make_safe(self) -> list[str]:
        return self.standby.make_safe(cast("LiveBench", self.station))


def bench(state: BenchState, guard: FakeGuard | None = None) -> Bench:
    told: list[Event] = []
    made = Bench(FakeStation(rig(), guard or FakeGuard()), GuardFallback(told.append), told)
    made.station.rig.to(*UP_TO[state])
    made.turns(0.05)
    return made


@pytest.mark.parametrize("state", LIVE)
def test_a_guard_that_goes_silent_trips_a_live_bench_and_the_engine_switches_off(state: BenchState) -> None:
    made = bench(state)
    made.station.guard.beats = False
    made.turns(0.01)
    assert (made.state, made.station.loop.machine.reason) == (BenchState.TRIPPED, "the guard is silent")
    made.turns(0.01)
    assert soon(lambda: made.is_verified)
    assert made.station.is_off


@pytest.mark.parametrize("state", list(UP_TO))
def test_without_a_guard_a_trip_in_any_state_ends_with_everything_read_back_off(state: BenchState) -> None:
    made = bench(BenchState.CONNECTED if state in LIVE else state, FakeGuard(beats=False))
    if state in LIVE:  # a guard that was never there: arming refuses it, this does not rely on that
        made.station.rig.to(*UP_TO[state][1:])
    made.trip("OUTPUTS OFF was pressed")
    made.turns(0.02)
    assert soon(lambda: made.is_verified)
    assert made.station.is_off
    assert made.state is BenchState.TRIPPED


@pytest.mark.parametrize("state", list(UP_TO))
def test_a_guard_that_beats_but_confirms_nothing_is_waited_for_no_longer_than_declared(state: BenchState) -> None:
    made = bench(state)
    made.trip("io/estop is open")
    made.turns(CONFIRM_S - 0.02)
    assert made.station.offs == 0
    made.turns(0.05)
    assert soon(lambda: made.is_verified)
    assert made.station.is_off


@pytest.mark.parametrize("state", list(UP_TO))
def test_what_was_verified_before_a_trip_says_nothing_of_the_trip(state: BenchState) -> None:
    made = bench(state)
    assert made.make_safe() == []  # as OUTPUTS OFF did it while the bench was being connected
    assert not made.is_verified
    made.station.on = made.station.closed = True
    made.station.guard.beats = False
    made.trip("the guard is silent")
    made.turns(0.02)
    assert soon(lambda: made.is_verified)
    assert made.station.is_off


def test_what_was_verified_of_one_trip_says_nothing_of_the_next() -> None:
    made = bench(BenchState.RUNNING)
    made.station.on = made.station.closed = False
    made.station.guard.report(1, safe=True)
    made.turns(0.5)
    assert made.is_verified
    made.station.loop.reset("mended")
    assert not made.is_verified
    made.station.rig.to(BenchState.ARMED)
    made.station.on = made.station.closed = True
    made.station.guard.beats = False
    made.turns(0.02)
    assert soon(lambda: made.is_verified)
    assert made.station.is_off


def test_a_report_on_a_trip_that_was_reset_meanwhile_trips_nothing() -> None:
    made = bench(BenchState.RUNNING)
    made.station.guard.report(1, safe=False)
    made.turns(0.5)
    assert made.state is BenchState.TRIPPED
    assert soon(lambda: made.is_verified)
    assert made.standby.release_guard(cast("LiveBench", made.station), "read back off by the engine")
    made.station.loop.reset("read back off by the engine")
    made.station.guard.report(1, safe=True)
    made.turns(0.02)
    assert made.state is BenchState.CONNECTED
    made.station.guard.report(2, safe=True)
    made.turns(0.02)
    assert made.state is BenchState.TRIPPED


def test_off_that_fails_is_tried_again_every_three_seconds_until_it_is_verified() -> None:
    made = bench(BenchState.RUNNING)
    made.station.obeys = False
    made.station.guard.beats = False
    made.turns(0.02)
    for tries in (1, 2, 3):
        assert soon(lambda tries=tries: made.station.offs == tries)
        made.turns(AGAIN_S - 0.5)
        assert made.station.offs == tries
        assert not made.is_verified
        made.turns(0.6)
    assert any("does not switch its output off" in event.text for event in made.told)
    made.station.obeys = True
    made.turns(AGAIN_S + 0.1)
    assert soon(lambda: made.is_verified)


def test_a_supply_that_is_switched_on_again_while_the_bench_is_tripped_is_switched_off_again() -> None:
    made = bench(BenchState.RUNNING)
    made.station.guard.beats = False
    made.turns(0.02)
    assert soon(lambda: made.is_verified)
    made.turns(CONFIRM_S)
    made.station.on = True
    made.turns(0.05)
    assert not made.is_verified
    made.turns(AGAIN_S)
    assert soon(lambda: made.station.is_off and made.is_verified)


def test_what_a_guard_read_back_before_it_died_is_not_enough_once_the_engine_cannot_read_it_back() -> None:
    made = bench(BenchState.RUNNING)
    made.station.guard.report(1, safe=True)
    made.turns(0.01)
    assert made.is_verified
    made.station.guard.beats = False
    made.turns(0.01)
    made.station.obeys = False
    assert made.make_safe()
    assert not made.is_verified


def test_a_dead_guard_is_not_waited_for_at_a_reset() -> None:
    made = bench(BenchState.RUNNING, FakeGuard(beats=False, releases=False))
    began_s = time.monotonic()
    assert not made.standby.release_guard(cast("LiveBench", made.station), "no guard")
    assert time.monotonic() - began_s < 0.5
    assert made.station.guard.asked == 0


def test_a_connection_that_fails_in_any_way_does_not_keep_the_other_from_being_asked() -> None:
    made = bench(BenchState.RUNNING)
    made.station.breaks = True
    assert made.make_safe() == ["a vendor's library gave up"]
    assert not made.station.closed
