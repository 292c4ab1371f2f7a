"""Manners of the whole window: grey buttons explain themselves, focus shows, notices find room, frames keep time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from control.state import BenchState
from tests.workbench.fake_session import FakeSession, running_session
from tests.workbench.hands import CTRL, LEFT, NONE, click, draw, in_front, move, press, press_in, write
from workbench.session.actions import Failure, PendingAction
from workbench.window.frame_pacing import CATCH_UP_S, PERIOD_S, FramePacer
from workbench.window.layout import LayoutSettings
from workbench.window.shell import Shell
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtGui import QImage
    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown

LAPTOP = (1366, 768)


@pytest.mark.parametrize("state", list(BenchState))
def test_every_grey_button_says_why(one_window: Callable[..., Shown], qtbot: QtBot, state: BenchState) -> None:
    running = one_window()
    running.session.change(state=state, run_name="" if state is BenchState.DISCONNECTED else "run")
    qtbot.waitUntil(lambda: running.shell.controller.status.state is state)
    for page in running.shell.pages:
        running.window.show_page(page)
        grey = [part for part in running.shell.findChildren(QPushButton) if part.isVisible() and not part.isEnabled()]
        assert [part.text() for part in grey if not part.toolTip()] == []


def looks(widget: QWidget) -> QImage:
    """The widget as painted, and what stands around it."""
    area = widget.window().rect()
    at = widget.mapTo(widget.window(), QPoint(0, 0))
    return widget.window().grab(widget.rect().translated(at).adjusted(-2, -2, 2, 2).intersected(area)).toImage()


def test_focus_is_visible_wherever_the_tab_key_leads(running: Shown, qtbot: QtBot) -> None:
    board = running.window.bench.board
    board.view.pause(paused=True)
    running.session.stalled = True  # nothing else changes the picture
    running.window.bench.transport.show()
    running.window.notices.failure.show_failure(Failure("A sentence.", "A step.", "details"))
    draw(running, qtbot)
    running.shell.activateWindow()
    stops: list[QWidget] = []
    unseen: list[str] = []
    running.shell.setFocus()
    for _ in range(200):
        QTest.keyClick(running.shell.windowHandle(), Qt.Key.Key_Tab)
        widget = QApplication.focusWidget()
        if widget is None or widget in stops:
            break
        stops.append(widget)
        focused = looks(widget)
        widget.clearFocus()
        if focused == looks(widget):
            unseen.append(f"{type(widget).__name__} {widget.accessibleName()}")
        widget.setFocus(Qt.FocusReason.TabFocusReason)
    assert len(stops) > 30
    assert unseen == []


def test_notices_with_details_fit_a_laptop(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(running_session(past_s=12.0), size=LAPTOP)
    draw(shown, qtbot, 3)
    shown.session.inject("open_wire", {})
    shown.session.inject("silent", {})
    notices = shown.window.notices
    notices.failure.show_failure(Failure("The supply did not answer.", "Switch it on.", "LinkSilent\n" * 20))
    click(notices.failure.fold)
    shown.shell.controller.pending.append(PendingAction("Export run.csv", fraction=0.3, left_s=4.0))
    qtbot.waitUntil(notices.work.isVisible)
    draw(shown, qtbot, 6)
    assert (shown.shell.width(), shown.shell.height()) == LAPTOP
    line = shown.shell.line
    assert line.mapTo(shown.shell, QPoint(0, line.height())).y() <= LAPTOP[1]
    assert notices.failure.details.isVisible()
    assert "LinkSilent" in notices.failure.details.toPlainText()


def test_long_work_shows_how_far_how_long_and_a_cancel_that_works(running: Shown, qtbot: QtBot) -> None:
    cancelled: list[bool] = []
    work = PendingAction("Export run.csv", "row 300", fraction=0.3, left_s=4.0, cancel=lambda: cancelled.append(True))
    running.shell.controller.pending.append(work)
    bar = running.window.notices.work
    qtbot.waitUntil(bar.isVisible)
    assert bar.sentence.text().startswith(work.title)
    assert bar.bar.value() == 300
    assert fmt.age(4.0) in bar.remaining.text()
    click(bar.cancel)
    assert cancelled == [True]
    work.done = True
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_frame_that_is_late_is_followed_sooner() -> None:
    pace = FramePacer(10.0)
    pace.follow(10.0, 10.0 + 0.02)
    assert pace.due_s == pytest.approx(10.0 + PERIOD_S)  # in time: the phase is kept
    pace.follow(10.0 + PERIOD_S, 10.0 + PERIOD_S + 0.05)
    assert pace.due_s == pytest.approx(10.0 + 2 * PERIOD_S)  # late: due in the past, so at once


def test_frames_that_were_missed_in_a_long_stall_are_not_made_up_for() -> None:
    pace = FramePacer(10.0)
    pace.follow(10.0, 12.0)
    assert pace.due_s == pytest.approx(12.0 - CATCH_UP_S)


def test_a_moments_stall_does_not_slow_the_frames_after_it() -> None:
    pace, now_s = FramePacer(10.0), 10.5  # half a second for another theme
    for _ in range(30):
        began_s = max(now_s, pace.due_s)
        now_s = began_s + 0.025
        pace.follow(began_s, now_s)
        assert not pace.gives_way


def test_frames_that_are_late_on_and_on_give_way_until_they_are_in_time_again() -> None:
    pace = FramePacer(10.0)
    for late_s, gives_way in ((0.04, False), (0.08, True), (0.04, True), (0.0, False)):
        for _ in range(300):
            pace.follow(pace.due_s + late_s, pace.due_s + late_s + 0.01)
        assert pace.gives_way is gives_way
        due_s = pace.due_s
        pace.follow(due_s, due_s)
        assert pace.due_s - due_s == pytest.approx((3 if gives_way else 1) * PERIOD_S)


def test_session_is_polled_during_a_change_of_theme(running: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def restyle(_shell: Shell, _sheet: str) -> None:
        calls.append("style")

    monkeypatch.setattr(running.session, "poll", lambda: calls.append("poll"))
    monkeypatch.setattr(Shell, "setStyleSheet", restyle)
    running.shell.set_theme(LIGHT)
    assert calls == ["style", "poll", "style", "poll"]


@pytest.mark.alone
def test_busy_moments_do_not_slow_the_frames(running: Shown, qtbot: QtBot) -> None:
    due: list[float] = []
    controller = running.shell.controller
    controller.ticked.connect(lambda: due.append(controller.pace.due_s))
    busy = [0]

    def now_and_then() -> None:
        busy[0] += 1
        if busy[0] % 4 == 0:
            QTest.qSleep(45)  # fixed wait: longer than a frame, a repeating timer would begin anew

    controller.values_due.connect(now_and_then)
    qtbot.waitUntil(lambda: len(due) >= 40, timeout=8000)
    steps = [later - sooner for sooner, later in pairwise(due)]
    kept = [step for step in steps if step == pytest.approx(PERIOD_S)]
    assert len(kept) >= len(steps) - 4  # the machine may stall for longer than is made up for


def test_dock_is_hidden_shown_and_floated_from_the_keyboard(running: Shown, qtbot: QtBot) -> None:
    dock = running.window.bench.docks["limits"]
    for name, holds in (
        ("dock limits", dock.isHidden),
        ("dock limits", lambda: not dock.isHidden()),
        ("float limits", dock.isFloating),
        ("reset layout", lambda: not dock.isFloating()),
    ):
        words = running.window.commands.commands[name].words()
        press(running, Qt.Key.Key_P, CTRL | Qt.KeyboardModifier.ShiftModifier)
        qtbot.waitUntil(in_front)
        palette = QApplication.activeModalWidget()
        assert palette is not None
        qtbot.waitUntil(lambda: isinstance(QApplication.focusWidget(), QWidget))
        write(QApplication.focusWidget() or palette, words)
        press_in(palette, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda holds=holds: bool(holds()))
        qtbot.waitUntil(lambda: not in_front())


def test_double_click_on_a_title_floats_a_dock(running: Shown, qtbot: QtBot) -> None:
    dock = running.window.bench.docks["faults"]
    QTest.mouseDClick(dock.titleBarWidget(), LEFT, NONE, QPoint(20, 10))
    qtbot.waitUntil(dock.isFloating)
    QTest.mouseDClick(dock.titleBarWidget(), LEFT, NONE, QPoint(20, 10))
    qtbot.waitUntil(lambda: not dock.isFloating())


def test_theme_comes_back(show: Callable[..., Shown], tmp_path: Path, qtbot: QtBot) -> None:
    first = show(FakeSession(past_s=1.0), memory=LayoutSettings(tmp_path / "layout.ini"))
    press(first, Qt.Key.Key_T, CTRL)
    chosen = first.shell.theme.name
    first.shell.close()
    assert chosen == LIGHT.name
    assert LayoutSettings(tmp_path / "layout.ini").theme == chosen


def test_signals_are_dragged_out_of_the_tree(running: Shown, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    view = running.window.bench.tree.view
    dragged: list[QWidget] = []

    def note(dragging: QWidget, actions: object) -> None:
        """In place of Qt's own, which waits for the mouse of a screen."""
        del actions
        dragged.append(dragging)

    monkeypatch.setattr(type(view), "startDrag", note, raising=False)
    index = running.window.bench.tree.model.find("cell_03/voltage")
    start = view.visualRect(index).center()
    QTest.mousePress(view.viewport(), LEFT, NONE, start)
    for step in range(1, 6):
        move(view.viewport(), start + QPoint(12 * step, 4), LEFT)
    QTest.mouseRelease(view.viewport(), LEFT, NONE, start + QPoint(60, 4))
    assert dragged == [view]
    mime = running.window.bench.tree.model.mimeData(view.selectedIndexes())
    assert mime.text() == "cell_03/voltage"
