"""The guard's safe sequence, executed outside the guard's own thread: a hung connection does not block the guard.

Each connection has its own thread, which opens it, keeps it alive and executes its steps. A name server that does not
answer, an adapter that takes seconds to open or a vendor's call that never returns blocks that thread alone. The
sequence waits for each connection no longer than its steps may take, plus `RETURN_S`.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from multiprocessing import Pipe
from typing import TYPE_CHECKING, Any, Final

from drivers.realtime import GUARD, ask_realtime
from drivers.safe_commands import NEVER, SafeStepResult, TcpSafeConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from control.guard import SafeCommands
    from drivers.safe_commands import SafeConnection

KEEP_ALIVE_S: Final = 0.01
RETURN_S: Final = 0.25  # how long to wait for a connection beyond the time that its steps may take
MARK_S: Final = 0.5


@dataclass
class ConnectionJob:
    """A call on an open connection; `result` is set once it is `done`; it never begins if it `is_abandoned`."""

    act: Callable[[SafeConnection], Any]
    done: threading.Event = field(default_factory=threading.Event)
    is_abandoned: bool = False
    result: Any = None


@dataclass(frozen=True, slots=True)
class SequenceResult:
    """The results of the steps of one sequence."""

    steps: tuple[SafeStepResult, ...]


@dataclass(frozen=True, slots=True)
class MarkResult:
    """Whether a TCP connection sent the bytes that prove it."""

    is_sent: bool


class ConnectionWorker:
    """One connection and its thread.

    To read `is_connected`, `detail` and `local_port` never blocks; the values are up to `KEEP_ALIVE_S` or one job old.
    """

    def __init__(self, commands: SafeCommands) -> None:
        self.is_connected = False
        self.detail = "the connection is still being opened"
        self.local_port = 0
        self._commands = commands
        self._jobs: queue.SimpleQueue[ConnectionJob | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="safe connection", daemon=True)
        self._thread.start()

    def execute(self) -> list[SafeStepResult]:
        """Execute every step; if the connection does not return in time, no step is verified."""
        steps = self._commands.steps
        job = self._run_job(lambda connection: connection.execute(), sum(step.within_s for step in steps) + RETURN_S)
        if job.done.is_set():
            return job.result
        why = f"not verified: the connection does not respond ({self.detail or 'its driver hangs'})"
        return [SafeStepResult(step.name, verified=False, sent_s=NEVER, verified_s=NEVER, detail=why) for step in steps]

    def mark(self, message: bytes) -> bool:
        """Send bytes that prove the connection; return False if it is not a TCP connection or is down."""
        job = self._run_job(
            lambda connection: isinstance(connection, TcpSafeConnection) and connection.send_unverified(message), MARK_S
        )
        return bool(job.result)

    def close(self) -> None:
        """Close once the thread is free; returns at once."""
        self._jobs.put(None)

    def join(self, within_s: float) -> None:
        self._thread.join(within_s)

    def _run_job(self, act: Callable[[SafeConnection], Any], within_s: float) -> ConnectionJob:
        job = ConnectionJob(act)
        self._jobs.put(job)
        job.is_abandoned = not job.done.wait(within_s)
        return job

    def _run(self) -> None:
        ask_realtime(GUARD)
        connection = self._commands.open()
        while True:
            self.is_connected = connection.keep_alive()
            self.detail, self.local_port = connection.detail, connection.local_port
            try:
                job = self._jobs.get(timeout=KEEP_ALIVE_S)
            except queue.Empty:
                continue
            if job is None:
                break
            if job.is_abandoned:
                continue
            job.result = job.act(connection)
            self.detail, self.local_port = connection.detail, connection.local_port
            job.done.set()
        connection.close()


class SafeSequence:
    """The safe sequence; `begin` and `mark` return at once, their results arrive on the connection `results`."""

    def __init__(self, commands: Sequence[SafeCommands]) -> None:
        self.running = False
        self.results, self._done = Pipe(duplex=False)
        self._connections = [ConnectionWorker(one) for one in commands]
        self._jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="safe sequence", daemon=True)
        self._thread.start()

    @property
    def ports(self) -> list[int]:
        """The connections' local ports, by which an instrument's journal names them; 0 without one."""
        return [connection.local_port for connection in self._connections]

    @property
    def trouble(self) -> list[str]:
        """One sentence for each connection that is down."""
        return [connection.detail for connection in self._connections if not connection.is_connected]

    def begin(self) -> None:
        """Start the sequence; call only while none is `running`."""
        self.running = True
        self._jobs.put(lambda: SequenceResult(tuple(self._execute())))

    def mark(self, message: bytes) -> None:
        """Send bytes that prove the first TCP connection that is up."""
        self._jobs.put(lambda: MarkResult(any(connection.mark(message) for connection in self._connections)))

    def take(self) -> SequenceResult | MarkResult:
        """Receive the next result from `results`."""
        result: SequenceResult | MarkResult = self.results.recv()
        self.running = self.running and not isinstance(result, SequenceResult)
        return result

    def close(self, within_s: float = 1.0) -> None:
        """End every thread that is not blocked; wait `within_s` for each."""
        self._jobs.put(None)
        for connection in self._connections:
            connection.close()
        for thread in (self, *self._connections):
            thread.join(within_s)

    def join(self, within_s: float) -> None:
        self._thread.join(within_s)
        if not self._thread.is_alive():
            self.results.close()
            self._done.close()

    def _execute(self) -> list[SafeStepResult]:
        return [result for connection in self._connections for result in connection.execute()]

    def _run(self) -> None:
        ask_realtime(GUARD)
        while (job := self._jobs.get()) is not None:
            self._done.send(job())
