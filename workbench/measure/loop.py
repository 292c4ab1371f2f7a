"""`measure loop`: how punctual the loop is beside a window that draws and a DFN that works."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.measure import process
from workbench.measure.job import conditions, percentile
from workbench.measure.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.snapshot import Floats
    from workbench.measure.job import Job
    from workbench.measure.metric import Row

_PLAIN: Final = "the same without real-time permission"
LATE_P50: Final = Metric("lateness of a turn, p50", "ms", "<", 1.0, _PLAIN)
LATE_P99: Final = Metric("lateness of a turn, p99", "ms", "<", 2.0, _PLAIN)
LATE_MAX: Final = Metric("lateness of a turn, greatest", "ms", "<", 10.0, _PLAIN)
TURN_P50: Final = Metric("a whole turn, p50", "ms", "<", 5.0, _PLAIN)
TURN_P99: Final = Metric("a whole turn, p99", "ms", "<", 10.0, _PLAIN)
MISSED: Final = Metric("turns left out", "%", "<", 0.1, _PLAIN)
METRICS: Final = (LATE_P50, LATE_P99, LATE_MAX, TURN_P50, TURN_P99, MISSED)

SECONDS: Final = 15
RUNNING: Final = 3.0


def measure(job: Job) -> Iterator[Row]:
    """Two runs of the emulated bench with all its lanes and a window offscreen, from the run's own columns."""
    said = conditions()
    job.say("the bench with what permission there is")
    ours = _run(job.folder / "ours", job.times(SECONDS), [])
    before = process.without_realtime()
    if before is None:
        job.say("peer left out: prlimit and setpriv are needed to take the permission away")
    else:
        job.say("the bench without real-time permission")
    peer = None if before is None else _run(job.folder / "peer", job.times(SECONDS), before)
    if peer is not None and peer["realtime"]:
        job.say("peer left out: its permission could not be taken away")
        peer = None
    got = "engine and guard have real-time permission" if ours["realtime"] else "NO real-time permission here"
    said = f"{said}; {got}; {len(ours['late'])} turns, DFN working, window offscreen"
    for metric, column, percent in (
        (LATE_P50, "late", 50),
        (LATE_P99, "late", 99),
        (LATE_MAX, "late", 100),
        (TURN_P50, "turn", 50),
        (TURN_P99, "turn", 99),
    ):
        other = None if peer is None else 1e3 * percentile(peer[column], percent)
        yield metric.row(1e3 * percentile(ours[column], percent), other, said)
    yield MISSED.row(ours["missed"], None if peer is None else peer["missed"], said)


def _run(folder: Path, seconds: int, before: list[str]) -> dict[str, Any]:
    """Lateness and duration of each turn while running (s), turns left out (%), whether permission was given."""
    from drivers.runlog.run import Run  # noqa: PLC0415

    folder.mkdir()
    with process.bench_window(folder, seconds, before) as window:
        told = process.told(folder, window, ended=True, within_s=process.START_S + seconds)
    with Run.open(Path(told["run"])) as run:
        columns = run.columns(["loop/late", "loop/turn", "loop/missed", "bench/state"])
    running = columns["bench/state"] == RUNNING
    late: Floats = columns["loop/late"][running]
    missed = float(columns["loop/missed"][running].sum())
    return {
        "realtime": told["realtime"],
        "late": late,
        "turn": columns["loop/turn"][running],
        "missed": 100.0 * missed / max(1.0, missed + len(late)),
    }
