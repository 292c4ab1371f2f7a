"""The runner of a suite: it starts a separate pytest process and reads its events; a crash of a script stays there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.errors import Usage
from workbench.certificates.results import CaseResult, Verdict
from workbench.certificates.suites import SUITES, hash_suite, list_shipped
from workbench.certify.event_stream import NAME, STOP, EventStreamReader
from workbench.certify.events import (
    BenchIdentified,
    CaseBegun,
    CaseEnded,
    CasesCollected,
    CheckRecorded,
    FileBroken,
)
from workbench.certify.process import LOG, start_process

if TYPE_CHECKING:
    from workbench.certificates.results import CaseCheck, CaseInfo
    from workbench.certify.case_trace import CaseTrace
    from workbench.certify.events import CertifyEvent
    from workbench.certify.job import CertificationJob

COLLECT_S: Final = 120.0  # a suite whose files take longer to be imported hangs
STOP_S: Final = 20.0  # a waiting case leaves its bench in order within this time
NOTHING_RAN: Final = 5  # pytest's exit status


def find_suite(suite: str) -> Path:
    """Return the path of a suite that comes with the workbench (by name) or of any other (by path); raise `Usage`."""
    path = SUITES / suite if suite.isidentifier() and (SUITES / suite).is_dir() else Path(suite)
    if not path.exists():
        shipped = ", ".join(list_shipped())
        raise Usage(f"suite {suite} does not exist", value=suite, hint=f"name one of {shipped}, a folder or a file")
    return path.resolve()


@dataclass
class CaseRun:
    """The state of one case so far; it has a verdict once it ended."""

    info: CaseInfo
    begun: bool = False
    verdict: Verdict | None = None
    reason: str = ""
    checks: tuple[CaseCheck, ...] = ()
    traces: tuple[CaseTrace, ...] = ()
    took_s: float = 0.0

    @property
    def name(self) -> str:
        """Identifier and variant, as `--only` takes them."""
        return self.info.name

    @property
    def result(self) -> CaseResult:
        """The result; BLOCKED where the case did not end."""
        return CaseResult(self.info, self.verdict or Verdict.BLOCKED, self.reason, self.took_s, self.checks)


class Certification:
    """One run of a suite; `poll` reads its events, `cases` holds what is known so far."""

    def __init__(self, suite: Path, job: CertificationJob) -> None:
        """Start it; `job.out` must be an empty folder."""
        self.suite, self.job = suite, job
        self.suite_sha256 = hash_suite(suite)
        self.bench_sha256 = sha256(job.bench.read_bytes()).hexdigest()
        self.cases: list[CaseRun] = []
        self.bench: BenchIdentified | None = None
        self.broken: list[str] = []
        self.began_s = monotonic()
        self.done = self.stopped = False
        self.is_readable = True  # every file of the suite could be imported, and it has a case to run
        self._collected = False
        self._stream = EventStreamReader(job.out)
        self._stopped_s = float("inf")
        self._process = start_process(suite, job)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def now(self) -> CaseRun | None:
        """The case that runs now."""
        return next((case for case in self.cases if case.begun and case.verdict is None), None)

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take at the pace so far; None before the first case has ended."""
        took = [case.took_s for case in self.cases if case.verdict is not None]
        waiting = sum(case.verdict is None for case in self.cases)
        return sum(took) / len(took) * waiting if took else None

    def poll(self) -> list[CertifyEvent]:
        """Read and return the events since the last poll."""
        ended = self._process.poll() is not None
        events = list(self._stream.read())
        for event in events:
            self._take(event)
        if self.stopped and monotonic() - self._stopped_s > STOP_S and not ended:
            self._process.kill()
        if not (self._collected or ended or self.stopped) and monotonic() - self.began_s > COLLECT_S:
            self.broken.append(f"{self.suite.name} cannot be imported within {COLLECT_S:g} s; see {LOG}")
            self.is_readable = False
            self._process.kill()
            self._process.wait()
        if ended and not self.done:
            self._judge_unfinished()
        return events

    def stop(self) -> None:
        """Stop in order: the current case ends, then the bench is made safe."""
        if not self.stopped:
            (self.job.out / STOP).touch()
            self.stopped, self._stopped_s = True, monotonic()

    def close(self) -> None:
        """Stop and wait."""
        if not self.done:
            self.stop()
            while not self.done:
                self.poll()
                time.sleep(0.02)

    def _take(self, event: CertifyEvent) -> None:
        match event:
            case CasesCollected():
                self.cases = [CaseRun(info) for info in event.cases]
                self._collected = True
            case CaseBegun():
                if (case := self._find_case(event.case)) is not None:
                    case.begun = True
            case CheckRecorded():
                if (case := self._find_case(event.case)) is not None:
                    case.checks = (*case.checks, event.check)
            case CaseEnded():
                if (case := self._find_case(event.result.info)) is not None:
                    result = event.result
                    case.verdict, case.reason, case.took_s = result.verdict, result.reason, result.took_s
                    case.checks, case.traces = result.checks, event.traces
            case BenchIdentified():
                self.bench = event
            case FileBroken() if str(event) not in self.broken:  # each file of a suite meets the same bench file
                self.broken.append(str(event))
                self.is_readable = False
            case _:
                pass

    def _find_case(self, info: CaseInfo) -> CaseRun | None:
        """Return the case; for one that was not collected, record a broken stream and return None."""
        found = next((case for case in self.cases if case.info.test == info.test), None)
        if found is None:
            self.broken.append(f"{NAME}: a line cannot be read: {info.test} was not collected")
        return found

    def _judge_unfinished(self) -> None:
        """Judge the cases that did not end: they were stopped, or the script crashed."""
        self.done = True
        code = self._process.returncode
        for case in self.cases:
            if case.verdict is None and not (self.job.first_detection and not case.begun):
                case.verdict = Verdict.BLOCKED if self.stopped or not case.begun else Verdict.ERROR
                crash = f"the script's process ended unexpectedly (exit {code}); see {LOG}"
                case.reason = "stopped" if self.stopped else crash
        if not self.cases and not self.broken and not self.stopped:
            nothing = (
                "contains none of the requested cases" if code in (0, NOTHING_RAN) else f"did not run (exit {code})"
            )
            self.broken.append(f"{self.suite.name} {nothing}; see {LOG}")
            self.is_readable = False
