"""Markers of events on the time axis: a line at the time of each, and its text where there is room."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.event import EventKind, Level
from workbench.window.widgets.event_colours import choose_colour

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.event import EventRecord

MOST: Final = 500  # markers that are kept; the view shows two minutes at most
MARKED: Final = frozenset(
    {
        EventKind.TRIPPED,
        EventKind.RESET,
        EventKind.DEVICE_STATE,
        EventKind.DEVICE_FAULT,
        EventKind.DEVICE_CONTACTOR,
        EventKind.DEVICE_LIMIT,
    }
)
SEVERITIES: Final = (Level.INFO, Level.WARNING, Level.ALARM)


@dataclass(frozen=True, slots=True)
class Marker:
    """One event at its time; `severity` is its place in `SEVERITIES`."""

    t_s: float
    text: str
    severity: int = 0
    colour: str = "muted"  # a key of the theme


class EventMarkers:
    """The markers of one session or run, in the order of their times."""

    def __init__(self) -> None:
        self._markers: list[Marker] = []

    def add(self, records: Iterable[EventRecord]) -> bool:
        """Keep a marker for each event that has one; return whether there was any."""
        new = [
            Marker(
                record.t_s,
                f"{record.event.source}: {record.event.text}",
                SEVERITIES.index(record.event.level),
                choose_colour(record.event),
            )
            for record in records
            if record.event.kind in MARKED
        ]
        if new:
            self._markers = sorted([*self._markers, *new], key=_time)[-MOST:]
        return bool(new)

    def clear(self) -> None:
        self._markers = []

    def between(self, first_s: float, last_s: float) -> list[Marker]:
        """Return the markers from `first_s` to `last_s`."""
        first, last = (
            bisect_left(self._markers, first_s, key=_time), bisect_right(self._markers, last_s, key=_time)
        )  # fmt: skip
        return self._markers[first:last]


def _time(marker: Marker) -> float:
    return marker.t_s
