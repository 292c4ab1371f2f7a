"""OUTPUTS OFF from wherever the keyboard is, once for one press."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog

from control.state import BenchState
from tests.workbench.fake_session import FakeSession
from tests.workbench.hands import CTRL, SHIFT, front, in_front, press, press_in
from workbench.window.command_palette import CommandPalette
from workbench.window.widgets.dialogs import InjectDialog, ReasonDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown

KEYPAD = Qt.KeyboardModifier.KeypadModifier
OFF = ("outputs off",)


def test_off_key_works_while_a_filter_is_typed(running: Shown) -> None:
    press(running, Qt.Key.Key_F, CTRL)
    assert running.window.bench.tree.filter.hasFocus()
    press_in(running.shell, Qt.Key.Key_Period, CTRL)
    assert running.session.asked.count(OFF) == 1
    assert running.window.bench.tree.filter.text() == ""


def test_off_key_works_while_the_palette_is_open(running: Shown, qtbot: QtBot) -> None:
    running.window.show_palette()
    qtbot.waitUntil(in_front)
    palette = front(CommandPalette)
    qtbot.waitUntil(palette.text.hasFocus)
    press_in(palette, Qt.Key.Key_Period, CTRL)
    assert running.session.asked.count(OFF) == 1
    palette.close()


def test_off_key_works_while_a_reason_is_typed(running: Shown, qtbot: QtBot) -> None:
    running.session.trip("cell_07/voltage 5.02 V above 5.00 V")
    qtbot.waitUntil(lambda: running.shell.controller.status.state is BenchState.TRIPPED)
    running.window.session_commands.ask_reset()
    qtbot.waitUntil(in_front)
    press_in(front(ReasonDialog), Qt.Key.Key_Period, CTRL)
    assert running.session.asked.count(OFF) == 1
    front(ReasonDialog).close()


def test_off_key_works_while_a_list_of_a_dialog_is_open(running: Shown, qtbot: QtBot) -> None:
    running.window.session_commands.ask_fault()
    qtbot.waitUntil(in_front)
    dialog = front(InjectDialog)
    kind: QComboBox = dialog.kind
    kind.showPopup()
    qtbot.waitUntil(kind.view().isVisible)
    press_in(dialog, Qt.Key.Key_Period, CTRL)
    assert running.session.asked.count(OFF) == 1
    kind.hidePopup()
    dialog.close()


def test_off_key_works_while_a_file_is_chosen(running: Shown, qtbot: QtBot) -> None:
    running.window.ask_bench()
    qtbot.waitUntil(in_front)
    dialog = front(QFileDialog)
    press_in(dialog, Qt.Key.Key_Period, CTRL)
    assert running.session.asked.count(OFF) == 1
    dialog.close()


def test_off_key_works_in_a_dock_that_floats(running: Shown, qtbot: QtBot) -> None:
    dock = running.window.bench.docks["alarms"]
    dock.setFloating(True)
    qtbot.waitUntil(lambda: dock.window() is dock and dock.isVisible())
    dock.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is dock)
    press_in(dock, Qt.Key.Key_Period, CTRL)
    assert running.session.asked.count(OFF) == 1


@pytest.mark.parametrize("held", [CTRL | KEYPAD, CTRL | SHIFT], ids=["keypad", "layouts with the period on Shift"])
def test_off_key_is_any_period_with_control(running: Shown, qtbot: QtBot, held: Qt.KeyboardModifier) -> None:
    running.window.session_commands.ask_fault()
    qtbot.waitUntil(in_front)
    press_in(front(InjectDialog), Qt.Key.Key_Period, held)
    assert running.session.asked.count(OFF) == 1
    front(InjectDialog).close()


@pytest.mark.parametrize("number", range(1, 9))
def test_off_key_works_on_every_page(running: Shown, number: int) -> None:
    press(running, Qt.Key(Qt.Key.Key_0 + number), CTRL)
    press(running, Qt.Key.Key_Period, CTRL)
    assert running.session.asked.count(OFF) == 1


def test_off_key_works_before_arming_and_after_a_trip(show: Callable[..., Shown]) -> None:
    shown = show(FakeSession(past_s=1.0))
    for _ in range(2):
        press(shown, Qt.Key.Key_Period, CTRL)
    assert shown.session.asked.count(OFF) == 2


def test_escape_in_any_dialog_leaves_the_run_alone(running: Shown, qtbot: QtBot) -> None:
    asks = (
        running.window.show_palette,
        running.window.session_commands.ask_fault,
        lambda: running.window.session_commands.ask_lane("twin", "ECM pack"),
    )
    for ask in asks:
        ask()
        qtbot.waitUntil(in_front)
        dialog = QApplication.activeModalWidget()
        assert dialog is not None
        press_in(dialog, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: not in_front())
    assert running.session.status.state is BenchState.RUNNING
    assert {what[0] for what in running.session.asked} <= {"connect", "start"}
