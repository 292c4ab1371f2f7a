"""Where seeds are trained: each in a process of its own on this machine. It answers one question at a time."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

from drivers.errors import BenchError, PulseError, as_message, describe_error, rebuild

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from control.rl.seed_training import SeedJob

ADVANCE, SAVE, EXPORT, ROWS = "advance", "save", "export", "rows"  # questions
STEP_S: Final = 0.2  # how long a wait lasts at most, so that Ctrl-C is seen


class SeedWorker(Protocol):
    """Trains one seed elsewhere."""

    seed: int

    def submit(self, question: str) -> None: ...

    def stop(self) -> None: ...


class WorkerPool(Protocol):
    """Starts workers; `slots` of them at once."""

    slots: int

    def start(self, job: SeedJob, checkpoint: bytes | None, where: str) -> SeedWorker: ...

    def wait(self, workers: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return the workers that have answered within a fifth of a second, each with its answer; raise theirs."""
        ...

    def close(self) -> None: ...


class Answered(NamedTuple):
    """What came back: the answer, or the error as in `drivers.errors.as_message`."""

    content: Any
    error: dict[str, Any] | None = None

    def unpack(self) -> Any:
        """Return the answer; raise the error."""
        if self.error is not None:
            raise rebuild(self.error)
        return self.content


def answer(training: Any, question: str) -> Any:
    """Return what a worker answers about its `SeedTraining`."""
    if question == ADVANCE:
        return training.advance(), training.alarm
    return list(training.rows) if question == ROWS else getattr(training, question)()


class ProcessWorker:
    """One process; it ends with this one."""

    def __init__(self, job: SeedJob, checkpoint: bytes | None, where: str) -> None:
        self.seed = job.seed
        context = multiprocessing.get_context("spawn")
        self.connection: Any
        self.connection, far = context.Pipe()
        self._process = context.Process(target=serve, args=(far, job, checkpoint, where), daemon=True)
        self._process.start()
        far.close()

    def submit(self, question: str) -> None:
        """Ask; the answer comes by `ProcessPool.wait`."""
        with suppress(OSError):  # a worker that has ended is reported there
            self.connection.send(question)

    def stop(self) -> None:
        """End the process."""
        self.connection.close()
        self._process.join(2.0)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


class ProcessPool:
    """Workers on this machine, `slots` at once."""

    def __init__(self, slots: int) -> None:
        self.slots = slots

    def start(self, job: SeedJob, checkpoint: bytes | None, where: str) -> ProcessWorker:
        """Start a worker on a job."""
        return ProcessWorker(job, checkpoint, where)

    def wait(self, workers: Sequence[ProcessWorker]) -> list[tuple[ProcessWorker, Any]]:
        """Return the workers that have answered, each with its answer; raise `BenchError` for one that has ended."""
        by_connection = {worker.connection: worker for worker in workers}
        found: list[tuple[ProcessWorker, Any]] = []
        for connection in wait(list(by_connection), STEP_S):
            worker = by_connection[cast("Any", connection)]
            try:
                answered: Answered = worker.connection.recv()
            except (EOFError, OSError) as error:
                what = f"the process that trains seed {worker.seed} has ended"
                raise BenchError(what, hint="free some memory, then continue with --resume") from error
            found.append((worker, answered.unpack()))
        return found

    def close(self) -> None:
        """Do nothing: every worker has been stopped."""


def serve(connection: Connection, job: SeedJob, checkpoint: bytes | None, where: str) -> None:
    """Answer questions until the other side is gone. A Ctrl-C is for the process that asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from control.rl.seed_training import SeedTraining  # noqa: PLC0415  # torch, which the asking process does not need

    training: Any = None
    with suppress(EOFError, OSError):
        while True:
            question = connection.recv()
            try:
                training = training or SeedTraining(job, checkpoint, where)
                answered = Answered(answer(training, question))
            except PulseError as error:
                answered = Answered(None, as_message(error))
            except Exception as error:  # noqa: BLE001  # reported by the process that asked
                what = f"training seed {job.seed} failed: {describe_error(error)}"
                answered = Answered(None, as_message(BenchError(what, hint="report it with the command")))
            connection.send(answered)
