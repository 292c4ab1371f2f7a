from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from control.state import BenchState
from drivers.event import Event, Level
from drivers.suspend import SuspendWatch
from workbench.engine.sleep_trip import SleepTrip

SAID = "the computer was asleep for 7.0 s and did not guard the bench"


@pytest.mark.parametrize(
    ("state", "live", "trips"),
    [
        (BenchState.CONNECTED, False, False),
        (BenchState.CONNECTED, True, True),
        (BenchState.ARMED, False, True),
        (BenchState.RUNNING, True, True),
    ],
)
def test_what_is_live_trips_after_a_sleep_and_what_rests_is_told(state: BenchState, *, live: bool, trips: bool) -> None:
    slept_s = [0.0]
    told: list[Event] = []
    tripped: list[str] = []
    loop = SimpleNamespace(live=live, machine=SimpleNamespace(state=state), trip=tripped.append)
    station: Any = SimpleNamespace(loop=loop)

    wake = SleepTrip(told.append, SuspendWatch(lambda: 0.0, lambda: slept_s[0]))
    wake.watch(station)
    slept_s[0] = 7.0
    wake.watch(station)
    wake.watch(station)
    assert tripped == ([SAID] if trips else [])
    assert told == ([] if trips else [Event(Level.WARNING, "session", SAID)])
