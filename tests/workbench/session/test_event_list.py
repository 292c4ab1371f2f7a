"""Events that a client keeps: bounded, numbered without gaps."""

from __future__ import annotations

from drivers.event import Event, EventRecord, Level
from workbench.session.event_list import EventList


def record(text: str) -> EventRecord:
    return EventRecord(0, 0.0, 0.0, Event(Level.INFO, "test", text))


def test_the_newest_records_are_kept_under_their_numbers() -> None:
    events = EventList(most=3)
    for number in range(5):
        events.add(record(str(number)))
    assert [(kept.number, kept.event.text) for kept in events.since(0)] == [(2, "2"), (3, "3"), (4, "4")]
    assert [kept.number for kept in events.since(4)] == [4]
    assert events.since(5) == []
    assert len(events) == 5
