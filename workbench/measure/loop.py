"""`measure loop`: the lateness of the loop beside a window that draws and a DFN that computes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.channel_names import BENCH_STATE, LOOP_TURN
from workbench import jitter
from workbench.measure import process
from workbench.measure.job import describe_conditions, percentile
from workbench.measure.metric import MeasuredMetric
from workbench.selftest.latency_probe import LatencyProbe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.snapshot import Floats
    from workbench.jitter import ServedInstants
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow
    from workbench.selftest.latency_probe import MachineLateness

_PLAIN: Final = "the same without real-time permission"
LATE_P50: Final = MeasuredMetric("lateness of a turn, p50", "ms", "<", 1.0, _PLAIN)
LATE_P99: Final = MeasuredMetric("lateness of a turn, p99", "ms", "<", 2.0, _PLAIN)
LATE_MAX: Final = MeasuredMetric("lateness of a turn, greatest", "ms", "<", 10.0, _PLAIN)
TURN_P50: Final = MeasuredMetric("a whole turn, p50", "ms", "<", 5.0, _PLAIN)
TURN_P99: Final = MeasuredMetric("a whole turn, p99", "ms", "<", 10.0, _PLAIN)
MISSED: Final = MeasuredMetric("turns left out", "%", "<", jitter.MOST_MISSED_PCT, _PLAIN)
METRICS: Final = (LATE_P50, LATE_P99, LATE_MAX, TURN_P50, TURN_P99, MISSED)

SECONDS: Final = 15
RUNNING: Final = 3.0


@dataclass(frozen=True)
class LoopMeasurement:
    """One run: the served instants while running, each turn's duration in s, and the machine's own lateness."""

    served: ServedInstants
    turn_s: Floats
    machine: MachineLateness
    realtime: bool


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure two runs of the emulated bench with all its lanes and an offscreen window, from the run's own columns.

    Lateness covers every due instant. Lateness that the machine itself may explain is not judged.
    """
    conditions = describe_conditions()
    job.say("the bench with the permission of this process")
    ours = _run(job.folder / "ours", job.times(SECONDS), [])
    before = process.make_command_without_realtime()
    if before is None:
        job.say("peer left out: it needs prlimit and setpriv to remove the permission")
    else:
        job.say("the bench without real-time permission")
    peer = None if before is None else _run(job.folder / "peer", job.times(SECONDS), before)
    if peer is not None and peer.realtime:
        job.say("peer left out: its permission could not be removed")
        peer = None
    yield from make_rows(ours, peer, conditions)


def make_rows(ours: LoopMeasurement, peer: LoopMeasurement | None, conditions: str) -> Iterator[MeasureRow]:
    """Return every declared figure of one run beside that of the other."""
    got = "engine and guard have real-time permission" if ours.realtime else "NO real-time permission here"
    own = (
        f"the machine itself late by {ours.machine.late_ms(99):.3g} ms at p99, {ours.machine.late_ms(100):.3g} ms worst"
    )
    conditions = f"{conditions}; {got}; {len(ours.served.late_s)} due instants, DFN working, window offscreen; {own}"
    for metric, percent in ((LATE_P50, 50), (LATE_P99, 99), (LATE_MAX, 100)):
        other = None if peer is None else 1e3 * percentile(peer.served.late_s, percent)
        late_ms = 1e3 * percentile(ours.served.late_s, percent)
        yield metric.make_row(late_ms, other, conditions, own=ours.machine.late_ms(percent))
    for metric, percent in ((TURN_P50, 50), (TURN_P99, 99)):
        other = None if peer is None else 1e3 * percentile(peer.turn_s, percent)
        yield metric.make_row(
            1e3 * percentile(ours.turn_s, percent), other, conditions, own=ours.machine.late_ms(percent)
        )
    missed = None if peer is None else peer.served.missed_pct
    yield MISSED.make_row(ours.served.missed_pct, missed, conditions, own=ours.machine.missed_pct)


def _run(folder: Path, seconds: int, before: list[str]) -> LoopMeasurement:
    from drivers.runlog.run import Run  # noqa: PLC0415  # only this figure needs it

    folder.mkdir()
    probe = LatencyProbe()
    try:
        with process.bench_window(folder, seconds, before) as window:
            result = process.read_result(folder, window, ended=True, within_s=process.START_S + seconds)
    finally:
        machine = probe.finish()
    with Run.open(Path(result["run"])) as run:
        columns = run.columns([*jitter.COLUMNS, BENCH_STATE])
    running = columns[BENCH_STATE] == RUNNING
    t_s = columns["t_s"][running]
    machine = machine.select(t_s[0], t_s[-1]) if len(t_s) else machine
    return LoopMeasurement(
        jitter.compute_served(columns, running), columns[LOOP_TURN][running], machine, result["realtime"]
    )
