"""A step of the selftest and its finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.selftest.context import SelftestContext


@dataclass(frozen=True)
class StepFinding:
    """What a step measured: `value` in `unit` against `target` (a sentence), and where the evidence is.

    `ok` is None where the step could not be judged; `reason` says why.
    """

    ok: bool | None
    value: float | str | None
    unit: str = ""
    target: str = ""
    evidence: str = ""
    reason: str = ""


@dataclass(frozen=True)
class SelftestStep:
    """One step of the selftest; `run` does the work with the context so far.

    It does not run where a step that it `needs` was judged and failed.
    """

    name: str
    title: str
    run: Callable[[SelftestContext], StepFinding]
    needs: tuple[str, ...] = ()


def make_row(number: int, step: SelftestStep, finding: StepFinding) -> dict[str, Any]:
    """Return the step as a row for scripts."""
    return {
        "n": number,
        "name": step.name,
        "ok": finding.ok,
        "value": finding.value,
        "unit": finding.unit,
        "target": finding.target,
        "evidence": finding.evidence,
        "reason": finding.reason,
    }


def format_line(number: int, step: SelftestStep, finding: StepFinding) -> str:
    """Return the step as a line for people."""
    word = "N/A " if finding.ok is None else "ok  " if finding.ok else "FAIL"
    value = f"{finding.value:.4g}" if isinstance(finding.value, float) else str(finding.value)
    return f"{number:2d}  {word}  {step.title:<44} {value} {finding.unit}".rstrip() + f"   (target {finding.target})"
