"""`run`: a bench session without a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drivers.benchfile import read_bench
from drivers.canbus.dut_map import read_dut_map
from workbench.engine import injected_faults
from workbench.run_folders import EMULATED, require_folder
from workbench.selftest import evidence
from workbench.session.fault_plan import format_planned, planned
from workbench.summary import summarise
from workbench.verbs.headless_session import HeadlessSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workbench.report import Report

LATE_SHOWN = ("p50", "p99", "max")


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
    declared = read_bench(bench)  # report an error here, before a process is started
    offered = injected_faults.list_offered(declared, read_dut_map(declared.dut_map))
    plan = [planned(text, offered) for text in wanted]
    require_folder(out)
    for fault in plan:
        report.line(f"fault    {format_planned(fault)}")
    headless = HeadlessSession(bench, out, report, plan, unattended=unattended, take_over=take_over)
    folder = headless.run(duration_s)
    ended, ports = headless.tripped, headless.guard_ports
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
