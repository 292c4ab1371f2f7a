"""The certificate in a bundle: the file that `certify` wrote, byte for byte, and what it must prove."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivers.errors import Refused, RunLogError, Usage
from drivers.regular_file import read_regular
from edge_bridge.bundle.consistency import ONLY
from edge_bridge.bundle.manifest import CERTIFICATE
from workbench.bundling.deviations import Deviation
from workbench.certificates.certificate import MAX_BYTES
from workbench.certificates.decoder import decode_certificate
from workbench.certificates.results import Verdict
from workbench.certificates.suites import find_shipped, hash_suite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.certificates.certificate import Certificate


@dataclass(frozen=True)
class CertificateMember:
    """The certificate as a member of a bundle: the bytes of its file, and their decoded content."""

    data: bytes
    certificate: Certificate

    @property
    def summary(self) -> dict[str, Any]:
        """The summary of the certificate for `evidence.json`."""
        certificate = self.certificate
        return {
            "suite": certificate.suite,
            "suite_sha256": certificate.suite_sha256,
            "class": certificate.evidence,
            "made": certificate.made,
            "passed": certificate.passed,
            "counts": {verdict.value: count for verdict, count in certificate.counts.items()},
            "not_judged": certificate.not_judged,
        }

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """What a person must accept: the certificate is for some cases of the suite only."""
        only = self.certificate.only
        what = f"the certificate is for {len(self.certificate.cases)} cases of {self.certificate.suite} only"
        return (Deviation(ONLY, f"{what}: {', '.join(only)}"),) if only else ()


def read(folder: Path, bench: Path) -> CertificateMember:
    """Return the certificate in `folder`, made for the bench file `bench`.

    Raise `Usage` where there is none, `RunLogError` for one that cannot be read, `Refused` for one that proves nothing
    or belongs to another bench.
    """
    path = folder / CERTIFICATE
    try:
        data = read_regular(path, MAX_BYTES)
    except OSError as error:
        hint = "name the folder that certify wrote with --out"
        raise Usage(f"contains no {CERTIFICATE}: {error.strerror}", where=str(folder), hint=hint) from error
    try:
        certificate = decode_certificate(data)
    except ValueError as error:
        raise RunLogError(f"cannot be read: {error}", where=str(path), hint="certify again") from error
    for reason, hint in _find_defects(certificate):
        raise Refused(reason, where=str(path), key="certificate", hint=hint)
    if certificate.bench_sha256 != hashlib.sha256(bench.read_bytes()).hexdigest():
        what, hint = f"is for another bench file than the present {bench.name}", "certify the present bench file"
        raise Refused(what, where=str(path), key="bench.sha256", value=certificate.bench_sha256, hint=hint)
    return CertificateMember(data, certificate)


def _find_defects(certificate: Certificate) -> Iterator[tuple[str, str]]:
    """Yield each reason why the certificate proves nothing, with what to do; it may have been edited."""
    again = "correct what failed and certify again; a bundle needs a certificate that passed"
    if certificate.trouble:
        yield f"reports trouble: {certificate.trouble[0]}", "correct the suite and certify again"
    if not certificate.cases:
        yield "contains no case", "certify with a suite that has cases"
    verdicts = [case.verdict for case in certificate.cases]
    rows = [(case, row) for case in certificate.cases for row in case.rows]
    for case, row in rows:
        if wrong := {case.verdict, row.verdict} - {Verdict.PASS, Verdict.NA}:
            yield f"did not pass: {case.info.id} {min(wrong)} ({row.reason or case.reason})", again
    if not any(check.verdict is Verdict.PASS for case in certificate.cases for check in case.checks):
        yield "judged nothing: no check passed", "certify on a bench that can judge the cases"
    if not certificate.passed or Counter(verdicts) != +Counter(certificate.counts):
        yield "did not pass, or its counts are not those of its cases", again
    yield from _find_suite_defects(certificate)


def _find_suite_defects(certificate: Certificate) -> Iterator[tuple[str, str]]:
    if not certificate.suite_sha256:
        yield "was made by an earlier version, which recorded no hashes of suite and files", "certify again"
    if not certificate.instruments or not certificate.files:
        yield f"proves nothing: no case of {certificate.suite} opened the bench", "certify with a suite that does"
    shipped = find_shipped(certificate.suite)
    if shipped is not None and hash_suite(shipped) != certificate.suite_sha256:
        what = f"used a suite named {certificate.suite}, which is not the suite {shipped.name} of this version"
        yield what, "certify with the present suite; give your own suite another name"
