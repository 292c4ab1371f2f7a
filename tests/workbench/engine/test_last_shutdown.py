"""What the next connect says of a session that did not end in order."""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from control.guard_journal import FILE_NAME, encode_line
from control.guard_reports import GuardEnded, GuardResult, TripReport
from drivers.event import Level
from drivers.safe_commands import SafeStepResult
from drivers.state_file import write_state
from tests.drivers.damages import DAMAGES, damage
from tests.waiting import wait_until
from tests.workbench.live import HIL24, end_guard, real
from workbench.compose.session import open_session
from workbench.engine import session_journal
from workbench.engine.last_shutdown import SOURCE, show
from workbench.session import waiting

if TYPE_CHECKING:
    from control.guard_reports import JournalRecord

STEPS = (
    SafeStepResult("supply off", verified=False, sent_s=10.0, verified_s=math.nan, detail="does not answer"),
    SafeStepResult("contactors open", verified=True, sent_s=10.0, verified_s=10.1, detail=""),
)
SAFE, UNKNOWN = GuardResult.SAFE, GuardResult.UNKNOWN


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(session_journal.FOLDER, str(tmp_path / "sessions"))
    return tmp_path / "sessions"


def left(tmp_path: Path, *records: JournalRecord, **changed: Any) -> None:
    """A session whose engine is gone, and what its guard wrote."""
    run = tmp_path / "2026-01-01_hil24"
    run.mkdir(exist_ok=True)
    (run / FILE_NAME).write_bytes(b"".join(encode_line(record, 10.0) for record in records))
    entry = {
        "bench": "hil24", "user": "ada", "started": "2026-01-01T10:00:00+00:00", "folder": str(run),
        "addresses": ["192.0.2.10:5025"], "engine": 0, "engine_born": 0.0, "guard": 0, "guard_born": 0.0,
    }  # fmt: skip
    write_state(tmp_path / "sessions" / "one.json", entry | changed)


def said() -> list[tuple[Level, str]]:
    told: list[tuple[Level, str]] = []
    show(lambda event: told.append((event.level, event.text)), wait=lambda _: None)
    return told


def tripped(result: GuardResult) -> TripReport:
    return TripReport(1, (), "engine has died", result, STEPS, 10.0, 10.0, math.nan, ())


def test_without_sessions_there_is_nothing_to_say() -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ([tripped(SAFE), GuardEnded(SAFE)], Level.INFO, "its guard verified off (engine has died)"),
        ([tripped(UNKNOWN), tripped(SAFE), GuardEnded(SAFE)], Level.INFO, "its guard verified off"),
        (
            [tripped(UNKNOWN), GuardEnded(UNKNOWN)],
            Level.ALARM,
            "off is NOT verified (engine has died; supply off: does not",
        ),
        ([tripped(SAFE), tripped(UNKNOWN), GuardEnded(UNKNOWN)], Level.ALARM, "off is NOT verified"),
        ([tripped(UNKNOWN)], Level.ALARM, "ended without a result (engine has died), off is NOT verified"),
        ([tripped(SAFE)], Level.WARNING, "then ended without its final report"),
        ([], Level.ALARM, "ended without a result (no trip was recorded), off is NOT verified"),
    ],
)
def test_the_last_verdict_of_the_guard_is_shown_once(
    tmp_path: Path, records: list[JournalRecord], level: Level, words: str
) -> None:
    left(tmp_path, *records)
    ((how, sentence),) = said()
    assert how is level
    assert "2026-01-01_hil24 (bench hil24, since 2026-01-01T10:00:00+00:00) did not shut down normally" in sentence
    assert words in sentence
    assert said() == []


def test_a_report_that_is_gone_or_torn_verifies_nothing(tmp_path: Path) -> None:
    left(tmp_path, tripped(SAFE), GuardEnded(SAFE))
    report = tmp_path / "2026-01-01_hil24" / FILE_NAME
    report.write_bytes(report.read_bytes()[:-10])
    ((level, sentence),) = said()
    assert (level, f"line 2 of {FILE_NAME} cannot be read" in sentence) == (Level.WARNING, True)
    left(tmp_path)
    report.unlink()
    ((level, sentence),) = said()
    assert (level, "its guard's report cannot be read" in sentence) == (Level.ALARM, True)


