"""The certificate: what was tested, with what, and the result."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # fields of records name it
from dataclasses import dataclass, field
from typing import Final

from workbench.certificates.results import CaseResult, Verdict

NAME: Final = "certificate.json"
MAX_BYTES: Final = 16 * 2**20  # of the file; a certificate of the shipped suite has some hundred thousand
DECISION: Final = (
    "Guarded rejection (ILAC-G8:09/2019, 4.2.3): a check fails only where its value with its whole uncertainty lies "
    "outside its limits, however wide; one that overlaps them is N/A where it is wider than they are apart."
)


@dataclass(frozen=True)
class Certificate:
    """One certification. `evidence`: its class. `made`: ISO 8601, UTC. `counts`: cases by verdict.

    `passed`: every case is PASS or N/A, and some check passed.
    `only`: the selected cases, empty where the whole suite was requested.
    `trouble`: files of the suite that could not be read. `suite_sha256`: the hash of the suite (`suites.hash_suite`).
    `files`: the hash of each input of the bench (`drivers.benchfile.inputs`). Both are empty in an old certificate;
    `files` is empty also if no case opened the bench.
    """

    suite: str
    evidence: str
    made: str
    passed: bool
    counts: Mapping[Verdict, int]
    cases: tuple[CaseResult, ...]
    bench_file: str
    bench_sha256: str
    versions: Mapping[str, str]
    only: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()
    decision: str = DECISION
    suite_sha256: str = ""
    files: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def not_judged(self) -> int:
        """The number of checks that are N/A."""
        return sum(row.verdict is Verdict.NA for case in self.cases for row in case.rows)

    @property
    def result(self) -> str:
        """The result in words, as `PASSED, 3 checks not judged`."""
        return result_words(passed=self.passed, not_judged=self.not_judged)


def result_words(*, passed: bool, not_judged: int) -> str:
    """Return the result in words, with the number of checks not judged."""
    word = "PASSED" if passed else "NOT PASSED"
    return f"{word}, {not_judged} {'check' if not_judged == 1 else 'checks'} not judged" if not_judged else word
