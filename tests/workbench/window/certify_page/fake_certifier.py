"""A certifier without processes: it replays a recorded certification line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.certify.event_stream import NAME, EventStreamReader, read_line
from workbench.certify.events import CasesCollected
from workbench.certify.job import CertificationJob
from workbench.certify.runner import CaseRun, Certification
from workbench.run_folders import make_fresh_folder
from workbench.window.certify_page.certifier import FOLDER, BenchCertifier
from workbench.window.certify_page.model import Suite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.errors import BenchFileError
    from workbench.certify.events import BenchIdentified, CertifyEvent

PROGRESS = Path(__file__).with_name("certify_progress.jsonl")  # over-voltage debounce doubled: OV-01/7, OV-01/8, HB-01


class Process:
    """Stands for the pytest process: a test ends it."""

    def __init__(self) -> None:
        self.returncode: int | None = None
        self.pid = -1

    def poll(self) -> int | None:
        return self.returncode

    def kill(self) -> None:
        self.returncode = -9


class ReplayedCertification(Certification):
    """Each poll reads `pace` lines; with a pace of 0 it waits. Stopped, it ends with the next poll."""

    def __init__(self, lines: Sequence[dict[str, Any]], suite: Path, job: CertificationJob, pace: int) -> None:
        self.suite, self.job = suite, job
        self.suite_sha256 = self.bench_sha256 = "0" * 64
        self.cases: list[CaseRun] = []
        self.bench: BenchIdentified | None = None
        self.broken: list[str] = []
        self.done = self.stopped = False
        self.began_s = 0.0
        self._stopped_s = float("inf")
        self._stream = EventStreamReader(job.out)
        self.process = self._process = Process()  # type: ignore[assignment]
        self.lines = [line for line in lines if self._asked(line)]
        self.pace = pace
        self.exit = 0  # its status after the last line

    def _asked(self, line: dict[str, Any]) -> bool:
        return "id" not in line or self.job.includes(line["id"], line["variant"])

    def poll(self) -> list[CertifyEvent]:
        if self.done:
            return []
        now, self.lines = self.lines[: self.pace], self.lines[self.pace :]
        with (self.job.out / NAME).open("a") as file:
            for line in now:
                cases = [case for case in line.get("cases", ()) if self.job.includes(case["id"], case["variant"])]
                file.write(json.dumps(line | {"cases": cases} if "cases" in line else line) + "\n")
        events = list(self._stream.read())
        for event in events:
            self._take(event)
        if self.stopped or not self.lines or self.process.returncode is not None:
            self.process.returncode = self.process.returncode or self.exit
            self._judge_unfinished()
        return events

    def crash(self) -> None:
        """The script took its process along."""
        self.process.returncode = 7


class FakeCertifier(BenchCertifier):
    """Suites that are not read, certifications that are replayed; certificates are real files."""

    def __init__(self, root: Path, progress: Path = PROGRESS, pace: int = 1, *, emulated: bool = True) -> None:
        super().__init__(root)
        self.root, self.pace, self.emulated = root, pace, emulated
        self.bench_error: BenchFileError | None = None
        self.works: list[ReplayedCertification] = []
        self.read_for: list[tuple[Path, Path]] = []
        self.broken: list[str] = []
        self.offs = 0
        self._progress = progress

    def suites(self) -> Sequence[Suite]:
        return [Suite("bms", Path("/suites/bms"))]

    def is_emulated(self, bench: Path) -> bool:
        if self.bench_error is not None:
            raise self.bench_error
        return self.emulated

    def read(self, suite: Path, bench: Path) -> Any:
        self.read_for.append((suite, bench))
        return FakeSuiteLoader([] if self.broken else self._collected(), self.broken)

    def _collected(self) -> list[CaseRun]:
        lines = (read_line(line) for line in self._progress.read_bytes().splitlines())
        collected = next(event for event in lines if isinstance(event, CasesCollected))
        return [CaseRun(info) for info in collected.cases]

    def start(self, suite: Path, bench: Path, only: Sequence[str]) -> ReplayedCertification:
        folder = make_fresh_folder(self.root / FOLDER, f"2026-11-24_1830{len(self.works):02d}_bms")
        bench_file = self.root / "bench.toml"
        bench_file.touch()
        lines = [json.loads(line) for line in self._progress.read_text(encoding="utf-8").splitlines()]
        self.works.append(
            ReplayedCertification(lines, suite, CertificationJob(bench_file, folder, tuple(only)), self.pace)
        )
        return self.works[-1]

    def switch_off(self, work: Any) -> None:
        self.offs += 1
        work.stop()


class FakeSuiteLoader:
    """A suite that is read at once."""

    def __init__(self, cases: list[CaseRun], broken: list[str]) -> None:
        self.cases, self.broken, self.done = cases, broken, False

    def poll(self) -> None:
        self.done = True

    def close(self) -> None:
        self.done = True
