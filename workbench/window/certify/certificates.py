"""Certificates on disk, as the page shows them; called beside the window's thread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drivers.errors import PulseError, RunLogError
from workbench.certify import certificate
from workbench.certify.progress import Listener
from workbench.certify.runner import CaseRun
from workbench.certify.verdict import Verdict
from workbench.window.certify.model import PastLine, Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from workbench.certify.certificate import Certificate
    from workbench.certify.runner import Certification

_FIELDS = ("id", "title", "cell", "variant", "refs", "hazard", "test", "reason", "took_s")


def written(work: Certification) -> Result:
    """Write certificate, report and JUnit form; what cannot be written is told, and the verdicts stay."""
    folder = work.order.out
    try:
        return _result(certificate.write(work, folder), folder, work.cases)
    except OSError as error:
        result = _result(certificate.made(work), folder, work.cases)
        told = f"the report could not be written: {error.strerror or error}"
        return replace(result, written=False, trouble=(*result.trouble, told))


def opened(folder: Path) -> Result:
    """An earlier one, its plots included; raises `RunLogError`."""
    made = certificate.read(folder)
    try:
        traces = _traces(folder)
        return _result(made, folder, [_case(run, made.cases, traces) for run in made.runs])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        hint = "certify again"
        raise RunLogError(f"holds a certificate that is damaged: {error!r}", where=str(folder), hint=hint) from error


def listed(root: Path) -> list[PastLine]:
    """All in a folder, newest first; one that is under way or was never finished is left out."""
    homes = sorted((home for home in root.glob("*/") if (home / certificate.NAME).is_file()), reverse=True)
    return [_line(home) for home in homes]


def _line(home: Path) -> PastLine:
    try:
        made = certificate.read(home)
    except PulseError as error:
        return PastLine(home, detail=error.sentence)
    return PastLine(home, made.suite, made.made, made.evidence, made.passed, made.counts)


def _result(made: Certificate, folder: Path, cases: Sequence[CaseRun]) -> Result:
    about = (made.suite, made.made, made.evidence, made.passed, made.counts)
    return Result(folder, *about, cases, made.trouble, not_judged=made.not_judged)


def _case(run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], traces: Mapping[str, Any]) -> CaseRun:
    key = (run["id"], run["variant"])
    own = [dict(row) for row in rows if (row["id"], row["variant"]) == key]
    checks = [row for row in own if row["uncertainty"] is not None]  # a case without checks has a row that says why
    case = CaseRun(**{name: run[name] for name in _FIELDS}, begun=True, checks=checks)
    case.verdict, case.traces = Verdict(run["verdict"]), traces.get(run["test"], [])
    return case


def _traces(folder: Path) -> dict[str, Any]:
    """Plots by test; a folder without them still has its verdicts."""
    return {said["test"]: said["traces"] for said in Listener(folder).heard() if said["event"] == "ended"}
