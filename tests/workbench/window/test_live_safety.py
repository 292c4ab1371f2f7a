"""Nothing that acts on the bench is pressed by accident, and no window closes over a live bench without a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication

from control.state import BenchState, OutputState
from tests.workbench.fake_session import FakeSession
from tests.workbench.hands import CTRL, SHIFT, click, front, in_front, key, press, press_in, write
from workbench.session.actions import Action, Failure, PendingAction
from workbench.session.status import SessionStatus
from workbench.window.close_question import list_live_work
from workbench.window.command_palette import CommandPalette
from workbench.window.widgets.dialogs import QuestionDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown

OFF = ("outputs off",)


def test_space_pauses_the_view_after_a_click_on_start(show: Callable[..., Shown], qtbot: QtBot) -> None:
    session = FakeSession(past_s=2.0)
    session.connect()
    session.change(state=BenchState.ARMED)
    shown = show(session)
    click(shown.shell.toolbar.run)
    qtbot.waitUntil(lambda: session.status.state is BenchState.RUNNING)
    press(shown, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: shown.window.bench.board.view.paused)
    assert session.status.state is BenchState.RUNNING
    assert ("stop",) not in session.asked


@pytest.mark.parametrize("page", ["Bench", "Certify", "Runs", "Bundle", "Fleet"])
def test_no_button_has_the_focus_after_a_click(one_window: Callable[..., Shown], page: str) -> None:
    running = one_window()
    running.window.show_page(page)
    running.shell.activateWindow()
    for part in running.shell.findChildren(QAbstractButton):
        assert not part.focusPolicy() & Qt.FocusPolicy.ClickFocus, part.text()
    bar, certify = running.shell.toolbar, running.window.certify.bar
    for part in (bar.connect_, bar.arm, bar.run, bar.off, certify.start, certify.stop):
        assert part.focusPolicy() is Qt.FocusPolicy.NoFocus, part.text()


def test_palette_chooses_nothing_by_itself(running: Shown, qtbot: QtBot) -> None:
    press(running, Qt.Key.Key_P, CTRL | SHIFT)
    qtbot.waitUntil(in_front)
    palette = front(CommandPalette)
    assert palette.list.currentRow() == -1
    assert not palette.yes.isEnabled()
    key(palette.text, Qt.Key.Key_Return)
    assert palette.isVisible()
    assert OFF not in running.session.asked
    write(palette.text, "o")
    off = running.window.commands.commands["outputs off"].words()
    rows = [palette.list.item(row).text() for row in range(palette.list.count())]
    assert rows[-1] == off
    assert palette.list.currentItem().text() != off
    palette.text.clear()
    assert palette.list.currentRow() == -1
    palette.close()


@pytest.mark.parametrize("way", ["x", "quit"])
def test_window_over_a_running_bench_asks_before_it_closes(running: Shown, qtbot: QtBot, way: str) -> None:
    for _ in range(2):
        running.shell.close() if way == "x" else press(running, Qt.Key.Key_Q, CTRL)
    qtbot.waitUntil(in_front)
    assert running.shell.isVisible()
    assert not running.session.closed
    dialog = front(QuestionDialog)
    press_in(dialog, Qt.Key.Key_Space)  # the key that pauses the view
    qtbot.waitUntil(lambda: not in_front())
    assert not running.session.closed
    running.shell.close()
    click(front(QuestionDialog).yes)
    qtbot.waitUntil(lambda: running.session.closed)


def test_window_over_an_idle_bench_closes_at_once(show: Callable[..., Shown]) -> None:
    shown = show(FakeSession(past_s=2.0))
    shown.shell.close()
    assert not in_front()
    assert shown.session.closed


LIVE_CASES = [
    (BenchState.ARMED, OutputState.CELLS_LIVE, "armed"),
    (BenchState.RUNNING, OutputState.ENERGISED, "running"),
    (BenchState.CONNECTED, OutputState.UNKNOWN, "UNKNOWN"),
    (BenchState.CONNECTED, OutputState.CURRENT_OFF, "CURRENT OFF"),
    (BenchState.TRIPPED, OutputState.ENERGISED, "tripped"),
    (BenchState.TRIPPED, OutputState.UNKNOWN, "tripped"),
    (BenchState.DISCONNECTED, OutputState.UNKNOWN, "UNKNOWN"),  # the engine has died
]


@pytest.mark.parametrize(("state", "output", "word"), LIVE_CASES)
def test_whatever_is_not_verified_off_is_named(state: BenchState, output: OutputState, word: str) -> None:
    status = SessionStatus(state=state, output=output)
    (sentence,) = list_live_work(status, (), "", was_connected=True, certifying=False)
    assert word in sentence


@pytest.mark.parametrize(
    ("state", "output", "was_connected"),
    [
        (BenchState.DISCONNECTED, OutputState.UNKNOWN, False),
        (BenchState.DISCONNECTED, OutputState.DE_ENERGISED, True),
        (BenchState.CONNECTED, OutputState.DE_ENERGISED, True),
        (BenchState.TRIPPED, OutputState.TRIPPED, True),
    ],
)
def test_what_is_verified_off_asks_nothing(
    state: BenchState,
    output: OutputState,
    was_connected: bool,  # noqa: FBT001  # a parameter of the cases
) -> None:
    status = SessionStatus(state=state, output=output)
    done = PendingAction("Connect", done=True)
    assert list_live_work(status, (done,), "", was_connected=was_connected, certifying=False) == []


def test_work_and_certification_are_named_too() -> None:
    work, status = PendingAction("Connect", action=Action.CONNECT), SessionStatus()
    told = list_live_work(status, (work,), "The export is cancelled.", was_connected=False, certifying=True)
    assert [sentence.split()[0] for sentence in told] == ["Connect", "The", "The"]


@pytest.mark.parametrize("pressed", [Qt.Key.Key_Space, Qt.Key.Key_Return])
def test_question_that_opens_by_itself_accepts_no_key_that_was_meant_for_something_else(
    show: Callable[..., Shown], qtbot: QtBot, pressed: Qt.Key
) -> None:
    shown = show(FakeSession(past_s=2.0))
    shown.shell.controller.failed.emit(Failure("supply reads REMOTE", error_json={"code": "bench_taken"}))
    qtbot.waitUntil(in_front)
    dialog = front(QuestionDialog)
    assert QApplication.focusWidget() is not dialog.yes
    press_in(dialog, pressed)
    assert ("take over",) not in shown.session.asked
    if in_front():
        dialog.reject()
