"""The pool of jobs with a real process that computes what the tests say: full, cancelled, expired, killed."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.errors import Refused
from drivers.processes import is_alive
from edge_bridge.fleet.twins.job_pool import KEEP_MS, MAX_QUEUED, JobPool
from edge_bridge.fleet.twins.order_reader import TwinQuestion
from edge_bridge.fleet.twins.twin_job import JobState, TwinJob
from edge_bridge.fleet.twins.twin_order import RowMeans, TwinKind, TwinOrder
from edge_bridge.fleet.twins.worker_process import WorkerProcess
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

QUESTION = TwinQuestion(TwinKind.FORECAST, "pack-1", 1_000, 1, "")
HANGS = TwinQuestion(TwinKind.ESTIMATES, "pack-1", 1_000, 1, "")


def compute(order: TwinOrder, report: Callable[[float], object]) -> dict[str, Any]:
    """Run in the worker: an order for estimates never ends, one for two hours fails."""
    report(0.5)
    if order.kind is TwinKind.ESTIMATES:
        signal.pause()
    if order.hours > 1:
        raise Refused("nothing to compute", key="no_state", hint="ask for one hour")
    return {"node": order.node, "pid": os.getpid()}


def read_order(asked: TwinQuestion) -> TwinOrder:
    if asked.node == "defect":
        raise KeyError(asked.node)
    if not asked.node:
        raise Refused("no row", key="no_rows")
    rows = RowMeans(np.array([0]), 1, {})
    return TwinOrder(asked.kind, asked.node, 0, asked.to_ms, asked.hours, rows, "", None)


class Bench:
    """A pool with a clock that stands."""

    def __init__(self) -> None:
        self.now_ms = 1_000
        self.worker = WorkerProcess(compute)
        self.pool = JobPool(read_order, lambda: self.now_ms, lambda: self.worker)

    def submit(self, question: TwinQuestion = QUESTION) -> str:
        job = self.pool.submit(question, "ann")
        assert job is not None
        return job.id

    def wait(self, number: str, *states: JobState) -> TwinJob:
        def look() -> TwinJob | None:
            job = self.pool.find(number)
            return job if job is not None and job.state in states else None

        return wait_until(look, what=f"{states}")

    def wait_half_way(self, number: str) -> None:
        wait_until(lambda: (job := self.pool.find(number)) is not None and job.progress == 0.5, what="its progress")


@contextmanager
def open_bench() -> Generator[Bench]:
    bench = Bench()
    yield bench
    bench.pool.close()


@pytest.fixture
def bench() -> Generator[Bench]:
    with open_bench() as found:
        yield found


def test_one_process_computes_all_jobs_and_ends_with_the_pool() -> None:
    with open_bench() as bench:
        pids = set[int]()
        for number in [bench.submit(), bench.submit()]:
            job = bench.wait(number, JobState.DONE)
            assert job.result is not None
            assert job.result["pid"] != os.getpid()
            pids.add(job.result["pid"])
        assert len(pids) == 1
        assert is_alive(*pids)
    assert not is_alive(*pids)


def test_a_process_that_is_killed_fails_its_job_and_the_next_one_runs(bench: Bench) -> None:
    number = bench.submit(HANGS)
    bench.wait_half_way(number)
    os.kill(bench.worker.pid, signal.SIGKILL)
    job = bench.wait(number, JobState.FAILED)
    assert job.problem is not None
    assert (job.problem["key"], job.problem["hint"]) == ("worker_ended", "ask again")
    assert bench.wait(bench.submit(), JobState.DONE).result is not None


def test_a_process_that_dies_between_two_jobs_costs_none(bench: Bench) -> None:
    bench.wait(bench.submit(), JobState.DONE)
    os.kill(bench.worker.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(bench.worker.pid), what="its end")
    assert bench.wait(bench.submit(), JobState.DONE).result is not None


def test_a_job_that_runs_is_cancelled_and_so_is_one_that_waits(bench: Bench) -> None:
    running, waiting, last = bench.submit(HANGS), bench.submit(HANGS), bench.submit()
    bench.wait_half_way(running)
    for number in (waiting, running):
        job = bench.pool.cancel(number)
        assert job is not None
        assert job.state is JobState.CANCELLED
    assert bench.wait(last, JobState.DONE).result is not None
    for number in (waiting, running):
        job = bench.pool.find(number)
        assert job is not None
        assert (job.state, job.result) == (JobState.CANCELLED, None)
    done = bench.pool.cancel(last)
    assert done is not None
    assert done.state is JobState.DONE, "what has ended stays as it is"


def test_the_queue_is_bounded(bench: Bench) -> None:
    bench.wait_half_way(bench.submit(HANGS))
    for _ in range(MAX_QUEUED):
        bench.submit()
    assert bench.pool.submit(QUESTION, "ann") is None


def test_a_job_expires_after_its_end(bench: Bench) -> None:
    number = bench.submit()
    bench.wait(number, JobState.DONE)
    bench.now_ms += KEEP_MS - 1
    assert bench.pool.find(number) is not None
    bench.now_ms += 1
    assert bench.pool.find(number) is None


@pytest.mark.parametrize(
    ("question", "key"),
    [
        (TwinQuestion(TwinKind.FORECAST, "pack-1", 1_000, 2, ""), "no_state"),
        (TwinQuestion(TwinKind.FORECAST, "", 1, 1, ""), "no_rows"),
    ],
)
def test_a_job_that_cannot_be_done_says_why(bench: Bench, question: TwinQuestion, key: str) -> None:
    job = bench.wait(bench.submit(question), JobState.FAILED)
    assert job.problem is not None
    assert job.problem["key"] == key


def test_a_defect_costs_its_own_job_alone(bench: Bench) -> None:
    job = bench.wait(bench.submit(TwinQuestion(TwinKind.FORECAST, "defect", 1, 1, "")), JobState.FAILED)
    assert job.problem is not None
    assert job.problem["key"] == "defect"
    assert bench.wait(bench.submit(), JobState.DONE).result is not None
