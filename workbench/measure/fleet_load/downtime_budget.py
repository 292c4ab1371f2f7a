"""How many minutes a month the service may be away, from measured recoveries and assumed rates of failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MONTH_MIN: Final = 30 * 24 * 60
ALLOWED_MIN: Final = MONTH_MIN / 1000  # 99.9 %


@dataclass(frozen=True, slots=True)
class AssumedFailure:
    """One kind of failure: how often a month, how long before the parts start again, and which parts then recover."""

    name: str
    per_month: float
    before_s: float
    parts: tuple[str, ...]
    why: str


ALL: Final = ("broker", "host", "PostgreSQL")
FAILURES: Final = (
    AssumedFailure("host process ends", 4.0, 0.0, ("host",), "once a week: a defect, or memory runs out"),
    AssumedFailure("broker process ends", 1.0, 0.0, ("broker",), "mature program; once a month is pessimistic"),
    AssumedFailure("PostgreSQL process ends", 1.0, 0.0, ("PostgreSQL",), "the same"),
    AssumedFailure(
        "upgrade of the host", 4.0, 0.0, ("host",), "one a week; as long as a kill, though it ends in order"
    ),
    AssumedFailure("restart of the machine", 1.0, 120.0, ALL, "kernel updates; two minutes to boot"),
    AssumedFailure("machine or disk lost", 1.0 / 24, 3_600.0, ALL, "once in two years; one hour to restore a backup"),
)


def compute_downtime_min(recovery_s: Mapping[str, float]) -> float:
    """Return the minutes a month without the service; parts that fail together recover one after the other."""
    return sum(failure.per_month * compute_outage_s(failure, recovery_s) for failure in FAILURES) / 60.0


def compute_outage_s(failure: AssumedFailure, recovery_s: Mapping[str, float]) -> float:
    """Return how long one failure of this kind lasts, in s."""
    return failure.before_s + sum(recovery_s[part] for part in failure.parts)


def format_budget(recovery_s: Mapping[str, float]) -> list[str]:
    """Return the lines of a Markdown table: each kind of failure, its rate, its length and its minutes a month."""
    lines = ["| failure | a month | each | minutes a month | why |", "|---|---|---|---|---|"]
    for one in FAILURES:
        each_s = compute_outage_s(one, recovery_s)
        rate = f"{one.per_month:.3g}"
        lines.append(f"| {one.name} | {rate} | {each_s:.0f} s | {one.per_month * each_s / 60.0:.2f} | {one.why} |")
    return lines
