"""A supply that somebody else controls is not taken, unless it was ours or somebody says so."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from drivers.errors import BenchTaken
from drivers.event import Level
from drivers.scpi.remote_owner import read_owner
from drivers.state_file import write_state
from fixtures.emulated_bench import EmulatedBench
from tests.workbench.fake_session import FakeSession
from tests.workbench.hands import click, front, in_front, key
from tests.workbench.live import HIL24, real
from workbench.compose.session import open_session
from workbench.engine import session_journal
from workbench.engine.take_over import check_remote
from workbench.report import Exit, status_of
from workbench.session import waiting
from workbench.session.actions import Failure
from workbench.window.widgets.dialogs import QuestionDialog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown

ADDRESS = "192.0.2.10:5025"


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(session_journal.FOLDER, str(tmp_path / "sessions"))
    return tmp_path / "sessions"


def left_remote(journal: Path, address: str) -> None:
    """As a session leaves it whose engine has died."""
    entry = {
        "bench": "hil24", "user": "ada", "started": "2026-01-01T10:00:00+00:00", "folder": "runs/one",
        "addresses": [address], "engine": 0, "engine_born": 0.0, "guard": 0, "guard_born": 0.0,
    }  # fmt: skip
    write_state(journal / "one.json", entry)


@pytest.mark.parametrize("owner", ["NONE", "LOCAL", ""])
def test_a_supply_that_nobody_controls_is_ours(owner: str) -> None:
    assert check_remote(ADDRESS, take_over=False, read=lambda _: owner) == ""


def test_a_supply_that_somebody_unknown_controls_is_refused_with_the_next_step(journal: Path) -> None:
    left_remote(journal, "192.0.2.99:5025")
    with pytest.raises(BenchTaken, match=r"supply at 192\.0\.2\.10:5025 reads REMOTE: .*--take-over") as caught:
        check_remote(ADDRESS, take_over=False, read=lambda _: "REMOTE")
    assert status_of(caught.value) is Exit.MISSING


def test_a_supply_that_a_session_of_ours_left_so_is_taken_and_said(journal: Path) -> None:
    left_remote(journal, ADDRESS)
    said = check_remote(ADDRESS, take_over=False, read=lambda _: "REMOTE")
    assert "a session of this machine left it so (one, bench hil24" in said


def test_a_supply_is_taken_over_when_told(journal: Path) -> None:
    assert "taken over as requested" in check_remote(ADDRESS, take_over=True, read=lambda _: "REMOTE")


def test_who_does_not_answer_or_talks_nonsense_is_no_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert read_owner(address, within_s=0.05) == ""
    assert read_owner(address, within_s=0.05) == ""
    assert read_owner("nowhere", within_s=0.05) == ""


@pytest.mark.whole_bench
@pytest.mark.timeout(120)
def test_a_session_refuses_a_supply_in_foreign_hands_and_takes_it_when_told(tmp_path: Path) -> None:
    emulated = EmulatedBench.start(tmp_path / "emulated", HIL24.parent / "pulse24.dut.toml")
    host, _, port = emulated.addresses["supply"].rpartition(":")
    session = open_session(real(tmp_path, emulated.addresses), tmp_path / "runs")
    try:
        with socket.create_connection((host, int(port))) as foreign:
            foreign.sendall(b"SYST:LOCK ON\n")
            assert waiting.wait_for(session, lambda: read_owner(emulated.addresses["supply"]) == "REMOTE", 10.0)
            refused = session.connect()
            assert waiting.wait_for(session, lambda: refused.done, waiting.CONNECT_S)
            assert refused.error is not None
            assert refused.error.error_json is not None
            assert refused.error.error_json["code"] == "bench_taken"
            taken = session.connect(take_over=True)
            assert waiting.wait_for(session, lambda: taken.done, waiting.CONNECT_S)
            events = [record.event for record in session.events(0) if record.event.source == "supply"]
            (event,) = [event for event in events if "REMOTE" in event.text]
            assert (event.level, "taken over as requested" in event.text) == (Level.WARNING, True)
    finally:
        session.close()
        emulated.stop()


def test_the_window_asks_before_it_takes_a_supply_over(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(FakeSession(past_s=2.0))
    failure = Failure("supply at 192.0.2.10:5025 reads REMOTE", error_json={"code": "bench_taken"})
    for answer, asked in ((Qt.Key.Key_Escape, False), (Qt.Key.Key_Return, True)):
        shown.shell.controller.failed.emit(failure)
        qtbot.waitUntil(in_front)
        dialog = front(QuestionDialog)
        if asked:
            click(dialog.yes)
        else:
            key(dialog, answer)
        qtbot.waitUntil(lambda: not in_front())
        assert (("take over",) in shown.session.asked) is asked


def test_another_failure_asks_nothing(show: Callable[..., Shown]) -> None:
    shown = show(FakeSession(past_s=2.0))
    shown.shell.controller.failed.emit(Failure("the supply is silent", error_json={"code": "bench"}))
    assert not in_front()
