"""`tour`: the whole chain without a person."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from drivers.errors import PulseError
from workbench.cli import EMULATED_BENCH
from workbench.folders import fresh
from workbench.tour.itinerary import chosen, known_sabotage
from workbench.tour.step import NOT_BUILT, Finding, Step, line, row
from workbench.tour.trip import Trip

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.outcome import Report


def main(report: Report, out: Path, only: str, sabotage: str) -> bool:
    """Walk; True when every judged step is ok. Each tour writes into a folder of its own under `out`."""
    steps, sabotage = chosen(only), known_sabotage(sabotage)
    folder = fresh(out.resolve(), time.strftime("%Y-%m-%d_%H%M%S", time.gmtime()))
    trip = Trip(folder, EMULATED_BENCH, sabotage, report.line)
    rows = report.body["steps"] = list[dict[str, object]]()
    failed = set[str]()
    try:
        for number, step in steps:
            missing = next((name for name in step.needs if name in failed), "")
            finding = _not_walked(missing) if missing else _walk(step, trip)
            if not finding.ok:
                failed.add(step.name)
            rows.append(row(number, step, finding))
            report.line(line(number, step, finding))
            if finding.evidence and finding is not NOT_BUILT:
                report.line(f"          {finding.evidence}")
    finally:
        trip.leave()
    run = str(trip.run) if trip.run else None
    report.body["files"] = {"run": run, "report": None, "bundle": None, "pictures": [str(p) for p in trip.pictures]}
    return all(bool(found["ok"]) for found in rows)


def _not_walked(missing: str) -> Finding:
    return Finding(ok=False, value="not walked", target="walked", evidence=f"{missing} has failed")


def _walk(step: Step, trip: Trip) -> Finding:
    """A step that cannot be walked fails with the sentence that says why; the tour goes on."""
    if step.walk is None:
        return NOT_BUILT
    try:
        return step.walk(trip)
    except PulseError as error:
        return Finding(ok=False, value="failed", target="walked", evidence=str(error))
