"""`measure window`: its start time and frame rate, alone and beside a running bench, without a display."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final

from workbench.measure import process
from workbench.measure.job import describe_conditions
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

_ALL: Final = "pyqtgraph, all points"
_REDUCED: Final = "pyqtgraph, given our least and greatest per pixel"
_SHARED: Final = "the window shares its cores with engine, guard, DFN and four emulators, which go first"
_ALONE: Final = "the plots of the rows above, no bench beside them"
SHELL: Final = MeasuredMetric("shell on screen after process start", "ms", "<", 500.0, "an empty window of PySide6")
PLOTS: Final = MeasuredMetric("plots on screen after process start", "ms", "<", 1500.0, "12 empty plots of pyqtgraph")
FRAMES: Final = MeasuredMetric("painted frames, 12 plots of 4 curves of 6 000 points", "/s", ">=", 29.5, _ALL)
CORE: Final = MeasuredMetric("core taken by them", "%", "<", 60.0, _ALL)
EACH: Final = MeasuredMetric("core time of one such frame", "ms", "<", 20.0, _REDUCED)
BESIDE_FRAMES: Final = MeasuredMetric(
    "painted frames of the whole window beside a running bench", "/s", ">=", 29.5, _ALONE, _SHARED
)
BESIDE_CORE: Final = MeasuredMetric("core taken by the whole window beside a running bench", "%", "<", 60.0, _ALONE)
GIANTS: Final = MeasuredMetric("of torch, pybamm and scipy, imported in the window's process", "", "<=", 0.0)
METRICS: Final = (SHELL, PLOTS, FRAMES, CORE, EACH, BESIDE_FRAMES, BESIDE_CORE, GIANTS)

STARTS: Final = 3
SECONDS: Final = 8


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure each figure in a process of its own, in turns with the peer; 29.5 frames count as the 30 of a timer."""
    conditions = f"{describe_conditions()}; offscreen, software rendering"
    yield from _measure_starts(job, conditions)
    job.say("12 plots beside pyqtgraph with all points and with reduced ones")
    own, whole, reduced = _measure_costs(job)
    yield FRAMES.make_row(own["fps"], whole["fps"], conditions)
    yield CORE.make_row(own["cpu_pct"], whole["cpu_pct"], conditions)
    yield EACH.make_row(_frame_ms(own), _frame_ms(reduced), conditions)
    job.say("the whole window beside a running bench")
    beside = _measure_beside_bench(job)
    conditions = f"{conditions}; median of {job.times(SECONDS)} seconds, bench and window on the same cores"
    yield BESIDE_FRAMES.make_row(beside["fps"], own["fps"], conditions)
    yield BESIDE_CORE.make_row(beside["cpu_pct"], own["cpu_pct"], conditions)
    yield GIANTS.make_row(len(beside["giants"]), None, f"{', '.join(beside['giants']) or 'none'} found")


def _measure_starts(job: MeasureJob, conditions: str) -> Iterator[MeasureRow]:
    results: dict[str, list[dict[str, Any]]] = {"own": [], "qt": [], "pyqtgraph": []}
    times = job.times(STARTS)
    job.say(f"starting main.py and its peers {times} times, and once before")
    for n in range(times + 1):
        for whose, found in results.items():
            if (
                once := _measure_start(job, f"start_{whose}{n}", "first_paint", whose)
            ) and n:  # the first reads files from disk
                found.append(once)
    middle = {
        (whose, what): statistics.median(once[what] for once in found)
        for whose, found in results.items()
        for what in ("shell_ms", "plots_ms")
    }
    conditions = f"{conditions}; median of {times} warm starts"
    yield SHELL.make_row(middle["own", "shell_ms"], middle["qt", "shell_ms"], conditions)
    yield PLOTS.make_row(middle["own", "plots_ms"], middle["pyqtgraph", "plots_ms"], conditions)


def _measure_start(job: MeasureJob, name: str, module: str, whose: str) -> dict[str, Any]:
    folder = job.folder / name
    folder.mkdir()
    with process.child(folder, "-m", f"workbench.measure.{module}", str(folder), whose) as child:
        return process.read_result(folder, child, ended=True)


def _measure_costs(job: MeasureJob) -> list[dict[str, float]]:
    """Return `fps` and `cpu_pct` of ours, of pyqtgraph with all points and with reduced ones; ours before and after."""
    found: dict[str, list[dict[str, float]]] = {}
    for n, whose in enumerate(("own", "all", "reduced", "own")):
        found.setdefault(whose, []).append(_measure_start(job, f"cost{n}", "plots_cost", whose))
    return [{what: statistics.fmean(once[what] for once in each) for what in each[0]} for each in found.values()]


def _frame_ms(cost: dict[str, float]) -> float:
    """Return the core time of one painted frame in ms."""
    return 10.0 * cost["cpu_pct"] / cost["fps"]


def _measure_beside_bench(job: MeasureJob) -> dict[str, Any]:
    """Return the figures that the window beside a running bench reported."""
    folder, seconds = job.folder / "bench", job.times(SECONDS)
    folder.mkdir()
    with process.bench_window(folder, seconds) as window:
        return process.read_result(folder, window, ended=True, within_s=process.START_S + seconds)
