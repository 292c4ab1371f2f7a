"""Reader of a suite, in its own process: which cases it has for a bench; no case runs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from workbench.certify.event_stream import EventStreamReader
from workbench.certify.events import CasesCollected, FileBroken
from workbench.certify.job import CertificationJob
from workbench.certify.process import LOG, start_process
from workbench.certify.runner import NOTHING_RAN, CaseRun

if TYPE_CHECKING:
    from workbench.certify.events import CertifyEvent

TIMEOUT_S: Final = 60.0  # a suite that takes longer to be read hangs
NO_CASE: Final = "contains no case"


class SuiteLoadProcess:
    """Has `cases` and `broken` once it is `done`; implements the `SuiteLoader` of the Certify page."""

    def __init__(self, suite: Path, bench: Path) -> None:
        self.cases: list[CaseRun] = []
        self.broken: list[str] = []
        self.done = False
        self._suite = suite
        self._home = tempfile.TemporaryDirectory(prefix="pulsebms-suite-", ignore_cleanup_errors=True)
        self._out = Path(self._home.name)
        self._until_s = monotonic() + TIMEOUT_S
        self._stream = EventStreamReader(self._out)
        self._process = start_process(suite, CertificationJob(bench, self._out), "--collect-only")

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> None:
        """Receive new messages of the process."""
        if self.done:
            return
        ended = self._process.poll() is not None
        for event in self._stream.read():
            self._take(event)
        if ended:
            self._settle(f"cannot be read (exit {self._process.returncode})")
        elif monotonic() > self._until_s:
            self._settle(f"cannot be read within {TIMEOUT_S:g} s")

    def close(self) -> None:
        """Stop reading and remove everything the process left."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._home.cleanup()
        self.done = True

    def _take(self, event: CertifyEvent) -> None:
        if isinstance(event, CasesCollected):
            self.cases = [CaseRun(info) for info in event.cases]
        elif isinstance(event, FileBroken) and str(event) not in self.broken:  # several files meet the same bench file
            self.broken.append(str(event))

    def _settle(self, what: str) -> None:
        if not self.cases and not self.broken:
            plain = self._process.returncode in (0, NOTHING_RAN)
            detail = "" if plain else _last_line(self._out / LOG)
            self.broken.append(f"{self._suite.name} {NO_CASE if plain else what}{f': {detail}' if detail else ''}")
        self.close()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
