"""`measure load`: the core time of a running bench with all its lanes, beside its window."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from drivers.clock import monotonic
from drivers.source_names import EMULATORS
from workbench.measure import process
from workbench.measure.job import describe_conditions
from workbench.measure.metric import MeasuredMetric
from workbench.run_folders import EMULATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

ENGINE: Final = MeasuredMetric("core taken by engine, twins and guard of a running bench", "%", "<", 100.0)
INSTRUMENTS: Final = MeasuredMetric("core taken by its four emulated instruments", "%", "<", 60.0)
METRICS: Final = (ENGINE, INSTRUMENTS)

SECONDS: Final = 10


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure the core time of each process over some seconds, as the system counts it; 100 % is one core."""
    seconds = job.times(SECONDS)
    job.say("what a running bench takes of the cores")
    with process.bench_window(job.folder, 0) as window:
        run = Path(process.read_result(job.folder, window, ended=False)["run"])
        pids = json.loads((run / EMULATED / "bench.json").read_text(encoding="utf-8"))["pids"]
        emulators = [psutil.Process(pids[name]) for name in EMULATORS]
        children = psutil.Process(window.pid).children(recursive=True)
        ours = [child for child in children if child.pid not in pids.values()]
        before_s, began_s = (_core_s(ours), _core_s(emulators)), monotonic()
        time.sleep(seconds)
        after_s, took_s = (_core_s(ours), _core_s(emulators)), monotonic() - began_s
    process.wait_for_emulators(run)
    conditions = f"{describe_conditions()}; all lanes, window offscreen beside it; {seconds} seconds"
    for metric, before, after in zip(METRICS, before_s, after_s, strict=True):
        yield metric.make_row(100.0 * (after - before) / took_s, None, conditions)


def _core_s(processes: Iterable[psutil.Process]) -> float:
    """Return the core time of the processes so far, in s."""
    total = 0.0
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            spent = one.cpu_times()
            total += spent.user + spent.system
    return total
