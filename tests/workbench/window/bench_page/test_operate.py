from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QDoubleSpinBox

from control.state import BenchState, OutputState
from drivers.channel_names import CELL_VOLTAGES
from tests.workbench.fake_session import FakeSession
from tests.workbench.hands import (
    CTRL,
    SHIFT,
    click,
    front,
    in_front,
    key,
    press,
    press_in,
    write,
)
from workbench.session.actions import Action, Failure
from workbench.window.bench_page.alarms import ALARMS, EVENTS
from workbench.window.toolbar import ARM_LABELS
from workbench.window.widgets import format as fmt
from workbench.window.widgets.dialogs import (
    REASON_MISSING,
    InjectDialog,
    QuestionDialog,
    ReasonDialog,
    format_failure,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown


def test_keyboard_alone_connects_arms_starts_and_stops(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(FakeSession(past_s=2.0))
    press(shown, Qt.Key.Key_C, CTRL | SHIFT)
    qtbot.waitUntil(lambda: shown.session.status.state is BenchState.CONNECTED)
    press(shown, Qt.Key.Key_A, CTRL | SHIFT)
    qtbot.waitUntil(lambda: shown.window.checklist is not None)
    qtbot.waitUntil(lambda: shown.session.status.state is BenchState.ARMED)
    qtbot.waitUntil(lambda: shown.window.checklist is None)
    press(shown, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: shown.session.status.state is BenchState.RUNNING)
    qtbot.waitUntil(lambda: fmt.run_time(0.0) in shown.shell.toolbar.run.text())
    assert shown.shell.toolbar.badge.word.text() == OutputState.ENERGISED
    press(shown, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: shown.session.status.state is BenchState.ARMED)


def test_arming_can_be_cancelled(show: Callable[..., Shown], qtbot: QtBot) -> None:
    session = FakeSession(past_s=2.0)
    session.connect()
    shown = show(session)
    shown.window.commands.run("arm")
    qtbot.waitUntil(lambda: shown.window.checklist is not None)
    assert shown.window.checklist is not None
    shown.window.checklist.no.click()
    assert ("cancel arm",) in session.asked
    qtbot.waitUntil(lambda: shown.window.checklist is None or not shown.window.checklist.no.isEnabled())
    assert session.status.state is BenchState.CONNECTED


def test_grey_button_says_why(show: Callable[..., Shown]) -> None:
    shown = show(FakeSession(past_s=2.0))
    bar = shown.shell.toolbar
    assert not bar.arm.isEnabled()
    assert bar.arm.toolTip() == shown.session.can(Action.ARM)[1] != ""
    assert bar.connect_.isEnabled()
    assert bar.off.isEnabled()


def test_bench_without_signals_offers_to_connect(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(FakeSession(past_s=2.0))
    assert shown.window.bench.empty.isVisible()
    click(shown.window.bench.empty.button)
    qtbot.waitUntil(lambda: not shown.window.bench.empty.isVisible())


def test_outputs_off_key_works_from_the_page(running: Shown, qtbot: QtBot) -> None:
    press(running, Qt.Key.Key_Period, CTRL)
    assert ("outputs off",) in running.session.asked
    qtbot.waitUntil(lambda: running.shell.toolbar.badge.word.text() == "TRIPPED, CURRENT OFF")


def test_outputs_off_key_works_while_a_dialog_is_open(running: Shown, qtbot: QtBot) -> None:
    running.window.session_commands.ask_fault()
    qtbot.waitUntil(in_front)
    dialog = front(InjectDialog)
    press_in(dialog, Qt.Key.Key_Period, CTRL)
    assert running.session.asked.count(("outputs off",)) == 1
    dialog.close()


def test_outputs_off_key_works_while_a_menu_is_open(running: Shown, qtbot: QtBot) -> None:
    running.shell.activateWindow()
    menu = running.window.bench.board.plots[0].menu(0.0)
    menu.popup(running.shell.mapToGlobal(QPoint(300, 300)))
    qtbot.waitUntil(menu.isVisible)
    press_in(running.shell, Qt.Key.Key_Period, CTRL)
    menu.close()
    assert ("outputs off",) in running.session.asked


def test_outputs_off_button_is_the_same(running: Shown) -> None:
    click(running.shell.toolbar.off)
    assert ("outputs off",) in running.session.asked


def test_outputs_off_button_stands_in_every_dialog(running: Shown, qtbot: QtBot) -> None:
    running.window.session_commands.ask_lane("twin", "ECM pack")
    qtbot.waitUntil(in_front)
    click(front(QuestionDialog).off)
    assert ("outputs off",) in running.session.asked
    front(QuestionDialog).close()


def test_escape_never_stops_a_run(running: Shown) -> None:
    press(running, Qt.Key.Key_Escape)
    assert running.session.status.state is BenchState.RUNNING
    assert ("stop",) not in running.session.asked


def test_trip_stays_until_reset_with_a_reason(running: Shown, qtbot: QtBot) -> None:
    running.session.trip("cell_07/voltage 5.02 V above 5.00 V")
    qtbot.waitUntil(lambda: running.shell.toolbar.arm.text() == ARM_LABELS[BenchState.TRIPPED])
    click(running.shell.toolbar.arm)
    qtbot.waitUntil(in_front)
    dialog = front(ReasonDialog)
    assert not dialog.yes.isEnabled()
    assert dialog.yes.toolTip() == REASON_MISSING
    write(dialog.text, "wire back in place")
    assert dialog.yes.isEnabled()
    key(dialog.text, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: ("reset", "wire back in place") in running.session.asked)
    qtbot.waitUntil(lambda: running.shell.toolbar.arm.text() == ARM_LABELS[BenchState.CONNECTED])


@pytest.mark.alone
def test_heartbeat_comes_from_the_painting_thread_thirty_times_a_second(running: Shown, qtbot: QtBot) -> None:
    before, began_s = running.session.polls, time.monotonic()
    qtbot.waitUntil(lambda: running.session.polls - before >= 8)
    assert time.monotonic() - began_s < 0.5


def test_lane_changes_only_after_a_question(running: Shown, qtbot: QtBot) -> None:
    row = running.window.bench.lanes.rows["twin", "ECM pack"]
    click(row)
    qtbot.waitUntil(in_front)
    assert ("activate", "twin", "ECM pack") not in running.session.asked
    dialog = front(QuestionDialog)
    click(dialog.yes)
    qtbot.waitUntil(lambda: ("activate", "twin", "ECM pack") in running.session.asked)
    qtbot.waitUntil(lambda: row.lane.active)


def test_question_about_a_lane_can_be_declined_by_escape(running: Shown, qtbot: QtBot) -> None:
    row = running.window.bench.lanes.rows["controller", "MPC"]
    row.setFocus()
    key(row, Qt.Key.Key_Space)
    qtbot.waitUntil(in_front)
    key(front(QuestionDialog), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not in_front())
    assert all(what[0] != "activate" for what in running.session.asked)
    assert running.session.status.state is BenchState.RUNNING


def test_fault_is_injected_with_its_parameters_in_si(running: Shown, qtbot: QtBot) -> None:
    press(running, Qt.Key.Key_I, CTRL)
    qtbot.waitUntil(in_front)
    dialog = front(InjectDialog)
    dialog.kind.setCurrentIndex(3)
    field, _ = dialog.fields["temperature"]
    assert isinstance(field, QDoubleSpinBox)
    assert field.suffix() == " °C"
    field.setValue(50.0)
    click(dialog.yes)
    qtbot.waitUntil(lambda: running.session.asked[-1][0] == "inject")
    _, name, parameters = running.session.asked[-1]
    assert name == "stuck_temperature"
    assert parameters == {"temperature": pytest.approx(323.15)}
    qtbot.waitUntil(lambda: len(running.window.bench.faults.rows) == 1)
    assert "1" in running.window.bench.docks["faults"].bar.fact.text()


def test_alarms_wait_for_an_acknowledgement(running: Shown, qtbot: QtBot) -> None:
    alarms = running.window.bench.alarms
    qtbot.waitUntil(lambda: alarms.tabs[0].text() == f"{ALARMS} 1")
    assert alarms.tabs[1].text() == f"{EVENTS} 2"
    assert all(record.event.text in alarms.log.toPlainText() for record in running.session.events(0))
    press(running, Qt.Key.Key_K, CTRL)
    qtbot.waitUntil(lambda: alarms.tabs[0].text() == f"{ALARMS} 0")
    assert running.session.acknowledged == {1}


def test_one_alarm_is_acknowledged_with_enter(running: Shown, qtbot: QtBot) -> None:
    alarms = running.window.bench.alarms
    qtbot.waitUntil(lambda: len(alarms.alarms.rows) == 1)
    alarms.views[0].selectRow(0)
    key(alarms.views[0], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: running.session.acknowledged == {1})


def test_limits_show_what_is_closest_to_the_bench_limit(running: Shown, qtbot: QtBot) -> None:
    rows = running.window.bench.limits.rows
    qtbot.waitUntil(lambda: rows[0][0].text() != "")
    assert CELL_VOLTAGES.fullmatch(rows[0][0].text())
    limit = next(pair for pair in running.session.bench.limits if pair.channel == rows[0][0].text())
    assert limit.device is not None
    for upper in (fmt.VOLT.number(limit.device[1]), fmt.VOLT.text(limit.bench[1])):
        assert upper in rows[0][2].text()


def test_failure_is_a_sentence_with_details_to_copy(running: Shown) -> None:
    failure = Failure("The supply did not answer.", "Switch it on.", "LinkSilent: 127.0.0.1")
    running.shell.controller.failed.emit(failure)
    bar = running.window.notices.failure
    assert bar.sentence.text() == failure.sentence
    assert bar.hint.text() == failure.hint
    assert not bar.details.isVisible()
    click(bar.fold)
    assert bar.details.isVisible()
    click(bar.copy)
    assert QApplication.clipboard().text() == format_failure(failure)
    click(bar.dismiss)
    assert not bar.isVisible()
