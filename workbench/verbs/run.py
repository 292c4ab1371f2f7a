"""`run`: a bench session without a window."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from control.state import BenchState
from drivers.event import Level
from workbench.compose.session import open_session
from workbench.engine import injected_faults
from workbench.engine.bench_checks import read_checked_bench
from workbench.run_folders import EMULATED
from workbench.selftest import evidence
from workbench.session import waiting
from workbench.session.fault_plan import planned
from workbench.session.live_session import LEAVE_S, SEAL_S
from workbench.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.report import Report
    from workbench.session.fault_plan import Planned

ACT_S = 5.0
LATE_SHOWN = ("p50", "p99", "max")


class HeadlessSession:
    """One session that prints its events, injects the planned faults and shows its progress."""

    def __init__(
        self,
        bench: Path,
        out: Path,
        report: Report,
        plan: Sequence[Planned],
        *,
        unattended: bool,
        take_over: bool = False,
    ) -> None:
        self.session = open_session(bench, out, unattended=unattended, take_over=take_over)
        self.injected: list[dict[str, Any]] = []
        self.tripped = ""
        self._report = report
        self._next_event = 0
        # the relay of an open wire needs the BMS unpowered
        self._before = [fault for fault in plan if fault.name == injected_faults.OPEN_WIRE]
        self._scheduled_faults = sorted(
            [(fault.at_s, fault, True) for fault in plan if fault not in self._before]
            + [(fault.at_s + fault.for_s, fault, False) for fault in plan],
            key=lambda scheduled: scheduled[0],
        )
        self._numbers: dict[Planned, int] = {}

    def report_events(self) -> None:
        """Print new warnings and alarms."""
        for record in self.session.events(self._next_event):
            self._next_event, event = record.number + 1, record.event
            if event.level is not Level.INFO:
                self._report.line(f"{event.level.value:<8} {event.source}: {event.text}")

    def run(self, duration_s: float) -> Path:
        """Connect, arm, run, stop; return the folder of the run. Raise `PulseError`."""
        session = self.session
        waiting.finish(session, session.connect(), waiting.CONNECT_S)
        folder = Path(session.status.run_folder)
        self._report.body["run"] = str(folder)
        self._report.line(f"connected: {session.bench.name}, evidence class {session.status.evidence_class}")
        for fault in self._before:
            self._inject(fault, 0.0)
        waiting.finish(session, session.arm(), waiting.ARM_S)
        self._report.line(f"armed: {len(session.status.checklist)} checks hold")
        waiting.finish(session, session.start(duration_s), ACT_S)
        self._report.line(f"running for {duration_s:g} s")
        self._wait_for_end(duration_s)
        self.tripped = session.status.trip_reason
        if session.status.state is BenchState.RUNNING:
            waiting.finish(session, session.stop(), 2 * ACT_S)
        waiting.finish(session, session.disconnect(), LEAVE_S + SEAL_S)
        return folder

    def _wait_for_end(self, duration_s: float) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("running", total=duration_s)
            started_s = time.monotonic()
            while (elapsed_s := time.monotonic() - started_s) < duration_s:
                self._inject_due(elapsed_s)
                next_s = self._scheduled_faults[0][0] - elapsed_s if self._scheduled_faults else duration_s
                waiting.idle(self.session, max(0.0, min(0.25, duration_s - elapsed_s, next_s)))
                progress.update(bar, completed=elapsed_s)
                self.report_events()
                if self.session.status.state is not BenchState.RUNNING:
                    return

    def _inject_due(self, elapsed_s: float) -> None:
        while self._scheduled_faults and self._scheduled_faults[0][0] <= elapsed_s:
            _, fault, begins = self._scheduled_faults.pop(0)
            if begins:
                self._inject(fault, elapsed_s)
            elif fault in self._numbers:
                waiting.finish(self.session, self.session.clear(self._numbers.pop(fault)), ACT_S)

    def _inject(self, fault: Planned, at_s: float) -> None:
        asked_s = time.monotonic()
        pending = self.session.inject(fault.name, fault.parameters)
        waiting.finish(self.session, pending, ACT_S)
        self._numbers[fault] = int(pending.payload["number"])
        self.injected.append(
            {"name": fault.name, "parameters": fault.parameters, "at_s": round(at_s, 3), "asked_s": asked_s}
        )


def main(
    report: Report,
    bench: Path,
    duration_s: float,
    out: Path,
    wanted: Sequence[str] = (),
    *,
    unattended: bool = False,
    take_over: bool = False,
) -> bool:
    """Run a session; return True if the bench ran to the end, every tick was recorded and no lane failed."""
    checked = read_checked_bench(bench)  # report an error here, before a process is started
    offered = injected_faults.list_offered(checked.bench, checked.mapped)
    plan = [planned(text, offered) for text in wanted]
    headless = HeadlessSession(bench, out, report, plan, unattended=unattended, take_over=take_over)
    try:
        folder = headless.run(duration_s)
        ended, ports = headless.tripped, headless.session.guard_ports
    finally:
        headless.session.close()
        headless.report_events()
    summary = summarise(folder)
    report.body.update(summary, faults=headless.injected)
    for fault in headless.injected:
        asked_s = fault.pop("asked_s")
        if fault["name"] == injected_faults.BENCH_V:
            summary["safe_ms"]["limit"] = evidence.measure_limit_to_off_ms(folder / EMULATED, asked_s, ports)
    _report_summary(report, summary)
    if ended:
        report.line(f"tripped  {ended}")
    failed = any(lane["failed"] for lane in summary["lanes"])
    return not ended and not failed and summary["recorded"] == summary["ticks"]


def _report_summary(report: Report, summary: dict[str, Any]) -> None:
    late = summary["late_ms"]
    report.line(f"run      {report.body['run']}")
    report.line(f"ticks    {summary['ticks']}, recorded {summary['recorded']}, missed {summary['missed']}")
    figures = ", ".join(f"{name} {'unknown' if late[name] is None else f'{late[name]:.3f} ms'}" for name in LATE_SHOWN)
    report.line(f"late     {figures}, of {summary['due']} due")
    for lane in summary["lanes"]:
        report.line(format_lane(lane))
    if (off_ms := summary["safe_ms"]["limit"]) is not None:
        report.line(f"safe     {off_ms:.0f} ms from bench limit crossed to supply off by the guard's own connection")


def format_lane(lane: dict[str, object]) -> str:
    """Return a line for one lane with its scores."""
    names = {"tracking_mv": "tracking", "difference_mv": "difference to active", "residual_mv": "residual"}
    figures = [f"{words} {lane[key]:.2f} mV" for key, words in names.items() if lane[key] is not None]
    if lane["soc_error"] is not None:
        figures.append(f"SoC error against the active twin {100 * float(str(lane['soc_error'])):.2f} %")
    if lane["reason"]:
        figures.append(f"no score: {lane['reason']}")
    mark = "FAILED" if lane["failed"] else "active" if lane["active"] else "shadow"
    step = "no step" if lane["step_us"] is None else f"{lane['step_us']:.1f} us"
    return f"{lane['role']!s:<10} {lane['name']!s:<18} {mark:<7} {step:>10}  {'  '.join(figures)}".rstrip()
