"""`run`: a bench session without a window."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from drivers.benchfile import read_bench
from workbench.session import patience
from workbench.session.live import LiveSession
from workbench.summary import summarise
from workbench.window.model import Level, State

if TYPE_CHECKING:
    from workbench.outcome import Report

CONNECT_S, ARM_S, LEAVE_S = 30.0, 40.0, 20.0


class Headless:
    """One session that prints its events and shows how far it is."""

    def __init__(self, bench: Path, out: Path, report: Report, *, unattended: bool) -> None:
        read_bench(bench)  # a mistake ends here, before a process is started
        self.session = LiveSession(bench, out, unattended=unattended)
        self._report = report
        self._told = 0

    def tell(self) -> None:
        """Print warnings and alarms that are new."""
        for event in self.session.events(self._told):
            self._told = event.number + 1
            if event.level is not Level.INFO:
                self._report.line(f"{event.level.value:<8} {event.where}: {event.sentence}")

    def walk(self, duration_s: float) -> Path:
        """Connect, arm, run, stop; the folder of the run. Raises `BenchError`."""
        session = self.session
        patience.finish(session, session.connect(), CONNECT_S)
        self._report.line(f"connected: {session.bench.name}, evidence class {session.status.evidence_class}")
        patience.finish(session, session.arm(), ARM_S)
        self._report.line(f"armed: {len(session.status.checklist)} checks hold")
        patience.finish(session, session.start(duration_s), 5.0)
        self._report.line(f"running for {duration_s:g} s")
        self._watch(duration_s)
        if session.status.state is State.RUNNING:
            patience.finish(session, session.stop(), 10.0)
        folder = Path(session.status.run_folder)
        patience.finish(session, session.disconnect(), LEAVE_S)
        return folder

    def _watch(self, duration_s: float) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("running", total=duration_s)
            started_s = time.monotonic()
            while (gone_s := time.monotonic() - started_s) < duration_s:
                patience.idle(self.session, min(0.25, duration_s - gone_s))
                progress.update(bar, completed=gone_s)
                self.tell()
                if self.session.status.state is not State.RUNNING:
                    return


def main(report: Report, bench: Path, duration_s: float, out: Path, *, unattended: bool) -> bool:
    """True when the bench ran to the end and every tick was recorded."""
    headless = Headless(bench, out, report, unattended=unattended)
    try:
        folder = headless.walk(duration_s)
        ended = headless.session.status.trip_reason
    finally:
        headless.session.close()
        headless.tell()
    summary = summarise(folder)
    report.body.update(summary, run=str(folder))
    late = summary["late_ms"]
    report.line(f"run      {folder}")
    report.line(f"ticks    {summary['ticks']}, recorded {summary['recorded']}, missed {summary['missed']}")
    report.line(f"late     p50 {late['p50']:.3f} ms, p99 {late['p99']:.3f} ms, max {late['max']:.3f} ms")
    for lane in summary["lanes"]:
        report.line(lane_line(lane))
    if ended:
        report.line(f"tripped  {ended}")
    return not ended and summary["recorded"] == summary["ticks"]


def lane_line(lane: dict[str, object]) -> str:
    """One lane with what it can be compared by."""
    names = {"tracking_mv": "tracking", "difference_mv": "difference to active", "residual_mv": "residual"}
    figures = [f"{words} {lane[key]:.2f} mV" for key, words in names.items() if lane[key] is not None]
    if lane["soc_error"] is not None:
        figures.append(f"SoC error against the active twin {100 * float(str(lane['soc_error'])):.2f} %")
    mark = "active" if lane["active"] else "shadow"
    return f"{lane['role']!s:<10} {lane['name']!s:<18} {mark:<7} {lane['step_us']:>8.1f} us  {'  '.join(figures)}"
