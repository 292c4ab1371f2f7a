"""The summary of a run, read back from its folder: the figures that `run --json` and `selftest` report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drivers.channel_names import BENCH_STATE, LOOP_NUMBER
from drivers.jsonvalues import nan_to_null
from drivers.runlog.run import Run
from workbench import jitter
from workbench.scores import RUNNING, compute_lane_scores

if TYPE_CHECKING:
    from pathlib import Path


def summarise(folder: Path, *, running_only: bool = False) -> dict[str, Any]:
    """Return ticks, lateness and lanes of a run, live or ended; raise `RunLogError`.

    `late_ms` covers every instant that was `due`; `missed` counts those without a turn of their own.
    """
    run = Run.open(folder)
    ticks = run.columns([*jitter.COLUMNS, BENCH_STATE])
    served = jitter.compute_served(ticks, ticks[BENCH_STATE] == RUNNING if running_only else None)
    late_ms = {name: nan_to_null(value) for name, value in served.figures_ms().items()}
    return {
        "ticks": int(ticks[LOOP_NUMBER][-1]) if run.count else 0,
        "recorded": len(ticks[LOOP_NUMBER]),
        "due": len(served.late_s),
        "missed": served.missed,
        "late_ms": late_ms,
        "safe_ms": dict.fromkeys(("limit", "engine_killed", "window_killed", "outputs_off")),
        "window": dict.fromkeys(("shell_ms", "plots_ms", "fps", "cpu_pct")),
        "lanes": compute_lane_scores(run),
    }
