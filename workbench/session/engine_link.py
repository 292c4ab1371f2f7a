"""The link to an engine: its process, the pipe to it, and the pipe to the guard that it starts."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any, Final

from control.guard_messages import HEARTBEAT
from control.send_queue import SendQueue
from drivers.processes import start_child

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from workbench.session import messages
    from workbench.session.order import EngineEntry, EngineOrder

HEARTBEAT_S = 0.1
FAREWELL_S: Final = 0.5  # to write the last messages to a process that may hang


class EngineLink:
    """One engine process from its start to its end; to send and to receive never blocks."""

    def __init__(self, order: EngineOrder, entry: EngineEntry) -> None:
        """Start `entry`, which reads the bench file of `order` and waits for `connect`."""
        context = multiprocessing.get_context("spawn")
        self._engine, engine_end = context.Pipe()
        self._guard, guard_end = context.Pipe()
        self._process: SpawnProcess = context.Process(target=entry, args=(order, engine_end, guard_end), name="engine")
        start_child(self._process)
        engine_end.close()
        guard_end.close()
        self._to_engine = SendQueue("to engine", self._engine.send)
        self._to_guard = SendQueue("to guard", self._guard.send_bytes)
        self._next_beat_s = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code of the engine; None while it runs."""
        return self._process.exitcode

    def send(self, request: messages.Request) -> None:
        """Send a request to the engine."""
        self._to_engine.send(request)

    def send_to_guard(self, message: bytes) -> None:
        """Send a message to the guard directly, past the engine."""
        self._to_guard.send(message)

    def send_heartbeat(self, now_s: float) -> None:
        """Send the client's heartbeat to the guard when it is due."""
        if now_s >= self._next_beat_s:
            self._next_beat_s = now_s + HEARTBEAT_S
            self._to_guard.beat(HEARTBEAT)

    def receive(self) -> list[Any]:
        """Return all messages of the engine that wait."""
        return _receive_all(self._engine)

    def receive_guard_reports(self) -> list[Any]:
        """Return all reports of the guard that wait."""
        return _receive_all(self._guard)

    def kill(self) -> None:
        """Kill the engine; the guard then runs the safe sequence."""
        self._process.kill()
        self._process.join()

    def close(self) -> None:
        """Close both pipes; do not wait for a process that hangs."""
        for queue, connection in ((self._to_engine, self._engine), (self._to_guard, self._guard)):
            queue.close()
            queue.join(FAREWELL_S)
            connection.close()


def _receive_all(connection: Any) -> list[Any]:  # a Connection, on Windows a PipeConnection
    """Return all messages that wait on a pipe; a closed pipe gives no more."""
    got: list[Any] = []
    try:
        while connection.poll():
            got.append(connection.recv())
    except (EOFError, OSError):
        pass
    return got
