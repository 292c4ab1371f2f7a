"""Controller of a certification: read a suite, run cases, write a certificate; all outside the window's thread."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from drivers.errors import PulseError
from workbench.session.actions import Failure
from workbench.window.failures import make_sentence
from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from workbench.certify.runner import CaseRun
    from workbench.window.certify_page.model import (
        CertificateLine,
        CertificationResult,
        Certifier,
        RunningCertification,
        SuiteLoader,
    )
    from workbench.window.session_controller import SessionController


FILES: Final = "certificates"  # the thread that reads and writes them
HINT: Final = "Check its folder."
AT_CLOSE: Final = "The certificate that is being written is finished first."
CERTIFICATE_SHOWN: Final = "An earlier certificate is shown; go back to the suite first."
NO_SUITE: Final = "Choose a suite on the Certify page first."
BENCH_CONNECTED: Final = (
    "This window is connected to the bench, and only one session can control a real bench; disconnect first."
)
NOTHING_TICKED: Final = "Tick at least one case."
BENCH_USED: Final = "A certification uses the bench; stop it or wait until it ends."
RUNNING: Final = "A certification is running."
NOT_RUNNING: Final = "No certification is running."
NOTHING_SHOWN: Final = "No earlier certificate is shown."
STOPPING: Final = "The certification is being stopped: the current case ends, then the bench is made safe."


class CertifyStage(StrEnum):
    """Stage of the controller."""

    IDLE = "idle"
    READING = "reading"
    RUNNING = "running"
    STOPPING = "stopping"
    WRITING = "writing"


WAITS: Final = {  # why no certification can start at each stage
    CertifyStage.RUNNING: "A certification is running; stop it or wait until it ends.",
    CertifyStage.STOPPING: "A certification is being stopped.",
    CertifyStage.READING: "The suite is being read.",
    CertifyStage.WRITING: "The certificate of the last certification is being written.",
}


class CertifyController(QObject):
    """One certification at a time; `cases` are those of the suite, the certification or the shown certificate."""

    changed = Signal()  # stage, a verdict, a check
    replaced = Signal()  # other cases
    ended = Signal()  # a result is available
    listed = Signal()  # earlier certificates
    failed = Signal(Failure)

    def __init__(self, session_controller: SessionController, certifier: Certifier) -> None:
        super().__init__()
        self._session_controller, self._background = session_controller, session_controller.background
        self.certifier = certifier
        self.stage = CertifyStage.IDLE
        self.suite: Path | None = None
        self.bench: Path | None = None
        self.emulated: bool | None = None  # whether the bench file declares emulated instruments alone, once it is read
        self.cases: list[CaseRun] = []  # of the suite, with the verdicts of the last certification
        self.broken: list[str] = []
        self.work: RunningCertification | None = None
        self.result: CertificationResult | None = None
        self.shown: CertificationResult | None = None  # an earlier certificate, in place of the suite
        self.past: Sequence[CertificateLine] = ()
        self._reading: Task[SuiteLoader] | None = None
        self._progress: tuple[object, ...] = ()
        session_controller.outputs_off_requested.connect(self.off)

    # ---- what is possible

    @property
    def on(self) -> bool:
        """Whether a certification holds its bench."""
        return self.stage in (CertifyStage.RUNNING, CertifyStage.STOPPING)

    def why_not_start(self, ticked: int) -> str:
        """Return why `ticked` cases cannot be certified now, as a sentence; empty if they can."""
        return WAITS.get(self.stage) or self.certifier.why_not() or self._why_no_suite() or self._why_no_bench(ticked)

    def _why_no_suite(self) -> str:
        if self.shown is not None:
            return CERTIFICATE_SHOWN
        if not self.cases:
            return make_sentence(self.broken[0]) if self.broken else NO_SUITE
        return ""

    def _why_no_bench(self, ticked: int) -> str:
        if self._session_controller.connected and not self.emulated:
            return BENCH_CONNECTED
        return "" if ticked else NOTHING_TICKED

    def second_bench(self) -> bool:
        """Whether another emulated bench starts beside the one that is connected."""
        return self._session_controller.connected and self.emulated is True

    @property
    def holds_bench(self) -> bool:
        """Whether a certification runs on the real bench of this window."""
        return self.on and not self.emulated

    def why_no_connect(self) -> str:
        """Return why this window's own session must not connect to the bench."""
        return BENCH_USED if self.holds_bench else ""

    def why_busy(self) -> str:
        """Return why no other suite or certificate can be shown."""
        return RUNNING if self.on or self.stage is CertifyStage.WRITING else ""

    def why_not_leave(self) -> str:
        return "" if self.shown is not None else NOTHING_SHOWN

    @property
    def word(self) -> str:
        """Text for the rail while a certification runs: how many cases have ended, of how many."""
        if not self.on or self.work is None:
            return ""
        return f"{sum(case.verdict is not None for case in self.work.cases)}/{len(self.work.cases) or len(self.cases)}"

    def why_not_stop(self) -> str:
        if self.stage is CertifyStage.STOPPING:
            return STOPPING
        return "" if self.on else NOT_RUNNING

    # ---- actions

    def choose(self, suite: Path, bench: Path, *, again: bool = False) -> None:
        """Read a suite for a bench, unless it is shown already; with `again` read it anyway."""
        if self.on or self.stage is CertifyStage.WRITING or ((suite, bench) == (self.suite, self.bench) and not again):
            return
        if self._reading is not None:
            self._reading.cancel()
        self.suite, self.bench, self.emulated = suite, bench, None
        self.cases, self.broken, self.result, self.shown = [], [], None, None
        self._reading, self.stage = None, CertifyStage.IDLE
        try:
            self.emulated = self.certifier.is_emulated(bench)
            reading = self.certifier.read(suite, bench)
            task = Task("Read the suite", ready=self._take_reading, failed=self._fail_reading)
            self._reading, self.stage = self._background.watch(task, reading), CertifyStage.READING
        except PulseError as error:  # of the bench file, without which no file of the suite can be read
            self.broken = [str(error)]
        except OSError as error:
            self.broken = [f"{suite.name} cannot be read: {error.strerror or error}"]
        self.replaced.emit()
        self.changed.emit()

    def start(self, only: Sequence[str]) -> None:
        """Certify the named cases, all if none is named; the caller has checked `why_not_start`."""
        if self.suite is None or self.bench is None:
            return
        try:
            self.work = self.certifier.start(self.suite, self.bench, only)
        except PulseError as error:
            self.failed.emit(Failure(make_sentence(error.sentence), make_sentence(error.hint)))
            return
        except OSError as error:
            self.failed.emit(Failure(f"The certification did not start: {error.strerror or error}.", "Try again."))
            return
        for case in self.cases:
            _clear_result(case)
        self.broken, self.result, self.stage, self._progress = [], None, CertifyStage.RUNNING, ()
        task = Task[_TolerantProcess](
            "Certify", ready=lambda _: self._write(), moved=self._poll_certification, failed=self._fail_work
        )
        self._background.watch(task, _TolerantProcess(self.work, self._note))
        self.changed.emit()

    def stop(self) -> None:
        """Stop in order: end the case under way and make its bench safe."""
        if self.work is not None and self.stage is CertifyStage.RUNNING:
            self.work.stop()
            self.stage = CertifyStage.STOPPING
            self.changed.emit()

    def off(self) -> None:
        """Execute OUTPUTS OFF at once, without regard to the case."""
        if self.work is not None and self.on:
            self.certifier.switch_off(self.work)
            self.stage = CertifyStage.STOPPING
            self.changed.emit()

    def look(self) -> None:
        """Read the list of earlier certificates."""
        self._background.run_in_thread(
            Task("List earlier certificates", ready=self._take_past, failed=self.failed.emit, hint=HINT),
            lambda _: self.certifier.list_certificates(),
            queue=FILES,
        )

    def open(self, folder: Path) -> None:
        """Show an earlier certificate."""
        if not self.on:
            self._background.run_in_thread(
                Task("Open a certificate", ready=self._show, failed=self.failed.emit, hint=HINT),
                lambda _: self.certifier.open(folder),
                queue=FILES,
            )

    def leave(self) -> None:
        """Close an earlier certificate and show the suite again."""
        if self.shown is not None:
            self.shown = None
            self.replaced.emit()
            self.changed.emit()

    def close(self) -> None:
        """Stop in order and keep the results, because the window closes."""
        if self._reading is not None:
            self._reading.cancel()
        if self.work is not None and not self.work.done:
            self.work.close()
        if self.work is not None and self.on:
            self._write()
        self._background.end(FILES)

    # ---- results that arrive

    def _take_reading(self, reading: SuiteLoader) -> None:
        self._reading, self.stage = None, CertifyStage.IDLE
        self.cases, self.broken = list(reading.cases), list(reading.broken)
        self.replaced.emit()
        self.changed.emit()

    def _fail_reading(self, failure: Failure) -> None:
        self._reading, self.stage, self.broken = None, CertifyStage.IDLE, [failure.sentence]
        self.replaced.emit()
        self.changed.emit()

    def _poll_certification(self) -> None:
        """Take the results since the last poll."""
        work = self.work
        if work is None:
            return
        _copy(work.cases, self.cases)
        seen = (len(work.broken), *((case.begun, case.verdict, len(case.checks)) for case in work.cases))
        if seen != self._progress:
            self._progress = seen
            self.changed.emit()

    def _note(self, error: OSError) -> None:
        text = f"the progress of the suite cannot be read: {error}"
        self.broken = [*dict.fromkeys([*self.broken, text])]

    def _write(self) -> None:
        """Write the certificate of the finished certification, even while the window closes."""
        work = self.work
        if work is None:
            return
        self.broken = [*self.broken, *work.broken]
        self.stage = CertifyStage.WRITING
        self._background.run_in_thread(
            Task(
                "Write the certificate", ready=self._take_result, failed=self._fail_work, hint=HINT, at_close=AT_CLOSE
            ),
            lambda _: self.certifier.write(work),
            queue=FILES,
            finishes=True,
        )
        self.changed.emit()

    def _fail_work(self, failure: Failure) -> None:
        self.stage = CertifyStage.IDLE
        self.changed.emit()
        self.failed.emit(failure)

    def _take_result(self, result: CertificationResult) -> None:
        self.result, self.stage = result, CertifyStage.IDLE
        self.changed.emit()
        self.ended.emit()
        self.look()

    def _take_past(self, lines: Sequence[CertificateLine]) -> None:
        self.past = lines
        self.listed.emit()

    def _show(self, result: CertificationResult) -> None:
        if not self.on:
            self.shown = result
            self.replaced.emit()
            self.changed.emit()

    # ---- what is shown

    @property
    def rows(self) -> Sequence[CaseRun]:
        """The cases on screen."""
        return self.shown.cases if self.shown is not None else self.cases

    @property
    def verdict(self) -> CertificationResult | None:
        """The result on screen."""
        return self.shown if self.shown is not None else self.result


class _TolerantProcess:
    """A certification that goes on if its folder cannot be read for a moment."""

    def __init__(self, work: RunningCertification, note: Callable[[OSError], None]) -> None:
        self._work, self._note = work, note

    @property
    def done(self) -> bool:
        return self._work.done

    def poll(self) -> None:
        try:
            self._work.poll()
        except OSError as error:  # a script can do anything to its folder
            self._note(error)

    def close(self) -> None:
        self._work.close()


def _clear_result(case: CaseRun) -> None:
    case.begun, case.verdict, case.reason, case.took_s = False, None, "", 0.0
    case.checks, case.traces = (), ()


def _copy(known: Sequence[CaseRun], cases: Sequence[CaseRun]) -> None:
    """Copy the results of a certification into the suite's cases, which stay the same objects."""
    found = {case.info.test: case for case in known}
    for case in cases:
        if (new := found.get(case.info.test)) is not None:
            case.begun, case.verdict, case.reason, case.took_s = new.begun, new.verdict, new.reason, new.took_s
            case.checks, case.traces = new.checks, new.traces
