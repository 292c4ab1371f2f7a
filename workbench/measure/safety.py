"""`measure safety`: four ways to end the current, each by the guard's own connection, from the supply's journal."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from control.state import BenchState
from drivers.clock import monotonic
from drivers.errors import BenchError, PulseError
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.measure import process
from workbench.measure.job import describe_conditions
from workbench.measure.metric import MeasuredMetric
from workbench.run_folders import EMULATED
from workbench.selftest import evidence, safety_steps
from workbench.selftest.context import SelftestContext
from workbench.selftest.reaction import Reaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow
    from workbench.selftest.step import StepFinding

_NOT: Final = "not off in time, or not by the guard's own connection, in one of the repeats"
LIMIT: Final = MeasuredMetric("bench limit crossed to supply off, worst", "ms", "<", 200.0, reason=_NOT)
OUTPUTS_OFF: Final = MeasuredMetric("OUTPUTS OFF pressed to supply off, worst", "ms", "<", 200.0, reason=_NOT)
ENGINE: Final = MeasuredMetric("engine killed to supply off, worst", "ms", "<", 200.0, reason=_NOT)
WINDOW: Final = MeasuredMetric("window killed to supply off, worst", "ms", "<", 200.0, reason=_NOT)
METRICS: Final = (LIMIT, OUTPUTS_OFF, ENGINE, WINDOW)

REPEATS: Final = 3
PROBE_S: Final = 0.5  # for the latency probe to start


STEPS: Final = (
    (LIMIT, safety_steps.cross_limit),
    (OUTPUTS_OFF, safety_steps.press_outputs_off),
    (ENGINE, safety_steps.kill_engine),
)


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Repeat the selftest's own steps; a step that fails counts as not measured and meets no target."""
    conditions, repeats = describe_conditions(), job.times(REPEATS)
    found: dict[MeasuredMetric, list[float]] = {metric: [] for metric in METRICS}
    for n in range(repeats):
        job.say(f"round {n + 1} of {repeats}: limit, OUTPUTS OFF, engine killed, window killed")
        folder = job.folder / f"round{n}"
        folder.mkdir()
        context = SelftestContext(folder, EMULATED_BENCH, "", job.say)
        try:
            for metric, step in STEPS:
                found[metric] += _measure_off_ms(lambda step=step, trip=context: step(trip), job)
        finally:
            context.close_session()
        found[WINDOW] += _measure_off_ms(lambda folder=folder: _kill_window(folder), job)
    for metric, took_ms in found.items():
        worst_ms = max(took_ms, key=_badness, default=float("nan"))
        yield metric.make_row(worst_ms, None, f"{conditions}; worst of {len(took_ms)}, by the supply's journal")


def _measure_off_ms(step: Callable[[], StepFinding], job: MeasureJob) -> list[float]:
    """Return one figure in ms.

    It is NaN if the output did not go off, did not go off by the guard, or if the bench did not get that far.
    """
    try:
        finding = step()
    except PulseError as error:
        job.say(f"failed: {error}")
        return [math.nan]
    if not finding.ok:
        job.say(f"was not met: {finding.value} {finding.unit}; {finding.evidence}")
    late = isinstance(finding.value, float) and finding.value >= safety_steps.OFF_MS
    return [float(finding.value or "nan") if finding.ok or late else float("nan")]


def _badness(took_ms: float) -> float:
    """Return the sort key of a value: one that was not measured is the worst."""
    return float("inf") if math.isnan(took_ms) else took_ms


def _kill_window(folder: Path) -> StepFinding:
    """Kill a window that runs the bench; return the finding of how the output went off."""
    own = folder / "window"
    own.mkdir()
    with process.bench_window(own, 0) as window:
        result = process.read_result(own, window, ended=False)
        if result["state"] != BenchState.RUNNING.word or not result["ports"]:
            raise BenchError(
                f"the bench of the measured window is {result['state']}", hint="run: python main.py selftest"
            )
        reaction = Reaction()
        time.sleep(PROBE_S)
        reaction.since_s = monotonic()
        window.kill()
        ports = frozenset[int](result["ports"])
        off = evidence.find_requested_off(Path(result["run"]) / EMULATED, reaction.since_s, ports)
    process.wait_for_emulators(Path(result["run"]))
    return safety_steps.judge_off(off, ports, reaction, "window killed")
