"""A training of several seeds: starts them, writes their curves, checkpoints and policies, and stops in order."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from control.rl import workers
from control.rl.row_times import TIMES, encode_times, read_times
from control.rl.training_names import CHECKPOINT, CURVE, POLICY, SCHEMA, SUMMARY
from drivers.errors import Refused
from drivers.state_file import write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from control.rl.seed_training import CurveRow, SeedJob
    from control.rl.workers import WorkerPool

SAVE_EVERY_S: Final = 60.0


@dataclass
class SeedProgress:
    """One seed of a training; `left_s` is the time left by its rate so far, `done` holds its figures at the end.

    `times_s`: how long it had trained at each of `rows`, all sessions together, from the start of its worker.
    """

    job: SeedJob
    folder: Path
    rows: list[CurveRow] = field(default_factory=list["CurveRow"])
    times_s: list[float] = field(default_factory=list[float])
    before_s: float = 0.0  # how long it had trained when this session began
    began_s: float = 0.0
    began_steps: int = 0
    saved_s: float = 0.0
    left_s: float = float("nan")
    alarm: str = ""
    question: str = ""
    done: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def steps(self) -> int:
        return self.rows[-1].steps if self.rows else 0


class Training:
    """Trains the seeds of `jobs` into folders of `out`, up to `steps` pack-steps, or for `seconds` each.

    `show` is called after each row. `is_stopped` tells whether to stop: then each seed ends its row and is saved.
    """

    def __init__(
        self,
        jobs: list[SeedJob],
        out: Path,
        pool: WorkerPool,
        *,
        steps: int,
        seconds: float | None,
        show: Callable[[SeedProgress], None],
        is_stopped: Callable[[], bool],
        now: Callable[[], float],
    ) -> None:
        self.seeds = [SeedProgress(job, out / f"seed_{job.seed}") for job in jobs]
        self._pool, self._steps, self._seconds = pool, steps, seconds
        self._show, self._is_stopped, self._now = show, is_stopped, now

    def run(self) -> None:
        """Train every seed; raise what a worker raised. A seed with an alarm ends alone."""
        waiting, running = list(self.seeds), dict[Any, SeedProgress]()
        try:
            while (waiting and not self._is_stopped()) or running:
                while waiting and len(running) < self._pool.slots and not self._is_stopped():
                    seed = waiting.pop(0)
                    running[self._start(seed)] = seed
                for worker, content in self._pool.wait(list(running)):
                    if self._take(worker, running[worker], content):
                        worker.stop()
                        del running[worker]
        finally:
            for worker in running:
                worker.stop()
            self._pool.close()

    def _start(self, seed: SeedProgress) -> Any:
        path = seed.folder / CHECKPOINT
        checkpoint = path.read_bytes() if path.is_file() else None
        worker = self._pool.start(seed.job, checkpoint, str(path))
        seed.began_s = seed.saved_s = self._now()
        self._ask(worker, seed, workers.ROWS)
        return worker

    def _ask(self, worker: Any, seed: SeedProgress, question: str) -> None:
        seed.question = question
        worker.submit(question)

    def _take(self, worker: Any, seed: SeedProgress, content: Any) -> bool:
        """Take an answer and ask the next question; return whether the seed is done."""
        if seed.question == workers.EXPORT:
            data, figures = content
            write_bytes(seed.folder / POLICY, data)
            seed.done = figures
            return True
        if seed.question == workers.SAVE:
            write_bytes(seed.folder / CHECKPOINT, content)
            seed.saved_s = self._now()
            self._ask(worker, seed, workers.EXPORT if self._is_done(seed) else workers.ADVANCE)
            return False
        if seed.question == workers.ROWS:
            self._continue(seed, content)
        else:
            row, seed.alarm = content
            seed.rows.append(row)
            seed.times_s.append(seed.before_s + self._now() - seed.began_s)
            write_bytes(seed.folder / CURVE, encode_curve(seed.rows), durable=False)
            steps = [one.steps for one in seed.rows]
            write_bytes(seed.folder / TIMES, encode_times(steps, seed.times_s), durable=False)
            seed.left_s = self._find_left_s(seed)
            self._show(seed)
        if seed.alarm:  # what is saved stays as it was before
            self._ask(worker, seed, workers.EXPORT)
        elif self._is_done(seed) or self._now() - seed.saved_s > SAVE_EVERY_S:
            self._ask(worker, seed, workers.SAVE)
        else:
            self._ask(worker, seed, workers.ADVANCE)
        return False

    def _continue(self, seed: SeedProgress, rows: list[CurveRow]) -> None:
        """Take the rows of the checkpoint, none at the start."""
        seed.rows, seed.began_steps = rows, rows[-1].steps if rows else 0
        seed.times_s = read_times(seed.folder / TIMES, [row.steps for row in rows])
        seed.before_s = seed.times_s[-1] if rows else 0.0

    def _is_done(self, seed: SeedProgress) -> bool:
        is_late = self._seconds is not None and self._now() - seed.began_s >= self._seconds
        return is_late or seed.steps >= self._steps or self._is_stopped()

    def _find_left_s(self, seed: SeedProgress) -> float:
        passed_s, done = self._now() - seed.began_s, seed.steps - seed.began_steps
        left_s = (self._steps - seed.steps) * passed_s / max(done, 1)
        return max(0.0, left_s if self._seconds is None else min(left_s, self._seconds - passed_s))


def require_fresh(out: Path, *, resume: bool) -> None:
    """Raise `Refused` where a training would overwrite another one, or continue one that is not there."""
    has_training = any(out.glob(f"seed_*/{CHECKPOINT}"))
    if has_training and not resume:
        raise Refused("holds a training", where=str(out), hint="add --resume to continue it, or name another folder")
    if resume and not has_training:
        raise Refused("holds no training", where=str(out), hint="leave --resume out to begin one")


def encode_curve(rows: list[CurveRow]) -> bytes:
    """Return a curve as CSV, one column for each field of `CurveRow`; numbers are written exactly."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows[0]._fields)
    writer.writerows(rows)
    return text.getvalue().encode()


def write_summary(out: Path, content: dict[str, Any]) -> None:
    """Write `summary.json` of a training."""
    write_bytes(out / SUMMARY, json.dumps({"schema": SCHEMA, **content}, indent=2).encode() + b"\n")
