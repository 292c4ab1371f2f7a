"""A session without a window: how it ends when a person interrupts it, when the bench trips, when it refuses."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import CheckFailed, PulseError
from drivers.event import Level
from tests.workbench.fake_session import FakeSession
from workbench import signals
from workbench.report import Report
from workbench.session.actions import Failure, PendingAction
from workbench.session.bench_info import ChoiceParameter, FaultSpec, NumberParameter
from workbench.session.fault_plan import format_planned, planned, usage
from workbench.verbs import headless_session
from workbench.verbs.headless_session import HeadlessSession

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "/runs/2026-03-01_120000_hil24"
REASON = "cell_03/voltage 5.100 V above 5.000 V"


class ScriptedSession(FakeSession):
    """A session whose start, or whose poll while it runs, does what a test says."""

    guard_ports = frozenset[int]()

    def __init__(self, on_start: Any = None, on_run: Any = None) -> None:
        super().__init__(past_s=0.1)
        self.run_folder = FOLDER
        self.closings = 0
        self._on_start, self._on_run = on_start, on_run

    def start(self, duration_s: float | None = None) -> PendingAction:
        return super().start() if self._on_start is None else self._on_start(self)

    def poll(self) -> None:
        super().poll()
        if self._on_run is not None and self.status.run_s is not None:
            self._on_run(self)

    def close(self) -> None:
        self.closings += 1
        super().close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    handlers = {ending: signal.getsignal(ending) for ending in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(signals.Interrupt, "received", False)

    def open_it(*_words: object, **_more: object) -> ScriptedSession:
        return session_of[-1]

    session_of = list[ScriptedSession]()

    def act(session: ScriptedSession, report: Report) -> Path:
        monkeypatch.setattr(headless_session, "open_session", open_it)
        session_of.append(session)
        signals.leave_once()
        return HeadlessSession(tmp_path, tmp_path, report, [], unattended=False).run(60.0)

    yield act
    for ending, handler in handlers.items():
        signal.signal(ending, handler)


def test_an_interrupted_run_is_left_in_order_and_says_where_it_is(run: Any) -> None:
    def interrupt(_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    session, report = ScriptedSession(on_run=interrupt), Report("run")
    with pytest.raises(KeyboardInterrupt):
        run(session, report)
    assert session.closings == 1
    assert (report.body["run"], report.kept) == (FOLDER, f"the sealed run is in {FOLDER}")


def test_an_interrupt_that_a_library_suppresses_is_not_lost(run: Any) -> None:
    def suppress(_: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)

    session = ScriptedSession(on_run=suppress)
    with pytest.raises(KeyboardInterrupt):
        run(session, Report("run"))
    assert session.closings == 1


def test_a_trip_during_the_start_is_a_failed_check_with_its_cause_and_its_run(run: Any) -> None:
    def trip(session: ScriptedSession) -> PendingAction:
        session.trip(REASON)
        return PendingAction("Start", done=True, error=Failure("The bench has tripped; reset it with a reason first."))

    report = Report("run")
    with pytest.raises(CheckFailed, match=REASON) as found:
        run(ScriptedSession(on_start=trip), report)
    assert found.value.where == FOLDER
    assert report.body["run"] == FOLDER


def test_an_error_is_printed_once(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(session: ScriptedSession) -> PendingAction:
        session.note(Level.WARNING, "supply", "is hot")
        session.note(Level.WARNING, "start", "cells live: no; read the fault")
        told = PulseError("cells live: no", hint="read the fault").as_json()
        return PendingAction("Start", done=True, error=Failure("cells live: no", "read the fault", error_json=told))

    with pytest.raises(PulseError, match="cells live"):
        run(ScriptedSession(on_start=refuse), Report("run"))
    said = capsys.readouterr().out
    assert "supply: is hot" in said
    assert "cells live" not in said


SPEC = FaultSpec(
    "bench voltage",
    "",
    "",
    (NumberParameter("cell", "Cell", "1", 1, 24, 7, whole=True), ChoiceParameter("side", "Side", ("plus", "minus"))),
)


def test_the_defaults_of_a_fault_are_printed() -> None:
    assert format_planned(planned("bench-voltage", [SPEC])) == "bench-voltage,cell=7,side=plus,at=1"
    given = "bench-voltage,cell=3,side=minus,at=2.5,for=2"
    assert format_planned(planned(given, [SPEC])) == given
    assert usage(SPEC) == "bench-voltage,cell=1..24 [7],side=plus|minus [plus]"
