"""The jobs of a fleet host: a bounded queue, one worker, results that expire. They live as long as this process."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from drivers.errors import PulseError, Refused, describe_error
from edge_bridge.fleet.twins.order_reader import TwinQuestion
from edge_bridge.fleet.twins.twin_job import JobState, TwinJob
from edge_bridge.fleet.twins.worker import PROGRESS, RESULT
from edge_bridge.fleet.twins.worker_process import TwinWorker, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_bridge.fleet.twins.twin_order import TwinOrder

MAX_QUEUED: Final = 8
MAX_KEPT: Final = 64  # jobs that ended and are remembered
KEEP_MS: Final = 3_600_000  # after its end
MAX_JOB_S: Final = 900.0
IDLE_S: Final = 60.0  # without a job the worker ends, and gives its memory back
POLL_S: Final = 0.1


class JobPool:
    """The jobs; any thread may ask. The thread and the worker begin with the first job."""

    def __init__(
        self,
        read_order: Callable[[TwinQuestion], TwinOrder],
        now_ms: Callable[[], int],
        make_worker: Callable[[], TwinWorker] = WorkerProcess,
    ) -> None:
        """`read_order` reads what a job needs in the thread of the jobs; it raises `PulseError`."""
        self._read_order, self._now_ms = read_order, now_ms
        self._make_worker = make_worker
        self._jobs = dict[str, TwinJob]()
        self._queue = deque[tuple[str, TwinQuestion]]()
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def submit(self, asked: TwinQuestion, by: str) -> TwinJob | None:
        """Queue a job; return None while too many wait."""
        with self._changed:
            self._drop_expired()
            if self._is_closing or len(self._queue) >= MAX_QUEUED:
                return None
            job = TwinJob(secrets.token_hex(8), asked.kind, asked.node, by, self._now_ms())
            self._jobs[job.id] = job
            self._queue.append((job.id, asked))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fleet-jobs", daemon=True)
                self._thread.start()
            self._changed.notify()
            return job

    def find(self, number: str) -> TwinJob | None:
        """Return a job, None for one that is unknown or expired."""
        with self._changed:
            self._drop_expired()
            return self._jobs.get(number)

    def cancel(self, number: str) -> TwinJob | None:
        """Cancel a job that has not ended; return it. One that runs loses its worker."""
        with self._changed:
            self._queue = deque(one for one in self._queue if one[0] != number)
            self._change(number, state=JobState.CANCELLED, ended_ms=self._now_ms())
            self._changed.notify()
            return self._jobs.get(number)

    def close(self) -> None:
        """End the worker and the thread."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        worker = self._make_worker()
        try:
            while not self._is_closing:
                found = self._take()
                if found is None:
                    worker.close()
                else:
                    self._compute(worker, *found)
        finally:
            worker.close()

    def _take(self) -> tuple[str, TwinQuestion] | None:
        """Wait for the next job; return None after a while without one."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._queue) or self._is_closing, IDLE_S)
            if not self._queue or self._is_closing:
                return None
            number, asked = self._queue.popleft()
            self._change(number, state=JobState.RUNNING)
            return number, asked

    def _compute(self, worker: TwinWorker, number: str, asked: TwinQuestion) -> None:
        try:
            order = self._read_order(asked)
            worker.begin(order)
            if not self._follow(worker, number):  # it ended before it took this order
                worker.close()
                worker.begin(order)
                if not self._follow(worker, number):
                    raise EOFError  # noqa: TRY301  # as any other end of it
        except PulseError as error:
            self._fail(number, error)
        except (EOFError, OSError):
            worker.close()
            what, hint = "the process that computed the job has ended before its result", "ask again"
            self._fail(number, Refused(what, key="worker_ended", hint=hint))
        except Exception as error:  # noqa: BLE001  # a defect costs its own job, not all after it
            worker.close()
            what, hint = f"the job failed: {describe_error(error)}", "send the log of the fleet to its authors"
            self._fail(number, Refused(what, key="defect", hint=hint))

    def _follow(self, worker: TwinWorker, number: str) -> bool:
        """Take what the worker sends until the job ends; raise `EOFError` if the worker does.

        Return False for a worker that ended before it took the order.
        """
        until_s, has_begun = monotonic() + MAX_JOB_S, False
        while self._is_running(number):
            if monotonic() > until_s:
                worker.close()
                what = f"the job was not done after {MAX_JOB_S:g} s"
                raise Refused(what, key="too_slow", bound=MAX_JOB_S, hint="ask for fewer hours, or quick")
            try:
                message = worker.receive(POLL_S)
            except EOFError:
                if has_begun:
                    raise
                return False
            if message is None:
                continue
            has_begun = True
            name, value = message
            with self._changed:
                if name == PROGRESS:
                    self._change(number, progress=value)
                elif name == RESULT:
                    self._end(number, JobState.DONE, progress=1.0, result=value)
                else:
                    self._end(number, JobState.FAILED, problem=value)
                if name != PROGRESS:
                    return True
        worker.close()  # cancelled: it cannot be told to stop in the middle of a step
        return True

    def _is_running(self, number: str) -> bool:
        with self._changed:
            job = self._jobs.get(number)
            return job is not None and not job.is_ended and not self._is_closing

    def _fail(self, number: str, error: PulseError) -> None:
        with self._changed:
            self._end(number, JobState.FAILED, problem=error.as_json())

    def _end(self, number: str, state: JobState, **values: Any) -> None:
        self._change(number, state=state, ended_ms=self._now_ms(), **values)

    def _change(self, number: str, **values: Any) -> None:
        """Change a job that has not ended; the caller has the lock."""
        job = self._jobs.get(number)
        if job is not None and not job.is_ended:
            self._jobs[number] = replace(job, **values)

    def _drop_expired(self) -> None:
        now_ms = self._now_ms()
        ended = [job for job in self._jobs.values() if job.ended_ms is not None]
        for place, job in enumerate(sorted(ended, key=lambda one: -(one.ended_ms or 0))):
            if place >= MAX_KEPT or now_ms - (job.ended_ms or 0) >= KEEP_MS:
                del self._jobs[job.id]
