"""A session without a window: the steps of a run, its events and planned faults, and its end in every case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from control.state import BenchState
from drivers.clock import monotonic
from drivers.errors import CheckFailed, PulseError
from drivers.event import Level
from workbench.compose.session import open_session
from workbench.engine import injected_faults
from workbench.session import waiting
from workbench.session.live_session import LEAVE_S, SEAL_S
from workbench.signals import raise_interrupt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.report import Report
    from workbench.session.actions import PendingAction
    from workbench.session.fault_plan import Planned

ACT_S = 5.0


class HeadlessSession:
    """One session that prints its events, injects the planned faults and shows its progress."""

    def __init__(
        self,
        bench: Path,
        out: Path,
        report: Report,
        plan: Sequence[Planned],
        *,
        unattended: bool,
        take_over: bool = False,
    ) -> None:
        self.session = open_session(bench, out, unattended=unattended, take_over=take_over)
        self.injected: list[dict[str, Any]] = []
        self.tripped = ""
        self.guard_ports: frozenset[int] = frozenset()
        self._is_open = True
        self._report = report
        self._next_event = 0
        # the relay of an open wire needs the BMS unpowered
        self._before = [fault for fault in plan if fault.name == injected_faults.OPEN_WIRE]
        self._scheduled_faults = sorted(
            [(fault.at_s, fault, True) for fault in plan if fault not in self._before]
            + [(fault.at_s + fault.for_s, fault, False) for fault in plan],
            key=lambda scheduled: scheduled[0],
        )
        self._numbers: dict[Planned, int] = {}

    def run(self, duration_s: float) -> Path:
        """Connect, arm, run, stop; return the folder of the run. Raise `PulseError`.

        In every case the bench is left in order, the run is sealed and the events are printed.
        """
        error = ""
        try:
            self._run(duration_s)
        except PulseError as found:
            error = str(found)
            raise
        finally:
            self._close()
            self._report_events(error)
        return Path(self.session.run_folder)

    def poll(self) -> None:
        """Poll the session. Raise `KeyboardInterrupt` on Ctrl-C."""
        self.session.poll()
        raise_interrupt()

    def _run(self, duration_s: float) -> None:
        session = self.session
        self._finish(session.connect(), waiting.CONNECT_S)
        self._report.line(f"connected: {session.bench.name}, evidence class {session.status.evidence_class}")
        for fault in self._before:
            self._inject(fault, 0.0)
        self._finish(session.arm(), waiting.ARM_S)
        self._report.line(f"armed: {len(session.status.checklist)} checks hold")
        self._finish(session.start(duration_s), ACT_S)
        self._report.line(f"running for {duration_s:g} s")
        self._wait_for_end(duration_s)
        self.tripped = session.status.trip_reason
        if session.status.state is BenchState.RUNNING:
            self._finish(session.stop(), 2 * ACT_S)
        self._finish(session.disconnect(), LEAVE_S + SEAL_S)

    def _finish(self, pending: PendingAction, within_s: float) -> None:
        """Wait until an action is done; raise its `PulseError`, `CheckFailed` if the bench tripped."""
        try:
            waiting.finish(self, pending, within_s)
        except PulseError:
            status = self.session.status
            if status.state is not BenchState.TRIPPED:
                raise
            where, hint = self.session.run_folder, "the events of this run tell what came before"
            raise CheckFailed(f"the bench tripped: {status.trip_reason}", where=where, hint=hint) from None

    def _close(self) -> None:
        """Leave the bench in order; report where the run is."""
        if self._is_open:
            self._is_open = False
            self.guard_ports = self.session.guard_ports
            self.session.close()
        if folder := self.session.run_folder:
            self._report.body["run"], self._report.kept = folder, f"the sealed run is in {folder}"

    def _report_events(self, error: str = "") -> None:
        """Print new warnings and alarms, but not what `error` says already."""
        for record in self.session.events(self._next_event):
            self._next_event, event = record.number + 1, record.event
            if event.level is not Level.INFO and not (error and event.text in error):
                self._report.line(f"{event.level.value:<8} {event.source}: {event.text}")

    def _wait_for_end(self, duration_s: float) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("running", total=duration_s)
            started_s = monotonic()
            while (elapsed_s := monotonic() - started_s) < duration_s:
                self._inject_due(elapsed_s)
                next_s = self._scheduled_faults[0][0] - elapsed_s if self._scheduled_faults else duration_s
                waiting.idle(self, max(0.0, min(0.25, duration_s - elapsed_s, next_s)))
                progress.update(bar, completed=elapsed_s)
                self._report_events()
                if self.session.status.state is not BenchState.RUNNING:
                    return

    def _inject_due(self, elapsed_s: float) -> None:
        while self._scheduled_faults and self._scheduled_faults[0][0] <= elapsed_s:
            _, fault, begins = self._scheduled_faults.pop(0)
            if begins:
                self._inject(fault, elapsed_s)
            elif fault in self._numbers:
                self._finish(self.session.clear(self._numbers.pop(fault)), ACT_S)

    def _inject(self, fault: Planned, at_s: float) -> None:
        asked_s = monotonic()
        pending = self.session.inject(fault.name, fault.parameters)
        self._finish(pending, ACT_S)
        self._numbers[fault] = int(pending.payload["number"])
        self.injected.append(
            {"name": fault.name, "parameters": fault.parameters, "at_s": round(at_s, 3), "asked_s": asked_s}
        )
