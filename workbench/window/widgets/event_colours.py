"""The colour of an event. Red is for trips and OUTPUTS OFF alone; another alarm has the colour of a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.event import EventKind, Level

if TYPE_CHECKING:
    from drivers.event import Event

_COLOURS: Final = {Level.INFO: "muted", Level.WARNING: "amber", Level.ALARM: "fail"}
_RED_KINDS: Final = frozenset({EventKind.TRIPPED, EventKind.OFF_NOT_ACKNOWLEDGED})
_RED_SOURCES: Final = frozenset({"guard", "safe sequence", "outputs off"})  # how a trip, or OUTPUTS OFF, ended


def choose_colour(event: Event) -> str:
    """Return a key of the theme."""
    is_red = event.kind in _RED_KINDS or event.source in _RED_SOURCES
    return "alarm" if event.level is Level.ALARM and is_red else _COLOURS[event.level]
