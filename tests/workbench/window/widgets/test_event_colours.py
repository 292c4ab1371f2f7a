"""Red is for trips and OUTPUTS OFF; a fault of the device under test is no trip."""

from __future__ import annotations

import pytest

from drivers.event import Event, EventKind, Level
from workbench.window.widgets.event_colours import choose_colour


@pytest.mark.parametrize(
    ("level", "source", "kind", "colour"),
    [
        (Level.ALARM, "loop", EventKind.TRIPPED, "alarm"),
        (Level.ALARM, "outputs off", EventKind.OFF_NOT_ACKNOWLEDGED, "alarm"),
        (Level.ALARM, "guard", "", "alarm"),
        (Level.ALARM, "safe sequence", "", "alarm"),
        (Level.ALARM, "BMS", EventKind.DEVICE_FAULT, "fail"),
        (Level.ALARM, "record", "", "fail"),
        (Level.WARNING, "outputs off", EventKind.OFF_NOT_ACKNOWLEDGED, "amber"),
        (Level.INFO, "loop", EventKind.RESET, "muted"),
    ],
)
def test_red_is_for_trips_alone(level: Level, source: str, kind: str, colour: str) -> None:
    assert choose_colour(Event(level, source, "", {"kind": kind})) == colour
