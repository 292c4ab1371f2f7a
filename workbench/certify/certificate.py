"""What a certification leaves behind: `certificate.json`, which bundles carry, beside the report and its JUnit form."""

from __future__ import annotations

import json
import platform
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import RunLogError
from drivers.timestamps import format_utc
from workbench.certify.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.certify.runner import Certification

SCHEMA: Final = "pulsebms.certificate/1"
NAME: Final = "certificate.json"
DECISION: Final = (
    "Guarded rejection (ILAC-G8:09/2019, 4.2.3): a check fails only where its value with its whole uncertainty lies "
    "outside its limits, however wide; one that overlaps them is N/A where it is wider than they are apart."
)
_VERSIONS: Final = ("pulsebms", "pytest", "numpy", "pyvisa", "python-can", "cantools")


@dataclass(frozen=True)
class Certificate:
    """One certification: `cases` has a row for each check, `runs` for each case.

    `passed`: every case is PASS or N/A, and some check passed.
    `only`: the cases that were picked, empty where the whole suite was asked for.
    """

    suite: str
    evidence: str
    made: str
    passed: bool
    counts: dict[str, int]
    cases: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    bench: dict[str, Any]
    versions: dict[str, str]
    only: list[str] = field(default_factory=list[str])
    instruments: list[str] = field(default_factory=list[str])
    trouble: list[str] = field(default_factory=list[str])
    decision: str = DECISION
    schema: str = SCHEMA

    @property
    def not_judged(self) -> int:
        """Checks that are N/A."""
        return sum(row["verdict"] == Verdict.NA for row in self.cases)

    @property
    def result(self) -> str:
        """`PASSED, 3 checks not judged`."""
        return result_words(passed=self.passed, not_judged=self.not_judged)

    def as_json(self) -> dict[str, Any]:
        told = {key: getattr(self, key) for key in self.__dataclass_fields__}
        told["class"] = told.pop("evidence")
        return told | {"result": self.result, "not_judged": self.not_judged}


def result_words(*, passed: bool, not_judged: int) -> str:
    """The result as people read it, with what it leaves open."""
    word = "PASSED" if passed else "NOT PASSED"
    return f"{word}, {not_judged} {'check' if not_judged == 1 else 'checks'} not judged" if not_judged else word


def made(certification: Certification) -> Certificate:
    """The certificate of one that is done."""
    verdicts = [case.verdict or Verdict.BLOCKED for case in certification.cases]
    counts = Counter(verdict.value for verdict in verdicts)
    rows = [row for case in certification.cases for row in _rows(case)]
    good = {Verdict.PASS, Verdict.NA}
    proven = any(row["verdict"] == Verdict.PASS for row in rows)
    passed = proven and not certification.broken and set(verdicts) <= good
    bench = certification.order.bench
    return Certificate(
        suite=certification.suite.name,
        evidence=str(certification.about.get("class", "SIM")),
        made=format_utc(datetime.now(UTC)),
        passed=passed,
        counts={verdict.value: counts[verdict.value] for verdict in Verdict},
        cases=rows,
        runs=[_run(case) for case in certification.cases],
        bench={"file": bench.name, "sha256": sha256(bench.read_bytes()).hexdigest()},
        versions={"python": platform.python_version()} | {name: _version(name) for name in _VERSIONS},
        only=list(certification.order.only),
        instruments=list(certification.about.get("instruments", [])),
        trouble=list(certification.broken),
    )


def write(certification: Certification, folder: Path) -> Certificate:
    """`certificate.json`, `report.html` and `junit.xml` into `folder`."""
    from workbench.certify import junit, report  # noqa: PLC0415  # templates are read only when a report is written

    certificate = made(certification)
    traces = {case.test: case.traces for case in certification.cases}
    text = json.dumps(certificate.as_json(), indent=1, sort_keys=True, ensure_ascii=False)
    (folder / NAME).write_text(text + "\n", encoding="utf-8")
    (folder / "report.html").write_text(report.html(certificate, traces), encoding="utf-8")
    (folder / "junit.xml").write_text(junit.xml(certificate), encoding="utf-8")
    return certificate


def read(folder: Path) -> Certificate:
    """The certificate in `folder`; raises `RunLogError` where there is none that this version can read."""
    path = folder / NAME
    try:
        said: dict[str, Any] = dict(json.loads(path.read_text(encoding="utf-8")))
        if said.get("schema") != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")  # noqa: TRY301  # one place words all causes
        said["evidence"] = said.pop("class")
        return Certificate(**{key: said[key] for key in Certificate.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "name a folder that certify has written"
        raise RunLogError(f"holds no certificate that can be read: {error}", where=str(folder), hint=hint) from error


def _rows(case: Any) -> list[dict[str, Any]]:
    """One row a check; a case without any has one that says why."""
    head = {"id": case.id, "cell": case.cell, "variant": case.variant}
    verdict = (case.verdict or Verdict.BLOCKED).value
    if not case.checks:
        nothing = {"name": case.title, "lo": None, "hi": None, "value": None, "unit": "1", "uncertainty": None}
        return [head | nothing | {"verdict": verdict, "reason": case.reason, "at_s": None, "channel": ""}]
    return [head | check for check in case.checks]


def _run(case: Any) -> dict[str, Any]:
    names = ("id", "variant", "cell", "title", "refs", "hazard", "test", "reason", "took_s")
    return {name: getattr(case, name) for name in names} | {"verdict": (case.verdict or Verdict.BLOCKED).value}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
