"""Steps of a healthy bench: connect, arm, run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from control.state import BenchState
from drivers import source_names
from drivers.bench_lock import find_holders
from drivers.ports import LinkState
from workbench import jitter
from workbench.selftest.latency_probe import LatencyProbe
from workbench.selftest.step import StepFinding
from workbench.session import waiting
from workbench.session.status import CheckState
from workbench.summary import summarise

if TYPE_CHECKING:
    from workbench.selftest.context import SelftestContext
    from workbench.selftest.latency_probe import MachineLateness
    from workbench.session.status import SessionStatus

RUN_S = 12.0
TRACKING_MV, SOC_ERROR, LATE_MS, CONNECT_S = 3.0, 0.03, 2.0, 15.0


def run_connect(context: SelftestContext) -> StepFinding:
    """Connect: every source must answer with the identity that the bench file expects."""
    started_s = context.now_s()
    session = context.bring_to(BenchState.CONNECTED)
    took_s = context.now_s() - started_s
    health = [
        source for source in session.status.health if source.name != source_names.DUT
    ]  # it gets power when the bench is armed
    well = [source.name for source in health if source.state is LinkState.OK]
    ok = len(well) == len(health) > 0 and took_s < CONNECT_S
    evidence = f"{', '.join(well)} answer; evidence class {session.status.evidence_class}"
    return StepFinding(ok, took_s, "s", f"{len(health)} instruments within {CONNECT_S:g} s", evidence)


def run_arm(context: SelftestContext) -> StepFinding:
    """Arm: every check of the bench's own checklist must hold."""
    session = context.bring_to(BenchState.ARMED)
    checks = session.status.checklist
    held = [check for check in checks if check.state is CheckState.OK]
    return StepFinding(len(held) == len(checks) > 0, len(held), "checks", f"all {len(checks)}", str(context.run_folder))


def run_lanes(context: SelftestContext) -> StepFinding:
    """Run the lanes on the same samples and judge the recorded run; every tick must be on disk."""
    session = context.bring_to(BenchState.RUNNING)
    probe, excuse = LatencyProbe(), find_excuse(session.status)
    waiting.idle(session, RUN_S)
    machine, excuse = probe.finish(), excuse or find_excuse(session.status)
    context.run = folder = context.run_folder
    summary = waiting.beside(session, lambda: summarise(folder, running_only=True))
    return judge_run(summary, machine, excuse)


def find_excuse(status: SessionStatus) -> str:
    """Return why this machine cannot be asked to keep time: no permission, or another bench on the same cores."""
    if not status.realtime:
        return status.realtime_words
    if len(holders := find_holders()) > 1:  # one is this bench
        return f"{len(holders)} benches run on this machine: {'; '.join(holder.sentence for holder in holders)}"
    return ""


def judge_run(summary: dict[str, Any], machine: MachineLateness, excuse: str) -> StepFinding:
    """Return the finding for a run. Do not judge lateness and missed turns where the machine may be the cause.

    `excuse`: why this machine cannot be asked to keep time, empty where it can.
    """
    lanes = summary["lanes"]
    tracking_mv = _find_worst([lane["tracking_mv"] for lane in lanes if lane["was_active"] and lane["role"] == "twin"])
    soc_error, worst = _find_worst_estimator(lanes)
    failed = [f"{lane['role']} {lane['name']}: {lane['reason']}" for lane in lanes if lane["failed"]]
    whole = summary["recorded"] == summary["ticks"]
    good = whole and not failed and tracking_mv < TRACKING_MV and soc_error < SOC_ERROR
    in_time, reason = judge_lateness(summary, machine, excuse)
    lost = f"{summary['ticks'] - summary['recorded']} of {summary['ticks']} ticks lost"
    late_ms = summary["late_ms"]["p99"]
    late = "lateness unknown" if late_ms is None else f"late p99 {late_ms:.2f} ms of {summary['due']} due"
    evidence = (
        f"{'every tick recorded' if whole else lost}, {summary['missed']} missed, "
        f"{late} (the machine {machine.late_ms(99):.2f} ms), SoC error at most {100 * soc_error:.1f} % ({worst})"
    )
    target = (
        f"tracking < {TRACKING_MV:g} mV, late p99 < {LATE_MS:g} ms, missed < {jitter.MOST_MISSED_PCT:g} %, "
        f"SoC error < {100 * SOC_ERROR:g} %, no tick lost, no lane failed"
    )
    ok = False if not good else in_time
    value = tracking_mv if math.isfinite(tracking_mv) else "no score of"
    return StepFinding(ok, value, "mV tracking", target, "; ".join([evidence, *failed]), reason if ok is None else "")


def judge_lateness(summary: dict[str, Any], machine: MachineLateness, excuse: str) -> tuple[bool | None, str]:
    """Return whether turns came in time and none was missed; None and the reason where the machine cannot keep time.

    A machine that is itself too late cannot tell whose the missed turns are: its stalls add to the work of a turn.
    """
    late_ms, due = summary["late_ms"]["p99"], summary["due"]
    if late_ms is None:
        return False, ""
    missed_pct = 100.0 * summary["missed"] / due
    held = (
        jitter.is_within(late_ms, LATE_MS, machine.late_ms(99)),
        jitter.is_within(missed_pct, jitter.MOST_MISSED_PCT, machine.missed_pct),
    )
    if all(held):
        return True, ""
    if excuse:
        return None, f"late p99 {late_ms:.2f} ms, {missed_pct:.2g} % missed; {excuse}"
    own = f"the machine itself is late by {machine.late_ms(99):.2f} ms at p99 and misses {machine.missed_pct:.2g} %"
    ours = False in held and machine.late_ms(99) < LATE_MS
    return (False, "") if ours else (None, f"late p99 {late_ms:.2f} ms, {missed_pct:.2g} % missed; {own}")


def _find_worst(values: list[float | None]) -> float:
    """Return the greatest value; infinity where one is None or the list is empty."""
    return max((math.inf if value is None else value for value in values), default=math.inf)


def _find_worst_estimator(lanes: list[dict[str, Any]]) -> tuple[float, str]:
    """Return the greatest SoC error and its estimator; infinity without a score or without an estimator."""
    errors = {lane["name"]: _find_worst([lane["soc_error"]]) for lane in lanes if lane["role"] == "estimator"}
    worst = max(errors, key=lambda name: errors[name], default="no estimator")
    return errors.get(worst, math.inf), worst
