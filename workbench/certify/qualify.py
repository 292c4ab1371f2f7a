"""Qualification of a suite: which seeded defects it finds, and that a healthy device raises no alarm."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from workbench.certificates.results import Verdict
from workbench.certify.job import CertificationJob
from workbench.certify.runner import Certification
from workbench.compose.defects import NO_DEFECTS, Defects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LOOK_S: Final = 0.05
GOOD: Final = frozenset({Verdict.PASS, Verdict.NA})


@dataclass(frozen=True)
class QualificationTrial:
    """One run of the suite: on a healthy device (`defect` empty), or on a bench with `defects`."""

    name: str
    defect: str = ""
    defects: Defects = NO_DEFECTS


@dataclass
class TrialResult:
    """The result of a trial. `alarms`: cases that failed; `unclear`: cases that could not be judged, and why.

    `again`: cases that were unclear at first and therefore ran once more, with no other trial beside them.
    """

    trial: QualificationTrial
    alarms: list[str] = field(default_factory=list[str])
    unclear: dict[str, str] = field(default_factory=dict[str, str])
    again: dict[str, str] = field(default_factory=dict[str, str])
    broken: list[str] = field(default_factory=list[str])
    cases: int = 0
    took_s: float = 0.0

    @property
    def ok(self) -> bool:
        """A defect raises an alarm; a healthy device passes every case."""
        if self.trial.defect:
            return bool(self.alarms)
        return not self.alarms and not self.unclear and not self.broken and self.cases > 0

    @property
    def why(self) -> str:
        """The first alarm, else the first broken file or unclear case; empty where there is none."""
        return next(iter((*self.alarms, *self.broken, *_format_unclear(self.unclear))), "")

    def as_json(self) -> dict[str, Any]:
        trial = {"run": self.trial.name, "defect": self.trial.defect or None, "ok": self.ok}
        unclear = {"unclear": self.broken + _format_unclear(self.unclear), "again": _format_unclear(self.again)}
        return trial | {"alarms": self.alarms} | unclear | {"cases": self.cases, "took_s": self.took_s}


def qualify_suite(
    suite: Path,
    bench: Path,
    out: Path,
    trials: Sequence[QualificationTrial],
    *,
    at_once: int,
    tell: Callable[[TrialResult], None],
) -> list[TrialResult]:
    """Run every trial, `at_once` in parallel, each on its own bench; call `tell` with each result.

    At the end, run unclear cases once more, one trial at a time: parallel benches may have overloaded the machine.
    """
    outcomes = [TrialResult(trial) for trial in trials]
    waiting, running = list(outcomes), list[tuple[TrialResult, Certification]]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                outcome = waiting.pop(0)
                running.append((outcome, _start_trial(suite, bench, out / outcome.trial.name, outcome)))
            for outcome in _collect_ended(running):
                tell(outcome)
            if not waiting and not running:
                waiting, at_once = [outcome for outcome in outcomes if _schedule_rerun(outcome)], 1
            time.sleep(LOOK_S)
    finally:
        for _, certification in running:
            certification.close()
    return outcomes


def _schedule_rerun(outcome: TrialResult) -> bool:
    """Schedule a rerun of unclear cases: only once, and not where a failure is proven."""
    if outcome.alarms or outcome.again or not outcome.unclear:
        return False
    outcome.again, outcome.unclear = outcome.unclear, {}
    return True


def _start_trial(suite: Path, bench: Path, folder: Path, outcome: TrialResult) -> Certification:
    trial, only = outcome.trial, tuple(outcome.again)
    folder = folder / "again" if only else folder
    folder.mkdir(parents=True)
    return Certification(suite, CertificationJob(bench, folder, only, bool(trial.defect), trial.defects))


def _collect_ended(running: list[tuple[TrialResult, Certification]]) -> Iterator[TrialResult]:
    for pair in list(running):
        outcome, certification = pair
        certification.poll()
        if certification.done:
            running.remove(pair)
            _record_outcome(outcome, certification)
            yield outcome


def _record_outcome(outcome: TrialResult, certification: Certification) -> None:
    outcome.took_s = round(outcome.took_s + monotonic() - certification.began_s, 1)
    outcome.broken += certification.broken
    for case in certification.cases:
        if case.verdict is None:  # after the first detection
            continue
        outcome.cases += case.name not in outcome.again
        if case.verdict is Verdict.FAIL:
            wrong = ", ".join(check.name for check in case.checks if check.verdict is Verdict.FAIL)
            outcome.alarms.append(f"{case.name}: {wrong}")
        elif case.verdict not in GOOD:
            outcome.unclear[case.name] = f"{case.verdict.value} {case.reason}"


def _format_unclear(unclear: dict[str, str]) -> list[str]:
    return [f"{case}: {why}" for case, why in unclear.items()]
