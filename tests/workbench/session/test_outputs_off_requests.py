"""OUTPUTS OFF as its presser sees it: received by number within 200 ms or named, verified by one of the two or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from control.guard_reports import GuardResult, TripReport
from control.state import OutputState
from drivers.event import EventKind, Level
from workbench.session.outputs_off_requests import ENGINE, GUARD, NOT_VERIFIED, OutputsOffRequests, PendingOff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.event import Event


class Pressed:
    """One press at 10 s, and what is told of it."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.pending = PendingOff()
        self.presses = OutputsOffRequests(self.told.append)
        self.presses.add(7, 10.0, self.pending)

    def watch(self, now_s: float, *, alone: bool = False, connecting: bool = False) -> None:
        self.presses.watch(now_s, alone=alone, connecting=connecting)

    def report(self, offs: Sequence[int], result: GuardResult) -> None:
        self.presses.take_report(
            TripReport(1, tuple(offs), "OUTPUTS OFF was pressed", result, (), 10.0, 10.1, 10.2, ())
        )


def test_a_press_that_both_received_in_time_says_how_soon_and_tells_nothing() -> None:
    pressed = Pressed()
    pressed.presses.receive("guard", 7, 10.004)
    pressed.presses.receive("engine", 7, 10.011)
    pressed.watch(10.3)
    assert pressed.pending.sentence == "received by the guard after 4 ms and the engine after 11 ms"
    assert pressed.pending.received_s == {GUARD: 10.004, ENGINE: 10.011}
    assert pressed.told == []


def test_who_has_not_received_it_within_200_ms_is_named_once() -> None:
    pressed = Pressed()
    pressed.presses.receive("engine", 7, 10.011)
    pressed.watch(10.199)
    assert pressed.told == []
    pressed.watch(10.21)
    pressed.watch(10.5)
    (event,) = pressed.told
    assert (event.level, event.kind) == (Level.WARNING, EventKind.OFF_NOT_ACKNOWLEDGED)
    assert (GUARD in event.data, ENGINE in event.data) == (True, False)
    assert event.text == "OUTPUTS OFF is not acknowledged by the guard within 200 ms"


def test_a_receipt_that_was_read_late_but_given_in_time_counts() -> None:
    pressed = Pressed()
    pressed.presses.receive("guard", 7, 10.05)
    pressed.presses.receive("engine", 7, 10.05)
    pressed.watch(12.0)
    assert pressed.told == []


def test_a_press_that_nobody_received_is_an_alarm_and_in_the_end_not_verified() -> None:
    pressed = Pressed()
    pressed.watch(10.21)
    (event,) = pressed.told
    assert (event.level, GUARD in event.data, ENGINE in event.data) == (Level.ALARM, True, True)
    pressed.watch(29.9)
    assert not pressed.pending.done
    pressed.watch(30.1)
    assert (pressed.pending.done, pressed.pending.error) == (True, NOT_VERIFIED)


def test_one_that_has_verified_off_is_enough_whatever_the_other_says() -> None:
    for first, second in (("guard", "engine"), ("engine", "guard")):
        pressed = Pressed()
        pressed.presses.verify(first, 7, NOT_VERIFIED)
        pressed.watch(10.1)
        assert not pressed.pending.done
        pressed.presses.verify(second, 7, None)
        pressed.watch(10.2)
        assert (pressed.pending.done, pressed.pending.error) == (True, None)


def test_both_that_could_not_verify_it_make_it_not_verified_at_once() -> None:
    pressed = Pressed()
    pressed.report([7], GuardResult.UNKNOWN)
    pressed.presses.verify("engine", 7, NOT_VERIFIED)
    pressed.watch(10.1)
    assert (pressed.pending.done, pressed.pending.error) == (True, NOT_VERIFIED)


def test_a_report_that_answers_another_press_verifies_nothing() -> None:
    pressed = Pressed()
    pressed.report([6], GuardResult.SAFE)
    pressed.watch(10.1)
    assert not pressed.pending.done
    pressed.report([6, 7], GuardResult.SAFE)
    pressed.watch(10.2)
    assert pressed.pending.done


def test_while_the_bench_is_being_connected_a_press_waits_for_it() -> None:
    pressed = Pressed()
    pressed.watch(25.0, connecting=True)
    assert not pressed.pending.done
    pressed.watch(44.9)
    assert not pressed.pending.done
    pressed.watch(45.1)
    assert pressed.pending.error == NOT_VERIFIED


def test_once_the_engine_has_ended_the_guard_alone_is_asked() -> None:
    pressed = Pressed()
    pressed.presses.receive("guard", 7, 10.004)
    pressed.report([7], GuardResult.UNKNOWN)
    pressed.watch(10.3, alone=True)
    assert (pressed.pending.error, pressed.told) == (NOT_VERIFIED, [])


def test_a_press_amid_a_disconnect_that_verified_everything_off_is_done() -> None:
    pressed = Pressed()
    pressed.presses.verify("engine", 7, NOT_VERIFIED)  # its connections were closed already
    pressed.presses.settle(OutputState.DE_ENERGISED)
    pressed.watch(10.3)
    assert (pressed.pending.done, pressed.pending.error) == (True, None)


@pytest.mark.parametrize("output", [output for output in OutputState if output is not OutputState.DE_ENERGISED])
def test_a_press_amid_a_disconnect_that_read_nothing_back_off_stays_open(output: OutputState) -> None:
    pressed = Pressed()
    pressed.presses.settle(output)
    pressed.watch(10.3)
    assert not pressed.pending.done
    pressed.watch(30.1)
    assert (pressed.pending.done, pressed.pending.error) == (True, NOT_VERIFIED)
