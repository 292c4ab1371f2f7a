"""`train`: policies for a task by reinforcement learning, several seeds, stopped and resumed at will."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from control.rl.policy import Policy
from control.rl.seed_training import ALGORITHMS, SeedJob
from control.rl.training import Training, require_fresh, write_summary
from control.rl.training_names import POLICY
from control.rl.validation import PACKS, SEED
from control.rl.workers import ProcessPool
from control.tasks.task import find_task, read_task
from drivers.clock import monotonic
from drivers.errors import Interrupted, Usage
from drivers.version import VERSION
from workbench.extras import require
from workbench.run_folders import require_folder
from workbench.signals import leave_once
from workbench.verbs.given_prices import NO_PRICES, GivenPrices

if TYPE_CHECKING:
    from pathlib import Path

    from control.rl.training import SeedProgress
    from control.rl.workers import WorkerPool
    from control.tasks.task import ControlTask
    from workbench.report import Report

STEPS: Final = {"sac": 2_000_000, "cpo": 4_000_000}  # pack-steps of a seed, where neither steps nor minutes are given
SLOW_US: Final = 50.0  # a longer median time of one answer is named: a busy machine may be the reason


def main(
    report: Report,
    name: str,
    algorithm: str,
    seeds: int,
    out: Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    every: int = 32_000,
    resume: bool = False,
    ray: str = "",
    from_runs: Path | None = None,
    prices: GivenPrices = NO_PRICES,
    command: str = "",
) -> bool:
    """Train `seeds` policies; return True if every seed came to its end without an alarm.

    Writes curve, checkpoint and policy of each seed, and a summary, into `out`; raise `Interrupted` after a Ctrl-C,
    when all is saved.
    """
    if algorithm not in ALGORITHMS:
        raise Usage(f"there is no algorithm {algorithm!r}", value=algorithm, hint=f"one of: {', '.join(ALGORITHMS)}")
    if ray:
        require("distributed", "train --ray")
    task = prices.apply(report, read_task(find_task(name)))
    require_folder(out)
    require_fresh(out, resume=resume)
    if from_runs is not None:
        task = _refit(report, task, from_runs)
    stop = TrainingStop(report)
    leave_once(stop.request)
    limit = steps if steps is not None else STEPS[algorithm] if minutes is None else 10**12
    training = Training(
        [SeedJob(task, algorithm, seed, every) for seed in range(seeds)],
        out,
        _make_pool(ray, seeds),
        steps=limit,
        seconds=None if minutes is None else 60.0 * minutes,
        show=lambda seed: report.line(format_progress(seed)),
        is_stopped=stop.is_requested,
        now=monotonic,
    )
    began_s = monotonic()
    training.run()
    policies = [_describe_seed(seed) for seed in training.seeds]
    about = {
        "version": VERSION,
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "task": task.name,
        "task_sha256": task.sha256,
        "prices": None if task.market is None else task.market.describe(),
        "cell": task.cell.name,
        "cell_sha256": task.cell.sha256,
        "varies": task.varies.model_dump(mode="json"),  # the runs may have changed it
        "validation": {"seed": SEED, "packs": PACKS},
        "algorithm": algorithm,
        "train_s": round(monotonic() - began_s, 1),
        "seeds": policies,
    }
    write_summary(out, about)
    report.body.update(about, out=str(out))
    for policy in policies:
        report.line(_format_seed(policy))
    if stop.is_requested():
        hint = f"continue with: {command} --resume" if "--resume" not in command else f"continue with: {command}"
        raise Interrupted(f"the training is saved in {out}", hint=hint)
    return not any(seed["alarm"] for seed in policies)


class TrainingStop:
    """A requested end, which is told once."""

    def __init__(self, report: Report) -> None:
        self._report, self._requested, self._is_told = report, False, False

    def request(self) -> None:
        """Request the end; a signal handler may call it."""
        self._requested = True

    def is_requested(self) -> bool:
        """Return whether the end was requested; the first time, print what happens."""
        if self._requested and not self._is_told:
            self._is_told = True
            self._report.line("stopping: each seed ends its row and is saved")
        return self._requested


def format_progress(seed: SeedProgress) -> str:
    """Return the line of the newest row of a seed; an alarm follows it as a sentence."""
    row = seed.rows[-1]
    line = (
        f"seed {seed.job.seed}   {row.steps:>9,} steps   return {row.return_eur:+.5f} EUR   "
        f"cost {100.0 * row.constraint:5.2f} %   multiplier {row.multiplier:.3f}   "
        f"interventions {100.0 * row.interventions:5.2f} %   left {_format_s(seed.left_s)}"
    )
    return f"{line}\nalarm  seed {seed.job.seed}: {seed.alarm}" if seed.alarm else line


def _make_pool(ray: str, seeds: int) -> WorkerPool:
    if ray:
        from control.rl.ray_workers import RayPool  # noqa: PLC0415  # an extra that few have

        return RayPool(ray, seeds)
    return ProcessPool(min(seeds, os.cpu_count() or 1))


def _refit(report: Report, task: ControlTask, runs: Path) -> ControlTask:
    from control.rl.recorded_runs import fit_task, read_runs  # noqa: PLC0415  # asked for rarely

    fitted, fit = fit_task(task, read_runs(runs))
    report.line(fit.format_line())
    report.body["twin"] = fit.as_json()
    return fitted


def _describe_seed(seed: SeedProgress) -> dict[str, Any]:
    from control.rl.export import measure_inference_us  # noqa: PLC0415  # torch, which the seeds loaded elsewhere

    about: dict[str, Any] = {"seed": seed.job.seed, "steps": seed.steps, "alarm": seed.alarm, "best": seed.done}
    if not seed.done:
        return about | {"policy": None, "inference_us": [0.0, 0.0]}
    path = seed.folder / POLICY
    data = path.read_bytes()
    about |= {"policy": str(path), "policy_sha256": Policy(data, str(path)).sha256, "policy_bytes": len(data)}
    return about | {"inference_us": [round(value, 1) for value in measure_inference_us(data, monotonic)]}


def _format_seed(policy: dict[str, Any]) -> str:
    if policy["policy"] is None:
        return f"seed {policy['seed']}   not begun"
    best, (median_us, late_us) = policy["best"], policy["inference_us"]
    is_slow = f", more than {SLOW_US:g} us" if median_us > SLOW_US else ""
    return (
        f"seed {policy['seed']}   {policy['policy']}   "
        f"return {-best['cost_eur']:+.5f} EUR after {best['steps']:,} steps   "
        f"interventions {100.0 * best['interventions']:.2f} %   violations {100.0 * best['violations']:.2f} %, "
        f"without shield {100.0 * best['violations_without_shield']:.2f} %   "
        f"answers in {median_us:.1f} us (p99 {late_us:.1f} us){is_slow}"
    )


def _format_s(seconds: float) -> str:
    if seconds != seconds:  # noqa: PLR0124  # NaN: not known yet
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
