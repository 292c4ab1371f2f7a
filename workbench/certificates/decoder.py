"""The decoder of results and certificates from JSON; an error names what is damaged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drivers.errors import RunLogError
from drivers.regular_file import read_regular
from edge_bridge.bundle import canonical_json
from edge_bridge.bundle.evidence import CLASSES
from workbench.certificates.certificate import MAX_BYTES, NAME, Certificate
from workbench.certificates.fields import JsonFields
from workbench.certificates.results import CaseCheck, CaseInfo, CaseResult, Verdict
from workbench.certificates.schema import WITHOUT_HASHES, parse_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def read_certificate(folder: Path) -> Certificate:
    """Return the certificate in `folder`; raise `RunLogError` where this version can read none there."""
    try:
        return decode_certificate(read_regular(folder / NAME, MAX_BYTES))
    except (OSError, ValueError) as error:
        hint = "name a folder that certify wrote"
        raise RunLogError(f"contains no certificate that can be read: {error}", where=str(folder), hint=hint) from error


def decode_certificate(data: bytes) -> Certificate:
    """Return the certificate in `data`; raise `ValueError`, which names what is damaged, or the version."""
    fields = JsonFields(canonical_json.parse_json(data))
    has_hashes = parse_version(fields.text("schema")) != WITHOUT_HASHES
    bench, versions = fields.object("bench"), fields.object("versions")
    return Certificate(
        suite=fields.text("suite"),
        evidence=_decode_class(fields.text("class")),
        made=fields.text("made"),
        passed=fields.flag("passed"),
        counts=_decode_counts(fields.object("counts")),
        cases=_decode_cases(fields),
        bench_file=bench.text("file"),
        bench_sha256=bench.text("sha256"),
        versions=_decode_texts(versions),
        only=fields.texts("only"),
        instruments=fields.texts("instruments"),
        trouble=fields.texts("trouble"),
        decision=fields.text("decision"),
        suite_sha256=fields.text("suite_sha256") if has_hashes else "",
        files=_decode_texts(bench.object("files")) if has_hashes else {},
    )


def decode_check(fields: JsonFields) -> CaseCheck:
    """Return one check; raise `ValueError`, which names the damaged field."""
    return CaseCheck(
        name=fields.text("name"),
        value=fields.number_or_none("value"),
        unit=fields.text("unit"),
        lo=fields.number_or_none("lo"),
        hi=fields.number_or_none("hi"),
        uncertainty=fields.number_or_none("uncertainty"),
        verdict=fields.member("verdict", Verdict),
        reason=fields.text("reason"),
        at_s=fields.number_or_none("at_s"),
        channel=fields.text("channel"),
    )


def decode_info(fields: JsonFields) -> CaseInfo:
    """Return the description of a case; raise `ValueError`, which names the damaged field."""
    return CaseInfo(
        id=fields.text("id"),
        title=fields.text("title"),
        refs=fields.texts("refs"),
        hazard=fields.text("hazard"),
        cell=fields.integer_or_none("cell"),
        variant=fields.text("variant"),
        test=fields.text("test"),
    )


def decode_case(fields: JsonFields, checks: tuple[CaseCheck, ...] = ()) -> CaseResult:
    """Return a case with `checks`, which were decoded elsewhere; raise `ValueError`."""
    return CaseResult(
        info=decode_info(fields),
        verdict=fields.member("verdict", Verdict),
        reason=fields.text("reason"),
        took_s=fields.number("took_s"),
        checks=checks,
    )


def _decode_cases(fields: JsonFields) -> tuple[CaseResult, ...]:
    rows: dict[tuple[str, str], list[CaseCheck]] = {}
    for row in fields.objects("cases"):
        rows.setdefault((row.text("id"), row.text("variant")), []).append(decode_check(row))
    cases = [decode_case(run) for run in fields.objects("runs")]
    if stray := rows.keys() - {(case.info.id, case.info.variant) for case in cases}:
        raise ValueError(f"cases has a row of {'/'.join(min(stray)).rstrip('/')}, which is not in runs")
    return tuple(_with_checks(case, rows) for case in cases)


def _with_checks(case: CaseResult, rows: Mapping[tuple[str, str], Sequence[CaseCheck]]) -> CaseResult:
    """Add its checks to a case; a row that only says why there is no check is not a check."""
    own = tuple(rows.get((case.info.id, case.info.variant), ()))
    return case if own == case.rows else replace(case, checks=own)


def _decode_texts(fields: JsonFields) -> dict[str, str]:
    return {name: fields.text(name) for name in fields.names()}


def _decode_counts(fields: JsonFields) -> dict[Verdict, int]:
    if unknown := [word for word in fields.names() if word not in list(Verdict)]:
        raise ValueError(f"counts.{unknown[0]} is not a verdict")
    return {Verdict(word): fields.integer(word) for word in fields.names()}


def _decode_class(word: str) -> str:
    if word not in CLASSES:
        raise ValueError(f"class is {word!r}, not one of {', '.join(CLASSES)}")
    return word
