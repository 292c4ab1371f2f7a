"""Certificates on disk, as the page shows them; called outside the window's thread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drivers.errors import PulseError
from workbench.certificates.certificate import NAME
from workbench.certificates.decoder import read_certificate
from workbench.certify import certificate
from workbench.certify.event_stream import EventStreamReader
from workbench.certify.events import CaseEnded
from workbench.certify.runner import CaseRun
from workbench.window.certify_page.model import CertificateLine, CertificationResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workbench.certificates.certificate import Certificate
    from workbench.certificates.results import CaseResult
    from workbench.certify.case_trace import CaseTrace
    from workbench.certify.runner import Certification


def write_certificate(work: Certification) -> CertificationResult:
    """Write certificate, report and JUnit form; report what cannot be written and keep the verdicts."""
    folder = work.job.out
    try:
        return _result(certificate.write(work, folder), folder, work.cases)
    except OSError as error:
        result = _result(certificate.make_certificate(work), folder, work.cases)
        text = f"the report could not be written: {error.strerror or error}"
        return replace(result, written=False, trouble=(*result.trouble, text))


def read_result(folder: Path) -> CertificationResult:
    """Read an earlier certificate with its plots; raise `RunLogError`."""
    made, traces = read_certificate(folder), _traces(folder)
    return _result(made, folder, [_case(case, traces.get(case.info.test, ())) for case in made.cases])


def list_certificates(root: Path) -> list[CertificateLine]:
    """List all certificates in a folder, newest first; skip one that is under way or was never finished."""
    homes = sorted((home for home in root.glob("*/") if (home / NAME).is_file()), reverse=True)
    return [_line(home) for home in homes]


def _line(home: Path) -> CertificateLine:
    try:
        made = read_certificate(home)
    except PulseError as error:
        return CertificateLine(home, detail=error.sentence)
    return CertificateLine(home, made.suite, made.made, made.evidence, made.passed, made.counts)


def _result(made: Certificate, folder: Path, cases: Sequence[CaseRun]) -> CertificationResult:
    about = (made.suite, made.made, made.evidence, made.passed, made.counts)
    return CertificationResult(folder, *about, cases, made.trouble, not_judged=made.not_judged)


def _case(case: CaseResult, traces: tuple[CaseTrace, ...]) -> CaseRun:
    return CaseRun(
        case.info,
        begun=True,
        verdict=case.verdict,
        reason=case.reason,
        checks=case.checks,
        traces=traces,
        took_s=case.took_s,
    )


def _traces(folder: Path) -> dict[str, tuple[CaseTrace, ...]]:
    """Return the plots by test; a folder without plots still has its verdicts."""
    ended = [event for event in EventStreamReader(folder).read() if isinstance(event, CaseEnded)]
    return {event.result.info.test: event.traces for event in ended}
