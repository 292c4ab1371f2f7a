"""The suite itself is judged: which seeded defects it finds, and that a healthy device raises no alarm."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbench.certify.order import Order
from workbench.certify.runner import Certification
from workbench.certify.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LOOK_S: Final = 0.05
GOOD: Final = frozenset({Verdict.PASS, Verdict.NA})


@dataclass(frozen=True)
class Trial:
    """One run of the suite: on a healthy device (`defect` empty), or with one defect at `place`."""

    name: str
    defect: str = ""
    sabotage: str = ""


@dataclass
class Outcome:
    """What a trial came to. `alarms`: cases that failed; `unclear`: those that could not be judged."""

    trial: Trial
    alarms: list[str] = field(default_factory=list[str])
    unclear: list[str] = field(default_factory=list[str])
    cases: int = 0
    took_s: float = 0.0

    @property
    def ok(self) -> bool:
        """A defect raises an alarm; a healthy device passes every case."""
        return bool(self.alarms) if self.trial.defect else not self.alarms and not self.unclear and self.cases > 0

    def as_json(self) -> dict[str, Any]:
        trial = {"run": self.trial.name, "defect": self.trial.defect or None, "ok": self.ok}
        return trial | {"alarms": self.alarms, "unclear": self.unclear, "cases": self.cases, "took_s": self.took_s}


def qualified(
    suite: Path, bench: Path, out: Path, trials: Sequence[Trial], *, at_once: int, tell: Callable[[Outcome], None]
) -> list[Outcome]:
    """Every trial, `at_once` side by side, each on a bench of its own; `tell` hears each outcome."""
    waiting, running = list(trials), list[tuple[Trial, Certification]]()
    outcomes: list[Outcome] = []
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                trial = waiting.pop(0)
                running.append((trial, _started(suite, bench, out, trial)))
            for outcome in _ended(running):
                outcomes.append(outcome)
                tell(outcome)
            time.sleep(LOOK_S)
    finally:
        for _, certification in running:
            certification.close()
    return outcomes


def _started(suite: Path, bench: Path, out: Path, trial: Trial) -> Certification:
    folder = out / trial.name
    folder.mkdir(parents=True)
    order = Order(bench, folder, first_detection=bool(trial.defect), sabotage=trial.sabotage)
    return Certification(suite, order)


def _ended(running: list[tuple[Trial, Certification]]) -> Iterator[Outcome]:
    for pair in list(running):
        trial, certification = pair
        certification.poll()
        if certification.done:
            running.remove(pair)
            yield _outcome(trial, certification)


def _outcome(trial: Trial, certification: Certification) -> Outcome:
    outcome = Outcome(trial, took_s=round(time.monotonic() - certification.began_s, 1))
    outcome.unclear += certification.broken
    for case in certification.cases:
        if case.verdict is None:  # behind the first detection
            continue
        outcome.cases += 1
        wrong = ", ".join(check["name"] for check in case.checks if check["verdict"] == Verdict.FAIL)
        if case.verdict is Verdict.FAIL:
            outcome.alarms.append(f"{case.name}: {wrong}")
        elif case.verdict not in GOOD:
            outcome.unclear.append(f"{case.name}: {case.verdict.value} {case.reason}")
    return outcome