def test_a_guard_that_still_works_is_told_of_until_it_has_ended(tmp_path: Path) -> None:
    me = psutil.Process()
    left(tmp_path, tripped(UNKNOWN), guard=me.pid, guard_born=me.create_time())
    for _ in range(2):
        ((level, sentence),) = said()
        assert (level, "is still trying, off is NOT verified yet" in sentence) == (Level.ALARM, True)


def test_a_session_that_lives_or_left_in_order_is_not_told_of(tmp_path: Path) -> None:
    entry = session_journal.begin("hil24", tmp_path / "run", ("192.0.2.10:5025",), os.getpid())
    assert said() == []
    session_journal.end(entry)
    assert session_journal.unfinished() == []


def test_a_number_that_another_process_has_now_is_not_the_engine(tmp_path: Path) -> None:
    left(tmp_path, tripped(SAFE), GuardEnded(SAFE), engine=os.getpid(), engine_born=1.0)
    assert len(said()) == 1


@pytest.mark.parametrize("how", DAMAGES)
def test_a_note_that_cannot_be_read_is_an_alarm_once(journal: Path, how: str) -> None:
    damage(journal / "one.json", how)
    ((level, sentence),) = said()
    assert (level, "one.json cannot be read" in sentence) == (Level.ALARM, True)
    assert said() == []


def test_a_disk_that_takes_no_note_stops_no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session_journal, "write_state", full)
    assert session_journal.begin("hil24", tmp_path, (), None) is None
    session_journal.end(None)


def at_work(folder: Path) -> list[int]:
    """Processes that name `folder`, or hold a file in it open: a guard that was left alone, its emulated bench."""
    found: list[int] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            named = any(str(folder) in word for word in process.cmdline())
            if process.pid != os.getpid() and (named or any(str(folder) in file.path for file in process.open_files())):
                found.append(process.pid)
    return found


@pytest.mark.whole_bench
@pytest.mark.timeout(240)
def test_a_bench_has_one_session_and_the_next_one_hears_how_a_killed_one_ended(tmp_path: Path) -> None:
    first = open_session(HIL24, tmp_path / "runs")
    try:
        waiting.finish(first, first.connect(), waiting.CONNECT_S)
        addresses = json.loads((Path(first.status.run_folder) / "emulated" / "bench.json").read_text())["addresses"]
        bench = real(tmp_path, addresses)
        second = open_session(bench, tmp_path / "runs")
        try:
            held = second.connect()
            assert waiting.wait_for(second, lambda: held.done, waiting.CONNECT_S)
            assert held.error is not None
            assert held.error.error_json is not None
            assert held.error.error_json["code"] == "bench_held"
            assert f"is held by process {first.engine_pid} " in held.error.sentence
        finally:
            second.close()
        assert first.engine_pid is not None
        psutil.Process(first.engine_pid).kill()
        assert waiting.wait_for(first, lambda: bool(first.guard_reports), 10.0)
    finally:
        first.close()
    end_guard(first.guard_pid)
    wait_until(lambda: not at_work(tmp_path / "runs"), 30.0, "the end of the bench")
    third = open_session(HIL24, tmp_path / "runs")
    try:
        waiting.finish(third, third.connect(), waiting.CONNECT_S)
        told = [record.event for record in third.events(0) if record.event.source == SOURCE]
        assert len(told) == 1
        assert "did not shut down normally" in told[0].text
        assert "engine has died" in told[0].text
    finally:
        third.close()
    end_guard(third.guard_pid)
    entries = [entry for _, entry in session_journal.unfinished() if isinstance(entry, session_journal.SessionEntry)]
    assert third.engine_pid not in {entry.engine for entry in entries}, "a session that left in order is not told of"
