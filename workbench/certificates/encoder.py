"""The encoder of results and certificates to JSON: the only place that writes their keys."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench.certificates.schema import SCHEMA

if TYPE_CHECKING:
    from workbench.certificates.certificate import Certificate
    from workbench.certificates.results import CaseCheck, CaseInfo, CaseResult


def encode_check(check: CaseCheck) -> dict[str, Any]:
    """Return one check as an object; null where it has no such value."""
    return asdict(check) | {"verdict": check.verdict.value}


def encode_info(info: CaseInfo) -> dict[str, Any]:
    """Return the description of a case as an object."""
    return asdict(info) | {"refs": list(info.refs)}


def encode_rows(certificate: Certificate) -> list[dict[str, Any]]:
    """Return one object per check; a case without checks has one that says why."""
    return [
        {"id": case.info.id, "cell": case.info.cell, "variant": case.info.variant, **encode_check(row)}
        for case in certificate.cases
        for row in case.rows
    ]


def encode_certificate(certificate: Certificate) -> dict[str, Any]:
    """Return the content of `certificate.json`."""
    return {
        "schema": SCHEMA,
        "suite": certificate.suite,
        "suite_sha256": certificate.suite_sha256,
        "class": certificate.evidence,
        "made": certificate.made,
        "passed": certificate.passed,
        "result": certificate.result,
        "not_judged": certificate.not_judged,
        "counts": {verdict.value: count for verdict, count in certificate.counts.items()},
        "cases": encode_rows(certificate),
        "runs": [_encode_case(case) for case in certificate.cases],
        "bench": {
            "file": certificate.bench_file,
            "sha256": certificate.bench_sha256,
            "files": dict(certificate.files),
        },
        "versions": dict(certificate.versions),
        "only": list(certificate.only),
        "instruments": list(certificate.instruments),
        "trouble": list(certificate.trouble),
        "decision": certificate.decision,
    }


def _encode_case(case: CaseResult) -> dict[str, Any]:
    found = {"verdict": case.verdict.value, "reason": case.reason, "took_s": case.took_s}
    return encode_info(case.info) | found
