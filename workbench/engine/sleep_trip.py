"""The trip of a session after the computer has slept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control.state import BenchState
from drivers.event import Event, Level
from drivers.suspend import SuspendWatch, sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.engine.live_bench import LiveBench


class SleepTrip:
    """Trips a live bench after sleep: nothing controlled or guarded it meanwhile. `watch` runs after each turn."""

    def __init__(self, tell: Callable[[Event], object], suspend: SuspendWatch | None = None) -> None:
        self._tell = tell
        self._suspend = suspend or SuspendWatch()

    def watch(self, station: LiveBench) -> None:
        """Trip or warn if the computer has slept; this is cheap while it is awake."""
        slept_s = self._suspend.slept_s()
        if not slept_s:
            return
        if station.loop.live or station.loop.machine.state in (BenchState.ARMED, BenchState.RUNNING):
            station.loop.trip(sentence(slept_s))
        else:
            self._tell(Event(Level.WARNING, "session", sentence(slept_s)))
