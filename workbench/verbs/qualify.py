"""`certify --qualify`: measure how good the suite is."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Final

from drivers.benchfile.read import read_bench
from drivers.errors import Usage
from workbench.certify.limits import read_limits
from workbench.certify.qualify import QualificationTrial, TrialResult, qualify_suite
from workbench.certify.runner import find_suite
from workbench.compose.defects import refuse_without_part
from workbench.compose.named_defects import list_bms_defects, seed_defect
from workbench.run_folders import make_stamped

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.report import Report

MISSED: Final = 1  # one of the twelve may stay undetected
SEED: Final = 20260
HEALTHY: Final = 10  # runs that must raise no alarm


def main(
    report: Report, suite: str, bench: Path, out: Path, *, only: str = "", defects: str = "", healthy: int | None = None
) -> bool:
    """Qualify a suite; return True if all defects but at most one were found and no healthy run raised an alarm.

    Raise `Usage` for `only`, since a suite is judged whole, and for a bench that has no place for a defect.
    """
    if only:
        hint = "leave out --only, or name another suite"
        raise Usage(
            "--only cannot be used with --qualify: a suite is qualified as a whole", key="only", value=only, hint=hint
        )
    path, asked, healthy = find_suite(suite), _select_defects(defects), HEALTHY if healthy is None else healthy
    declared = read_bench(bench)
    for name in asked:
        refuse_without_part(declared, seed_defect(name, 1))
    read_limits(bench)  # report an error in a declaration before anything starts
    cells = declared.pack.cells
    folder = make_stamped(out.resolve(), f"{path.stem}_qualified")
    draw = random.Random(SEED)  # where a defect sits: the same at each qualification
    trials = [QualificationTrial(f"defect_{name}", name, seed_defect(name, draw.randint(1, cells))) for name in asked]
    trials += [QualificationTrial(f"healthy_{number:02d}") for number in range(1, healthy + 1)]
    outcomes = qualify_suite(
        path,
        bench.resolve(),
        folder,
        trials,
        at_once=min(2, os.cpu_count() or 1),
        tell=lambda outcome: report.line(_format_result(outcome)),
    )
    seeded = [outcome for outcome in outcomes if outcome.trial.defect]
    found = sum(outcome.ok for outcome in seeded)
    alarms = sum(len(outcome.alarms) for outcome in outcomes if not outcome.trial.defect)
    clean = all(outcome.ok for outcome in outcomes if not outcome.trial.defect)
    ok = found >= max(len(seeded) - MISSED, min(len(seeded), 1)) and clean
    report.body |= {
        "found": found,
        "defects": len(seeded),
        "alarms": alarms,
        "healthy": healthy,
        "runs": [outcome.as_json() for outcome in outcomes],
    }
    (folder / "qualification.json").write_text(json.dumps(report.body, indent=1) + "\n", encoding="utf-8")
    report.line(f"{found} of {len(seeded)} defects found, {alarms} alarms in {healthy} healthy runs; {folder}")
    return ok


def _select_defects(names: str) -> list[str]:
    known = list_bms_defects()
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(known)
    if unknown := [name for name in wanted if name not in known]:
        raise Usage(f"--defects {unknown[0]} is unknown", value=unknown[0], hint=f"names: {', '.join(known)}")
    return wanted


def _format_result(outcome: TrialResult) -> str:
    trial = outcome.trial
    about = list_bms_defects()[trial.defect] if trial.defect else "healthy"
    good, bad = ("found", "MISSED") if trial.defect else ("clean", "ALARM")
    word = good if outcome.ok else "UNCLEAR" if outcome.unclear and not outcome.alarms else bad
    about += ", second run" if outcome.again else ""
    why = f"  ({outcome.why})" if outcome.why else ""
    return f"{word:<7} {outcome.took_s:6.1f} s  {trial.name:<28} {about}{why}"
