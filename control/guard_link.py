"""The engine's end of the guard's pipe: a byte per tick out, the guard's state in."""

from __future__ import annotations

from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final, cast

from control.guard import ARMED, DISARMED, MARK, QUIT, RESET, TICK, TRIP
from control.state import BenchState

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from control.tick import Tick

DEAD_S: Final = 0.2  # eight heartbeats
UNHEARD: Final = 200  # more is not said to a guard that says nothing: a Unix pipe is full after 278, and holds the loop


def pipe() -> tuple[Connection, Connection]:
    """Both ends of a pipe between spawned processes (typed as one class, whatever the platform's)."""
    return cast("tuple[Connection, Connection]", get_context("spawn").Pipe())


class GuardLink:
    """A sink of ticks; `heard` is the guard's newest heartbeat, `news` what it said beside that, oldest first.

    A pipe that breaks shows as a guard that is not `alive`; nothing here raises for it.
    """

    def __init__(self, connection: Connection, now: Callable[[], float]) -> None:
        self.heard: dict[str, Any] = {}
        self.news: list[dict[str, Any]] = []
        self._connection, self._now = connection, now
        self._heard_s = now()
        self._unheard = 0
        self._closed = False
        self._state = BenchState.DISCONNECTED

    def put(self, tick: Tick) -> None:
        """Wake the guard; a trip that the gate found is told at once."""
        if tick.state is BenchState.TRIPPED and self._state is not BenchState.TRIPPED:
            self._say(TRIP + getattr(tick.verdict, "reason", "").encode())
        self._state = tick.state
        self._say(TICK)

    def arm(self) -> None:
        """From here on silence and lost knowledge count."""
        self._say(ARMED)

    def disarm(self) -> None:
        self._say(DISARMED)

    def reset(self, reason: str) -> None:
        """Granted only once off is verified; the answer comes as news."""
        self._say(RESET + reason.encode())

    def mark(self, message: bytes) -> bool:
        """Have the guard send `message` on its own connection, to prove that the instrument takes it."""
        return self._say(MARK + message)

    def quit(self) -> None:
        """The engine is about to end, disarmed."""
        self._say(QUIT)

    def alive(self) -> bool:
        """Read what has arrived; whether the guard has beaten within `DEAD_S`."""
        try:
            while not self._closed and self._connection.poll():
                message: dict[str, Any] = self._connection.recv()
                self._heard_s, self._unheard = self._now(), 0
                if message.get("guard") == "alive":
                    self.heard = message
                else:
                    self.news.append(message)
        except (EOFError, OSError):
            self._closed = True
        return not self._closed and self._now() - self._heard_s <= DEAD_S

    def _say(self, message: bytes) -> bool:
        if self._unheard >= UNHEARD:
            return False
        self._unheard += 1
        try:
            self._connection.send_bytes(message)
        except OSError:
            self._closed = True
        return not self._closed
