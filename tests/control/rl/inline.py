"""Workers that answer at once in this process: the trainings of tests need no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control.rl.seed_training import SeedTraining
from control.rl.training import Training
from control.rl.workers import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from control.rl.seed_training import SeedJob
    from control.rl.training import SeedProgress


class InlineWorker:
    def __init__(self, job: SeedJob, checkpoint: bytes | None, where: str) -> None:
        self.seed = job.seed
        self.training = SeedTraining(job, checkpoint, where)
        self.answer: Any = None

    def submit(self, question: str) -> None:
        self.answer = answer(self.training, question)

    def stop(self) -> None: ...


class InlinePool:
    slots = 1

    def start(self, job: SeedJob, checkpoint: bytes | None, where: str) -> InlineWorker:
        return InlineWorker(job, checkpoint, where)

    def wait(self, workers: Sequence[InlineWorker]) -> list[tuple[InlineWorker, Any]]:
        return [(worker, worker.answer) for worker in workers]

    def close(self) -> None: ...


def ignore(_seed: SeedProgress) -> None: ...


def train(  # noqa: PLR0917  # a call of a test reads better without names
    jobs: list[SeedJob],
    out: Path,
    steps: int,
    pool: Any = None,
    show: Callable[[SeedProgress], None] = ignore,
    is_stopped: Callable[[], bool] = lambda: False,
    now: Callable[[], float] = lambda: 0.0,
) -> list[SeedProgress]:
    training = Training(
        jobs,
        out,
        pool or InlinePool(),
        steps=steps,
        seconds=None,
        show=show,
        is_stopped=is_stopped,
        now=now,
    )
    training.run()
    return training.seeds
