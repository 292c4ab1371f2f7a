"""`selftest`: the whole chain without a person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from drivers.benchfile import read_bench
from drivers.errors import PulseError, Usage
from workbench.run_folders import make_stamped
from workbench.selftest.context import SelftestContext
from workbench.selftest.step import SelftestStep, StepFinding, format_line, make_row
from workbench.selftest.steps import check_defect, select_steps

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.report import Report

SUMMARY: Final = "selftest.json"
OLD_SUMMARY: Final = "tour.json"  # in a folder that the verb wrote under its old name, tour


def main(report: Report, out: Path, only: str, defect: str, earlier: Path | None, *, bench: Path) -> bool:
    """Run the steps; return True if no step failed; a step that was not judged does not count.

    Each selftest has its own folder under `out`. `bench`: one of emulated parts. `defect`: the name of the defect.
    `earlier`: the folder of a selftest whose run, certificate and bundle replace those of steps that do not run.
    """
    steps = select_steps(only)
    check_defect(defect)
    read_bench(bench)  # a bench file that cannot be read is bad input, not a failed step
    taken = {} if earlier is None else _read_earlier_files(earlier)
    folder = make_stamped(out.resolve())
    context = SelftestContext(folder, bench.resolve(), defect, report.line)
    context.use_earlier(taken)
    report.kept = f"the results until then are in {folder}"
    rows = report.body["steps"] = list[dict[str, object]]()
    failed = set[str]()
    try:
        for number, step in steps:
            missing = next((name for name in step.needs if name in failed), "")
            finding = _make_not_run(missing) if missing else _run_step(step, context)
            if finding.ok is False:
                failed.add(step.name)
            rows.append(make_row(number, step, finding))
            report.line(format_line(number, step, finding))
            for words in (finding.evidence, finding.reason and f"not judged: {finding.reason}"):
                if words:
                    report.line(f"          {words}")
    finally:
        context.close_session()
        context.chain.close()
    made = {"run": context.run, "report": context.chain.report, "bundle": context.chain.bundle}
    files = {name: str(path) if path else None for name, path in made.items()}
    report.body["files"] = files | {"pictures": [str(path) for path in context.pictures]}
    report.body["not_judged"] = sum(found["ok"] is None for found in rows)
    (folder / SUMMARY).write_text(json.dumps(report.body, indent=1) + "\n", encoding="utf-8")
    return all(found["ok"] is not False for found in rows)


def _read_earlier_files(earlier: Path) -> dict[str, Any]:
    """Return the files of an earlier selftest; raise `Usage`."""
    path = earlier / (OLD_SUMMARY if (earlier / OLD_SUMMARY).exists() else SUMMARY)
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "name the folder of a selftest that is complete"
        raise Usage(
            f"is not the folder of an earlier selftest: {error}", where=str(earlier), key="from", hint=hint
        ) from error


def _make_not_run(missing: str) -> StepFinding:
    return StepFinding(ok=False, value="not run", target="run", evidence=f"step {missing} has failed")


def _run_step(step: SelftestStep, context: SelftestContext) -> StepFinding:
    """Run a step; if it raises, it fails with the error as evidence, and the selftest continues."""
    try:
        return step.run(context)
    except PulseError as error:
        return StepFinding(ok=False, value="failed", target="run", evidence=str(error))
