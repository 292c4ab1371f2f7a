"""Floods of events: the first ones pass, the rest is counted, and nothing that a program must see is held back."""

from __future__ import annotations

import pytest

from drivers.event import KIND, Event, EventKind, Level
from drivers.event_limiter import BURST, REPEATS, WINDOW_S, EventLimiter


class Kept:
    """What passes, over a clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.events: list[Event] = []
        self.limiter = EventLimiter(self.events.append, lambda: self.now_s)

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        self.limiter.report()


@pytest.fixture
def kept() -> Kept:
    return Kept()


def late(by_ms: float, source: str = "supply") -> Event:
    return Event(Level.WARNING, source, f"late by {by_ms:g} ms")


def test_a_source_that_is_late_every_second_turn_for_a_minute_makes_a_dozen_events(kept: Kept) -> None:
    for turn in range(3000):
        kept.limiter.add(late(20.0 + turn / 7))
        kept.pass_time(0.02)
    assert len(kept.events) <= BURST + 60 / WINDOW_S
    told = sum(int(event.data.get(REPEATS, 1)) for event in kept.events)
    kept.limiter.report(at_end=True)
    told = sum(int(event.data.get(REPEATS, 1)) for event in kept.events)
    assert told == 3000


def test_different_events_do_not_share_a_count(kept: Kept) -> None:
    for cell in range(1, 25):
        kept.limiter.add(Event(Level.WARNING, "loop", f"cell_{cell:02d}/voltage is 12 ms old"))
    assert len(kept.events) == 24


def test_after_a_quiet_window_the_first_ones_pass_again(kept: Kept) -> None:
    for _ in range(2):
        for _ in range(BURST):
            kept.limiter.add(late(20.0))
        kept.pass_time(WINDOW_S)
    assert [event.data for event in kept.events] == [{}] * 2 * BURST


@pytest.mark.parametrize("kind", [EventKind.TRIPPED, EventKind.RESET, EventKind.OFF_NOT_ACKNOWLEDGED])
def test_no_trip_reset_or_unacknowledged_off_is_held_back(kept: Kept, kind: EventKind) -> None:
    for _ in range(100):
        kept.limiter.add(Event(Level.ALARM, "loop", "tripped", {KIND: kind}))
    assert len(kept.events) == 100


def test_groups_that_are_over_are_forgotten(kept: Kept) -> None:
    for number in range(1000):
        kept.limiter.add(Event(Level.INFO, "loop", f"word{number}x"))
    kept.pass_time(WINDOW_S)
    kept.pass_time(WINDOW_S)
    assert kept.limiter.groups == 0
