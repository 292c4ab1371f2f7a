"""Connect, arm, run: what a bench does when all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.ports import LinkState
from workbench.session import patience
from workbench.summary import summarise
from workbench.tour.step import Finding
from workbench.tour.yardstick import Yardstick
from workbench.window.model import CheckState, State

if TYPE_CHECKING:
    from workbench.tour.trip import Trip

RUN_S = 12.0
TRACKING_MV, SOC_ERROR, LATE_MS, CONNECT_S = 3.0, 0.03, 2.0, 15.0
MEETS = 2  # a turn meets the machine's stalls where it wakes, and where it or who holds the interpreter works


def connect(trip: Trip) -> Finding:
    """Every source answers, each with the identity that the bench file expects."""
    started_s = trip.now()
    session = trip.at(State.CONNECTED)
    took_s = trip.now() - started_s
    health = [
        source for source in session.status.health if source.name != "dut"
    ]  # it gets power when the bench is armed
    well = [source.name for source in health if source.state is LinkState.OK]
    ok = len(well) == len(health) > 0 and took_s < CONNECT_S
    evidence = f"{', '.join(well)} answer; evidence class {session.status.evidence_class}"
    return Finding(ok, took_s, "s", f"{len(health)} instruments within {CONNECT_S:g} s", evidence)


def arm(trip: Trip) -> Finding:
    """The checklist that the bench runs itself."""
    session = trip.at(State.ARMED)
    checks = session.status.checklist
    held = [check for check in checks if check.state is CheckState.OK]
    return Finding(len(held) == len(checks) > 0, len(held), "checks", f"all {len(checks)}", str(trip.run_folder))


def run(trip: Trip) -> Finding:
    """Lanes compared on the same samples, every tick on disk."""
    session = trip.at(State.RUNNING)
    machine = Yardstick()
    patience.idle(session, RUN_S)
    machine_ms = machine.p99_ms()
    trip.run = folder = trip.run_folder
    summary = patience.beside(session, lambda: summarise(folder, running_only=True))
    active = next(lane for lane in summary["lanes"] if lane["role"] == "twin" and lane["active"])
    errors = {lane["name"]: lane["soc_error"] for lane in summary["lanes"] if lane["soc_error"] is not None}
    worst = max(errors, key=lambda name: errors[name], default="no estimator")
    soc_error = errors.get(worst, 1.0)
    late_ms = summary["late_ms"]["p99"]
    in_time = late_ms - MEETS * machine_ms < LATE_MS or not session.status.realtime
    whole = summary["recorded"] == summary["ticks"]
    tracking_mv = active["tracking_mv"]
    ok = whole and in_time and tracking_mv < TRACKING_MV and soc_error < SOC_ERROR
    why = f"the machine {machine_ms:.2f} ms" if session.status.realtime else session.status.realtime_words
    late = f"late p99 {late_ms:.2f} ms ({why})"
    lost = (
        "every tick recorded" if whole else f"{summary['ticks'] - summary['recorded']} of {summary['ticks']} ticks lost"
    )
    evidence = f"{lost}, {summary['missed']} missed, {late}, SoC error at most {100 * soc_error:.1f} % ({worst})"
    late_target = f"late p99 < {LATE_MS:g} ms beyond {MEETS} times the machine's own"
    target = f"tracking < {TRACKING_MV:g} mV, {late_target}, SoC error < {100 * SOC_ERROR:g} %, no tick lost"
    return Finding(ok, tracking_mv, "mV tracking", target, evidence)
