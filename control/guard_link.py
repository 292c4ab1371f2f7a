"""The engine's end of the guard's pipe: it sends a byte per tick and receives the guard's state."""

from __future__ import annotations

import itertools
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, cast

from control.guard_messages import ARMED, DISARMED, MARK, QUIT, RESET, TICK, TRIP, encode
from control.guard_reports import ArmAnswer, Heartbeat, ResetAnswer
from control.send_queue import SendQueue
from control.state import BenchState
from drivers.event import EventKind
from drivers.realtime import LOOP

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from control.guard_reports import GuardReport, KeptReport, NumberedAnswer
    from control.tick import Tick

DEAD_S: Final = 0.2  # eight heartbeats
FAREWELL_S: Final = 0.5


def pipe() -> tuple[Connection, Connection]:
    """Make a pipe between spawned processes; return both ends (typed as one class on every platform)."""
    return cast("tuple[Connection, Connection]", get_context("spawn").Pipe())


class GuardLink:
    """A sink of ticks; `heartbeat` is the guard's newest (None before the first), `reports` the rest, oldest first.

    No method but `close` waits: a separate thread writes to the pipe, and keeps only one of the ticks that a stopped
    guard does not read. After the pipe breaks, `alive` returns False; no method raises for it.
    """

    def __init__(self, connection: Connection, now: Callable[[], float]) -> None:
        self.heartbeat: Heartbeat | None = None
        self.reports: list[KeptReport] = []
        self._connection, self._now = connection, now
        self._queue = SendQueue("to guard", connection.send_bytes, LOOP)
        self._numbers = itertools.count(1)
        self._answers: dict[int, NumberedAnswer] = {}
        self._received_s = now()
        self._closed = False
        self._state = BenchState.DISCONNECTED

    @property
    def cause(self) -> str:
        """Why the guard has tripped, by its newest heartbeat; empty while it has not."""
        return "" if self.heartbeat is None else self.heartbeat.cause

    @property
    def is_connected(self) -> bool:
        """Whether one of the guard's own connections is up, by its newest heartbeat."""
        return self.heartbeat is not None and any(self.heartbeat.ports)

    def put(self, tick: Tick) -> None:
        """Send the tick byte to the guard, and a new trip of the gate at once."""
        if tick.state is BenchState.TRIPPED and self._state is not BenchState.TRIPPED:
            self.trip(_find_reason(tick))
        self._state = tick.state
        self._queue.beat(TICK)

    def arm(self) -> int:
        """Arm the guard: from now on it trips on silence and lost channels; return the number for `answer`."""
        return self._request(ARMED)

    def disarm(self) -> int:
        """Disarm the guard: nothing is live any more; return the number for `answer`."""
        return self._request(DISARMED)

    def reset(self, reason: str) -> int:
        """Request a reset, which the guard grants only once off is verified; return the number for `answer`."""
        return self._request(RESET, reason)

    def trip(self, reason: str) -> None:
        """Request that the guard makes the bench safe."""
        self._queue.send(TRIP + reason.encode())

    def mark(self, message: bytes) -> None:
        """Request that the guard sends `message` on its own connection, to prove that the instrument accepts it."""
        self._queue.send(MARK + message)

    def quit(self) -> None:
        """Report that the engine is about to end, with everything verified off."""
        self._queue.send(QUIT)

    def answer(self, number: int) -> NumberedAnswer | None:
        """Return the guard's answer to `number`; None until `alive` has read it."""
        return self._answers.get(number)

    def alive(self) -> bool:
        """Read what has arrived; return whether the guard has sent anything within `DEAD_S`."""
        try:
            while not self._closed and self._connection.poll():
                self._take(self._connection.recv())
        except (EOFError, OSError):
            self._closed = True
        return not self._closed and self._now() - self._received_s <= DEAD_S

    def close(self) -> None:
        """Close the pipe once everything is delivered, or after `FAREWELL_S` if the guard does not read."""
        self._queue.close()
        self._queue.join(FAREWELL_S)
        self._closed = True
        self._connection.close()

    def _take(self, report: GuardReport) -> None:
        self._received_s = self._now()
        match report:
            case Heartbeat():
                self.heartbeat = report
            case ArmAnswer() | ResetAnswer():
                self._answers[report.number] = report
            case _:
                self.reports.append(report)

    def _request(self, kind: bytes, text: str = "") -> int:
        number = next(self._numbers)
        self._queue.send(encode(kind, number, text))
        return number


def _find_reason(tick: Tick) -> str:
    """Return why the bench tripped: by the event of the trip, else by the gate's verdict."""
    told = (str(event.data["reason"]) for event in tick.events if event.kind == EventKind.TRIPPED)
    return next(told, getattr(tick.verdict, "reason", ""))
