"""The maker of certificates; it also writes the report and the JUnit XML."""

from __future__ import annotations

import json
import platform
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.errors import RunLogError
from drivers.runlog.folder import load, read_hashes
from drivers.timestamps import format_utc
from drivers.version import VERSION, find_version
from workbench.certificates.certificate import NAME, Certificate
from workbench.certificates.encoder import encode_certificate
from workbench.certificates.results import Verdict

if TYPE_CHECKING:
    from workbench.certify.runner import Certification

_VERSIONS: Final = ("pytest", "numpy", "pyvisa", "python-can", "cantools")


def make_certificate(certification: Certification) -> Certificate:
    """Return the certificate of a finished certification."""
    cases = tuple(case.result for case in certification.cases)
    counts = Counter(case.verdict for case in cases)
    proven = any(row.verdict is Verdict.PASS for case in cases for row in case.rows)
    good = counts.keys() <= {Verdict.PASS, Verdict.NA}
    bench, found = certification.job.bench, certification.bench
    return Certificate(
        suite=certification.suite.name,
        evidence="SIM" if found is None else found.evidence,
        made=format_utc(datetime.now(UTC)),
        passed=proven and not certification.broken and good,
        counts={verdict: counts[verdict] for verdict in Verdict},
        cases=cases,
        bench_file=bench.name,
        bench_sha256=certification.bench_sha256,
        versions={"python": platform.python_version(), "pulsebms": VERSION}
        | {name: find_version(name) or "absent" for name in _VERSIONS},
        only=certification.job.only,
        instruments=() if found is None else found.instruments,
        trouble=tuple(certification.broken),
        suite_sha256=certification.suite_sha256,
        files={} if found is None else _read_hashes(found.run),
    )


def write(certification: Certification, folder: Path) -> Certificate:
    """Write `certificate.json`, `report.html` and `junit.xml` to `folder`."""
    from workbench.certify import junit, report  # noqa: PLC0415  # templates are read only when a report is written

    certificate = make_certificate(certification)
    traces = {case.info.test: case.traces for case in certification.cases}
    text = json.dumps(encode_certificate(certificate), indent=1, sort_keys=True, ensure_ascii=False)
    (folder / NAME).write_text(text + "\n", encoding="utf-8", errors="replace")
    (folder / "report.html").write_text(report.make_html(certificate, traces), encoding="utf-8", errors="replace")
    (folder / "junit.xml").write_text(junit.make_junit_xml(certificate), encoding="utf-8", errors="replace")
    return certificate


def _read_hashes(run: str) -> dict[str, str]:
    """Return the hashes of the bench's inputs, as its session recorded them; empty if they cannot be read."""
    try:
        return read_hashes(load(Path(run)))
    except RunLogError:
        return {}
