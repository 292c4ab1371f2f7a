"""Results of a certification: the verdict, a check, a case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The verdict of a check or a case; `NA`: the bench cannot judge it, and the reason says why."""

    PASS = "PASS"  # noqa: S105  # a verdict
    FAIL = "FAIL"
    ERROR = "ERROR"  # the bench or the script failed; nothing is known about the device
    BLOCKED = "BLOCKED"  # a precondition did not hold
    NA = "N/A"


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """One judged value in `unit`, with its limits and the half-width of its uncertainty; None where there is none.

    `at_s`: seconds from the start of the case. `channel`: the channel that a plot of the check shows.
    """

    name: str
    value: float | None
    unit: str
    lo: float | None
    hi: float | None
    uncertainty: float | None
    verdict: Verdict
    reason: str = ""
    at_s: float | None = None
    channel: str = ""

    @property
    def is_question(self) -> bool:
        """Whether the check requires yes (at least 1) or no (at most 0)."""
        return self.unit == "1" and (self.lo, self.hi) in {(1.0, None), (None, 0.0)}


@dataclass(frozen=True, slots=True)
class CaseInfo:
    """The description of a case: `id` in its suite, its clauses, its hazard, the `cell` or sensor that it tests.

    `test`: the name of its pytest item, unique within a certification.
    """

    id: str
    title: str
    refs: tuple[str, ...]
    hazard: str
    cell: int | None
    variant: str
    test: str

    @property
    def name(self) -> str:
        """Identifier and variant, as `--only` takes them."""
        return f"{self.id}/{self.variant}" if self.variant else self.id


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of a case that ended; `took_s`: its duration in seconds."""

    info: CaseInfo
    verdict: Verdict
    reason: str = ""
    took_s: float = 0.0
    checks: tuple[CaseCheck, ...] = ()

    @property
    def rows(self) -> tuple[CaseCheck, ...]:
        """The checks; for a case without any, one row that says why."""
        if self.checks:
            return self.checks
        return (CaseCheck(self.info.title, None, "1", None, None, None, self.verdict, self.reason),)
