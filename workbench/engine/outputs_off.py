"""OUTPUTS OFF in the engine: receive a press at any moment, trip, switch off, report what was verified.

The guard receives the same press on a pipe of its own. Neither waits for the other, nor for another action of the
operator.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.realtime import ENGINE_THREADS, ask_realtime
from workbench.session.actions import Failure
from workbench.session.messages import OutputsOffReceived, Response

if TYPE_CHECKING:
    from workbench.engine.engine import Engine
    from workbench.engine.live_bench import LiveBench

WHY: Final = "OUTPUTS OFF was pressed"
GUARD_S: Final = 3.0  # for the guard, when the engine's own connections verify nothing
LOOK_S: Final = 0.01
NOT_VERIFIED: Final = "Outputs are not verified off."
HARD_WIRED: Final = "Use the hard-wired emergency stop."
NOTHING_HERE: Final = Failure(
    "Not connected: no output can be reached from here.",
    "Use the hard-wired emergency stop, or switch off at the instrument.",
)


class OutputsOff:
    """The presses by their numbers; a thread of its own acts on them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._numbers: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="outputs off", daemon=True).start()

    def press(self, number: int) -> None:
        """Acknowledge the press, cancel the action in progress, queue the press; return at once."""
        self._engine.to_client.send(OutputsOffReceived(number, monotonic()))
        self._engine.commands.cancelled.set()
        self._numbers.put(number)

    def close(self) -> None:
        """End the thread once every press is answered."""
        self._numbers.put(None)

    def _run(self) -> None:
        ask_realtime(ENGINE_THREADS)
        while (number := self._numbers.get()) is not None:
            try:
                failure = self._switch_off()
            except Exception:  # noqa: BLE001  # the thread must still answer the next press
                failure = Failure(NOT_VERIFIED, HARD_WIRED, traceback.format_exc())
            self._engine.publish()
            self._engine.to_client.send(Response(number, failure))

    def _switch_off(self) -> Failure | None:
        """Trip and switch off; return None if off was read back since the trip."""
        station = self._station()
        if station is None:
            return NOTHING_HERE
        self._engine.trip(WHY)
        fallback = self._engine.commands.guard_fallback
        trouble = fallback.make_safe(station)
        if not trouble or station.wait_until(lambda: fallback.is_verified(station), GUARD_S):
            return None
        return Failure(NOT_VERIFIED, HARD_WIRED, "; ".join(trouble))

    def _station(self) -> LiveBench | None:
        """Return the bench; wait while it is being connected, so that an early press is not lost."""
        commands = self._engine.commands
        while self._engine.bench is None and commands.connecting:
            time.sleep(LOOK_S)
        return self._engine.bench
