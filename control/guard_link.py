"""The engine's end of the guard's pipe: a byte per tick out, the guard's state in."""

from __future__ import annotations

import itertools
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, cast

from control.guard_messages import ARMED, DISARMED, MARK, QUIT, RESET, TICK, TRIP, encode
from control.guard_reports import ArmAnswer, Heartbeat, ResetAnswer
from control.send_queue import SendQueue
from control.state import BenchState
from drivers.realtime import LOOP

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from control.guard_reports import GuardReport, KeptReport, NumberedAnswer
    from control.tick import Tick

DEAD_S: Final = 0.2  # eight heartbeats
FAREWELL_S: Final = 0.5


def pipe() -> tuple[Connection, Connection]:
    """Both ends of a pipe between spawned processes (typed as one class, whatever the platform's)."""
    return cast("tuple[Connection, Connection]", get_context("spawn").Pipe())


class GuardLink:
    """A sink of ticks; `heartbeat` is the guard's newest (None before the first), `reports` the rest, oldest first.

    Nothing here waits: a thread of its own writes to the pipe, and of the ticks that a stopped guard does not read
    only one waits. A pipe that breaks shows as a guard that is not `alive`; nothing here raises for it.
    """

    def __init__(self, connection: Connection, now: Callable[[], float]) -> None:
        self.heartbeat: Heartbeat | None = None
        self.reports: list[KeptReport] = []
        self._connection, self._now = connection, now
        self._queue = SendQueue("to guard", connection.send_bytes, LOOP)
        self._numbers = itertools.count(1)
        self._answers: dict[int, NumberedAnswer] = {}
        self._heard_s = now()
        self._closed = False
        self._state = BenchState.DISCONNECTED

    @property
    def cause(self) -> str:
        """Why the guard has tripped, by its newest heartbeat; empty while it has not."""
        return "" if self.heartbeat is None else self.heartbeat.cause

    @property
    def is_connected(self) -> bool:
        """Whether one of the guard's own connections stands, by its newest heartbeat."""
        return self.heartbeat is not None and any(self.heartbeat.ports)

    def put(self, tick: Tick) -> None:
        """Wake the guard; a trip that the gate found is told at once."""
        if tick.state is BenchState.TRIPPED and self._state is not BenchState.TRIPPED:
            self.trip(getattr(tick.verdict, "reason", ""))
        self._state = tick.state
        self._queue.beat(TICK)

    def arm(self) -> int:
        """From here on silence and lost knowledge count; the number under which `answer` comes."""
        return self._ask(ARMED)

    def disarm(self) -> int:
        """Nothing is live any more; the number under which `answer` comes."""
        return self._ask(DISARMED)

    def reset(self, reason: str) -> int:
        """Granted only once off is verified; the number under which `answer` comes."""
        return self._ask(RESET, reason)

    def trip(self, reason: str) -> None:
        """Have the guard make the bench safe."""
        self._queue.send(TRIP + reason.encode())

    def mark(self, message: bytes) -> None:
        """Have the guard send `message` on its own connection, to prove that the instrument takes it."""
        self._queue.send(MARK + message)

    def quit(self) -> None:
        """The engine is about to end, everything verified off."""
        self._queue.send(QUIT)

    def answer(self, number: int) -> NumberedAnswer | None:
        """What the guard answered under `number`, as far as `alive` has read it."""
        return self._answers.get(number)

    def alive(self) -> bool:
        """Read what has arrived; whether the guard has beaten within `DEAD_S`."""
        try:
            while not self._closed and self._connection.poll():
                self._take(self._connection.recv())
        except (EOFError, OSError):
            self._closed = True
        return not self._closed and self._now() - self._heard_s <= DEAD_S

    def close(self) -> None:
        """Close the pipe once everything is delivered, or a guard that reads nothing has had its time."""
        self._queue.close()
        self._queue.join(FAREWELL_S)
        self._closed = True
        self._connection.close()

    def _take(self, report: GuardReport) -> None:
        self._heard_s = self._now()
        match report:
            case Heartbeat():
                self.heartbeat = report
            case ArmAnswer() | ResetAnswer():
                self._answers[report.number] = report
            case _:
                self.reports.append(report)

    def _ask(self, kind: bytes, text: str = "") -> int:
        number = next(self._numbers)
        self._queue.send(encode(kind, number, text))
        return number
