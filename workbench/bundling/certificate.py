"""The certificate in a bundle: the file that `certify` wrote, byte for byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivers.errors import Refused, RunLogError, Usage
from edge_bridge.bundle.manifest import CERTIFICATE
from workbench.certificates.decoder import decode_certificate
from workbench.certificates.results import Verdict

if TYPE_CHECKING:
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
            "class": certificate.evidence,
            "made": certificate.made,
            "passed": certificate.passed,
            "counts": {verdict.value: count for verdict, count in certificate.counts.items()},
            "not_judged": certificate.not_judged,
        }


def read(folder: Path, bench: Path) -> CertificateMember:
    """Return the certificate in `folder`, made for the bench file `bench`.

    Raise `Usage` where there is none, `RunLogError` for one that cannot be read, `Refused` for one that did not pass
    or belongs to another bench.
    """
    path = folder / CERTIFICATE
    try:
        data = path.read_bytes()
    except OSError as error:
        hint = "name the folder that certify wrote with --out"
        raise Usage(f"contains no {CERTIFICATE}: {error.strerror}", where=str(folder), hint=hint) from error
    try:
        certificate = decode_certificate(data)
    except ValueError as error:
        raise RunLogError(f"cannot be read: {error}", where=str(path), hint="certify again") from error
    if not certificate.passed:
        hint = "correct what failed and certify again; a bundle needs a certificate that passed"
        raise Refused(
            f"did not pass{_first_failure(certificate)}", where=str(path), key="passed", value=False, hint=hint
        )
    if certificate.bench_sha256 != hashlib.sha256(bench.read_bytes()).hexdigest():
        what, hint = f"is for another bench file than the present {bench.name}", "certify the present bench file"
        raise Refused(what, where=str(path), key="bench.sha256", value=certificate.bench_sha256, hint=hint)
    return CertificateMember(data, certificate)


def _first_failure(certificate: Certificate) -> str:
    wrong = (Verdict.FAIL, Verdict.ERROR)
    rows = ((case.info.id, row) for case in certificate.cases for row in case.rows if row.verdict in wrong)
    return next((f": {name} {row.verdict} ({row.reason})" for name, row in rows), "")
