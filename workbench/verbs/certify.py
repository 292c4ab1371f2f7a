"""`certify`: a suite against a bench, unattended and repeatable."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from drivers.errors import CheckFailed, PulseError, Usage
from workbench.certificates.encoder import encode_rows
from workbench.certificates.results import Verdict
from workbench.certify import certificate
from workbench.certify.events import CaseEnded
from workbench.certify.job import CertificationJob
from workbench.certify.limits import read_limits
from workbench.certify.report import SYMBOLS, format_limits, format_value
from workbench.certify.runner import Certification, find_suite
from workbench.certify.suite_loader import SuiteLoadProcess
from workbench.run_folders import make_stamped
from workbench.signals import raise_interrupt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from workbench.certificates.results import CaseInfo, CaseResult
    from workbench.report import Report

LOOK_S = 0.05


def main(
    report: Report,
    suite: str,
    bench: Path,
    out: Path,
    only: str,
    *,
    defects: str = "",
    healthy: int | None = None,
    take_over: bool = False,
) -> bool:
    """Run a suite; return True if nothing failed, nothing was blocked and something passed.

    Raise `Usage` for `defects` and `healthy`, which judge a suite and not a bench.
    """
    for key, given in (("defects", defects or None), ("healthy", healthy)):
        if given is not None:
            hint = f"add --qualify, or leave out --{key}"
            raise Usage(f"--{key} needs --qualify", key=key, value=given, hint=hint)
    path = find_suite(suite)
    read_limits(bench)  # report an error in a declaration before anything starts
    wanted = tuple(name.strip() for name in only.split(",") if name.strip())
    _refuse_unknown(wanted, path, bench)
    folder = make_stamped(out.resolve(), path.stem)
    certification = Certification(path, CertificationJob(bench.resolve(), folder, wanted, take_over=take_over))
    report.body["files"] = {"report": str(folder / "report.html"), "junit": str(folder / "junit.xml")}
    report.kept = f"the report of the cases that ended is {folder / 'report.html'}"
    try:
        _follow(report, certification)
    finally:
        certification.close()
        made = certificate.write(certification, folder)
    report.body |= {"class": made.evidence, "counts": dict(made.counts), "cases": encode_rows(made)}
    report.body |= {"result": made.result, "not_judged": made.not_judged}
    report.body["files"] = {"report": str(folder / "report.html"), "junit": str(folder / "junit.xml")}
    if made.trouble:
        raise _describe_trouble(path, made.trouble, is_readable=certification.is_readable)
    counted = ", ".join(f"{count} {word}" for word, count in made.counts.items() if count)
    report.line(f"{made.result}: {counted}; evidence class {made.evidence}")
    report.line(f"{folder / 'report.html'}")
    return made.passed


def list_cases(report: Report, suite: str, bench: Path, given: Mapping[str, object]) -> bool:
    """Print the cases that a suite has for a bench, as `--only` takes them; run none.

    Raise `Usage`, also for an option in `given`: it would have no effect.
    """
    for key in (key for key, value in given.items() if value not in {"", None, False}):
        raise Usage(f"--{key} has no effect with --list", key=key, value=given[key], hint=f"leave out --{key}")
    cases = _read_cases(find_suite(suite), bench)
    report.body["cases"] = [{"id": case.id, "name": case.name, "title": case.title} for case in cases]
    for case in cases:
        report.line(f"{case.name:<12} {case.title}")
    return True


def _read_cases(suite: Path, bench: Path) -> list[CaseInfo]:
    """Return the cases of a suite; raise `Usage` if it cannot be read."""
    read_limits(bench)
    reading = SuiteLoadProcess(suite, bench.resolve())
    try:
        while not reading.done:
            raise_interrupt()
            reading.poll()
            time.sleep(LOOK_S)
    finally:
        reading.close()
    for sentence in reading.broken:
        raise Usage(sentence, where=str(suite), key="suite", hint="correct the suite")
    return [case.info for case in reading.cases]


def _refuse_unknown(wanted: tuple[str, ...], suite: Path, bench: Path) -> None:
    """Raise `Usage` for a name of `--only` that no case of the suite has."""
    cases = _read_cases(suite, bench) if wanted else []
    known = {case.id for case in cases} | {case.name for case in cases}
    for name in wanted:
        if name not in known:
            ids = ", ".join(dict.fromkeys(case.id for case in cases))
            hint = f"cases: {ids}; certify --list names each"
            raise Usage(f"--only {name} is no case of {suite.name}", key="only", value=name, hint=hint)


def _describe_trouble(suite: Path, trouble: Sequence[str], *, is_readable: bool) -> PulseError:
    """Return the error of a suite: bad input if it cannot be imported or has no case to run, else a failed check."""
    kind = CheckFailed if is_readable else Usage
    first, *others = (kind(text, where=str(suite), key="suite", hint="correct the suite") for text in trouble)
    first.others = tuple(others)
    return first


def _follow(report: Report, certification: Certification) -> None:
    """Show a bar on stderr while cases run, and print a line for each case that ended."""
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("connecting", total=None)
        while not certification.done:
            raise_interrupt()
            for event in certification.poll():
                if isinstance(event, CaseEnded):
                    _report_case(report, event.result)
            ended = sum(case.verdict is not None for case in certification.cases)
            now = certification.now
            progress.update(
                bar, total=len(certification.cases) or None, completed=ended, description=now.name if now else "..."
            )
            time.sleep(LOOK_S)


def _report_case(report: Report, case: CaseResult) -> None:
    """Print one line for the case, and one for each check that did not pass."""
    why = f"  {case.reason}" if case.reason else ""
    word, name = case.verdict, case.info.name
    report.line(f"{SYMBOLS[word]} {word:<7} {name:<9} {case.took_s:5.1f} s  {case.info.title}{why}")
    for check in case.checks:
        if check.verdict is not Verdict.PASS:
            text = f"{check.name}: {format_value(check)} (limits {format_limits(check)}) {check.reason}"
            report.line(f"      {SYMBOLS[check.verdict]} {check.verdict:<5} {text}".rstrip())
