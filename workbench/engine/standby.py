"""Stands behind the guard: hears it, trips without it, and runs the safe sequence when it has not."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from control.state import BenchState
from drivers.errors import BenchError
from workbench.engine import power
from workbench.window.model import Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.tick import Tick
    from workbench.engine.station import Station

CONFIRM_S: Final = 0.3  # how long the guard may take to confirm a trip before the engine acts itself
AGAIN_S: Final = 3.0  # longer than one safe sequence of the engine takes to fail
ANSWER_S: Final = 0.5
RESET_S: Final = 4.0  # the guard verifies off before it lets go, and says so again once a second


class Standby:
    """`watch` runs on the loop's thread after each turn; `tell(level, where, sentence, detail)` keeps an event."""

    def __init__(self, tell: Callable[[Level, str, str, str], None]) -> None:
        self.guard_alive = False
        self._tell = tell
        self._tripped_s = math.nan
        self._acted_s = -math.inf
        self._made_safe = False
        self._answer = ""

    def watch(self, station: Station, tick: Tick) -> None:
        """Hear the guard; trip when it is silent while something is live; act where it has not confirmed in time."""
        self.guard_alive = station.guard.alive()
        for news in station.guard.news:
            self._hear(news, station)
        station.guard.news.clear()
        now_s = tick.snapshot.t_s
        if not self.guard_alive and (station.loop.live or tick.state in (BenchState.ARMED, BenchState.RUNNING)):
            station.loop.trip("the guard is silent")
            self._act(station, now_s)
        if tick.state is BenchState.TRIPPED and math.isnan(self._tripped_s):
            self._tripped_s = now_s
        if now_s - self._tripped_s > CONFIRM_S:
            self._act(station, now_s)

    def make_safe(self, station: Station) -> None:
        """The engine's own safe sequence, whatever the guard does."""
        trouble = power.make_safe(station)
        self._made_safe = self._made_safe or not trouble
        for sentence in trouble:
            self._tell(Level.ALARM, "safe sequence", sentence, "")

    def let_go(self, station: Station, reason: str) -> None:
        """Have the guard reset, which it does once off is verified; raises `BenchError` when it does not.

        A guard that has ended is no hindrance: without one nothing can be armed.
        """
        until_s = time.monotonic() + RESET_S
        while station.guard_process.is_alive() and self._asked(station, reason) != "ready":
            if time.monotonic() > until_s:
                raise BenchError("the guard has not verified off and stays tripped", hint="mend what is silent")

    def _asked(self, station: Station, reason: str) -> str:
        """What the guard says to a reset: `ready`, `latched`, or nothing yet."""
        self._answer = ""
        station.guard.reset(reason)
        station.wait_until(lambda: bool(self._answer), ANSWER_S)
        return self._answer

    def forget(self) -> None:
        """The trip is over."""
        self._tripped_s, self._acted_s, self._made_safe = math.nan, -math.inf, False

    def _hear(self, news: dict[str, Any], station: Station) -> None:
        match news.get("guard"):
            case "tripped":
                self._made_safe = news["result"] == "SAFE"
                station.loop.trip(f"guard: {news['reason']}")
                took_ms = 1e3 * (news["verified_s"] - news["trigger_s"])
                words = f"verified off after {took_ms:.0f} ms" if self._made_safe else "off is NOT verified"
                self._tell(Level.ALARM, "guard", f"{news['reason']}; {words}", str(news["steps"]))
            case "said":
                station.guard_said = bool(news["ok"])
            case "ready" | "latched":
                self._answer = news["guard"]
            case _:
                pass

    def _act(self, station: Station, now_s: float) -> None:
        """Off the loop's thread, and again until it or the guard's sequence is verified."""
        if not self._made_safe and now_s - self._acted_s > AGAIN_S:
            self._acted_s = now_s
            threading.Thread(target=self.make_safe, args=(station,), name="safe sequence", daemon=True).start()
