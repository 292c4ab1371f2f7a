from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.workbench.fake_session import FakeSession
from workbench.window.layout import Memory
from workbench.window.model import Failure, Output, State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown
    from workbench.window.plot import Plot

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


def press(shown: Shown, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    """Through the platform, as a keyboard would, so that shortcuts work."""
    shown.shell.activateWindow()
    assert QTest.qWaitForWindowActive(shown.shell, 2000)
    handle = shown.shell.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, key, modifiers)


def pixel(plot: Plot, share: float) -> QPoint:
    area = plot.canvas.area
    place = QPoint(area.left() + round(share * area.width()), area.center().y())
    return plot.canvas.mapTo(plot, place)


def legend(plot: Plot) -> dict[str, str]:
    return {entry.label: entry.value for entry in plot.header.entries}


# ---- from disconnected to running, by keyboard alone


def test_keyboard_alone_connects_arms_starts_and_stops(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(FakeSession(past_s=2.0))
    press(shown, Qt.Key.Key_C, CTRL | SHIFT)
    qtbot.waitUntil(lambda: shown.session.status.state is State.CONNECTED)
    press(shown, Qt.Key.Key_A, CTRL | SHIFT)
    qtbot.waitUntil(lambda: shown.window.checklist is not None)
    qtbot.waitUntil(lambda: shown.session.status.state is State.ARMED)
    qtbot.waitUntil(lambda: shown.window.checklist is None)
    press(shown, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: shown.session.status.state is State.RUNNING)
    qtbot.waitUntil(lambda: shown.shell.toolbar.run.text().startswith("Stop  00:00"))
    assert shown.shell.toolbar.badge.word.text() == "ENERGISED"
    press(shown, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: shown.session.status.state is State.ARMED)


def test_arming_can_be_cancelled(show: Callable[..., Shown], qtbot: QtBot) -> None:
    session = FakeSession(past_s=2.0)
    session.connect()
    shown = show(session)
    shown.window.actions_.run("arm")
    qtbot.waitUntil(lambda: shown.window.checklist is not None)
    assert shown.window.checklist is not None
    shown.window.checklist.no.click()
    assert ("cancel arm",) in session.asked
    qtbot.waitUntil(lambda: shown.window.checklist is None or not shown.window.checklist.no.isEnabled())
    assert session.status.state is State.CONNECTED


def test_grey_button_says_why(show: Callable[..., Shown]) -> None:
    shown = show(FakeSession(past_s=2.0))
    bar = shown.shell.toolbar
    assert not bar.arm.isEnabled()
    assert "connect" in bar.arm.toolTip()
    assert bar.connect_.isEnabled()
    assert bar.off.isEnabled()


def test_bench_without_signals_offers_to_connect(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(FakeSession(past_s=2.0))
    assert shown.window.bench.empty.isVisible()
    qtbot.mouseClick(shown.window.bench.empty.button, LEFT)
    qtbot.waitUntil(lambda: not shown.window.bench.empty.isVisible())


# ---- safety


def test_outputs_off_key_works_from_the_page(running: Shown, qtbot: QtBot) -> None:
    press(running, Qt.Key.Key_Period, CTRL)
    assert ("outputs off",) in running.session.asked
    qtbot.waitUntil(lambda: running.shell.toolbar.badge.word.text() == "TRIPPED")


def test_outputs_off_key_works_while_a_dialog_is_open(running: Shown, qtbot: QtBot) -> None:
    running.window.ask_fault()
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    dialog = QApplication.activeModalWidget()
    assert dialog is not None
    handle = dialog.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, Qt.Key.Key_Period, CTRL)
    assert running.session.asked.count(("outputs off",)) == 1
    dialog.close()


def test_outputs_off_key_works_while_a_menu_is_open(running: Shown, qtbot: QtBot) -> None:
    running.shell.activateWindow()
    menu = running.window.bench.board.plots[0].menu(0.0)
    menu.popup(running.shell.mapToGlobal(QPoint(300, 300)))
    qtbot.waitUntil(menu.isVisible)
    handle = running.shell.windowHandle()
    assert handle is not None
    QTest.keyClick(handle, Qt.Key.Key_Period, CTRL)
    menu.close()
    assert ("outputs off",) in running.session.asked


def test_outputs_off_button_is_the_same(running: Shown, qtbot: QtBot) -> None:
    qtbot.mouseClick(running.shell.toolbar.off, LEFT)
    assert ("outputs off",) in running.session.asked


def test_escape_never_stops_a_run(running: Shown) -> None:
    press(running, Qt.Key.Key_Escape)
    assert running.session.status.state is State.RUNNING
    assert ("stop",) not in running.session.asked


def test_trip_stays_until_reset_with_a_reason(running: Shown, qtbot: QtBot) -> None:
    running.session.trip("cell_07/voltage 5.02 V above 5.00 V")
    qtbot.waitUntil(lambda: running.shell.toolbar.arm.text() == "Reset…")
    qtbot.mouseClick(running.shell.toolbar.arm, LEFT)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    dialog = QApplication.activeModalWidget()
    assert not dialog.yes.isEnabled()
    assert "reason" in dialog.yes.toolTip()
    qtbot.keyClicks(dialog.text, "wire back in place")
    assert dialog.yes.isEnabled()
    qtbot.keyClick(dialog.text, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: ("reset", "wire back in place") in running.session.asked)
    qtbot.waitUntil(lambda: running.shell.toolbar.arm.text() == "Arm")


def test_heartbeat_comes_from_the_painting_thread_thirty_times_a_second(running: Shown, qtbot: QtBot) -> None:
    before = running.session.polls
    qtbot.wait(500)
    assert running.session.polls - before >= 8


# ---- values


def test_tree_shows_values_with_units_and_greys_stale_ones(running: Shown, qtbot: QtBot) -> None:
    tree = running.window.bench.tree
    signal = tree.model.signal_at(tree.model.find("supply/voltage"))
    assert signal is not None
    assert tree.value_of(signal) == "11.60 V"
    running.session.silent.add("supply/")
    store = running.window.bench.store
    assert store is not None
    qtbot.waitUntil(lambda: store.state("supply/voltage")[1] > 2.0)


def test_filter_leaves_what_holds_every_word(running: Shown, qtbot: QtBot) -> None:
    press(running, Qt.Key.Key_F, CTRL)
    tree = running.window.bench.tree
    assert tree.filter.hasFocus()
    qtbot.keyClicks(tree.filter, "bms temp")
    names = [
        tree.model.signal_at(tree.model.index(row, 0, tree.model.index(0, 0))).channel
        for row in range(tree.model.rowCount(tree.model.index(0, 0)))
    ]
    assert names == [f"bms/temperature_{number}" for number in range(1, 9)]
    assert tree.model.rowCount() == 1


def test_rest_of_a_group_unfolds_on_enter(running: Shown, qtbot: QtBot) -> None:
    tree = running.window.bench.tree
    group = tree.model.index(0, 0)
    assert tree.model.rowCount(group) == 13
    tree.view.setCurrentIndex(tree.model.index(12, 0, group))
    qtbot.keyClick(tree.view, Qt.Key.Key_Return)
    assert tree.model.rowCount(group) == 48


def test_cell_clicked_in_the_strip_is_chosen_in_the_tree(running: Shown, qtbot: QtBot) -> None:
    bench = running.window.bench
    qtbot.mouseClick(bench.board.strip, LEFT, pos=bench.board.strip.box(18).center().toPoint())
    signal = bench.tree.model.signal_at(bench.tree.view.currentIndex())
    assert signal is not None
    assert signal.channel == "cell_18/voltage"


def test_legend_stands_in_the_header_with_live_values(running: Shown) -> None:
    plot = running.window.bench.board.plot("voltage")
    entries = {entry.label: entry for entry in plot.header.entries}
    assert entries["min"].note == "cell_07"
    assert entries["min"].value.endswith(" V")
    assert entries["spread"].value.endswith(" mV")


def test_twins_plot_says_tracking_of_the_active_and_difference_of_others(running: Shown) -> None:
    labels = list(legend(running.window.bench.board.plot("twins")))
    assert labels == ["SPMe tracking", "ECM difference", "DFN, cell 1 difference"]


# ---- plots


def test_hover_reads_all_plots_at_that_instant(running: Shown, qtbot: QtBot) -> None:
    board = running.window.bench.board
    running.window.set_paused(True)
    plot = board.plot("current")
    place = QPointF(pixel(plot, 0.9))
    move = QMouseEvent(QEvent.Type.MouseMove, place, plot.mapToGlobal(place), Qt.MouseButton.NoButton, LEFT, NONE)
    QApplication.sendEvent(plot, move)
    hover = board.view.hover_s
    assert hover is not None
    board.values()
    assert board.store is not None
    seen = board.store.at(hover)
    assert legend(plot)["measured"] == plot.spec.display.text(seen["supply/current"])
    temperature = board.plot("temperature")
    assert legend(temperature)["hottest"] == temperature.spec.display.text(seen["temperature/hottest"])
    assert board.plot("voltage").header.word.startswith("at −")
    QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))
    assert board.view.hover_s is None


def test_two_cursors_give_time_difference_and_slope(running: Shown, qtbot: QtBot) -> None:
    board = running.window.bench.board
    plot = board.plot("current")
    qtbot.mouseClick(plot, LEFT, CTRL, pixel(plot, 0.85))
    qtbot.mouseClick(plot, LEFT, SHIFT, pixel(plot, 0.95))
    delta = board.view.delta_s
    assert delta == pytest.approx(6.0, abs=0.2)
    assert board.store is not None
    a, b = (board.store.at(board.view.cursors[name]) for name in "AB")
    step = b["supply/current"] - a["supply/current"]
    text = plot.between()
    assert f"{abs(delta):.2f} s" in text
    assert f"measured {plot.spec.display.difference(step)}, {plot.spec.display.difference(step / delta)}/s" in text


def test_cursor_is_dragged_and_nudged(running: Shown, qtbot: QtBot) -> None:
    board = running.window.bench.board
    running.window.set_paused(True)
    plot = board.plot("current")
    qtbot.mouseClick(plot, LEFT, CTRL, pixel(plot, 0.5))
    before = board.view.cursors["A"]
    qtbot.mousePress(plot, LEFT, NONE, pixel(plot, 0.5))
    qtbot.mouseMove(plot, pixel(plot, 0.6))
    place = QPointF(pixel(plot, 0.6))
    move = QMouseEvent(QEvent.Type.MouseMove, place, plot.mapToGlobal(place), Qt.MouseButton.NoButton, LEFT, NONE)
    QApplication.sendEvent(plot, move)
    qtbot.mouseRelease(plot, LEFT, NONE, pixel(plot, 0.6))
    assert board.view.cursors["A"] == pytest.approx(before + 6.0, abs=0.3)
    dragged = board.view.cursors["A"]
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert board.view.cursors["A"] == pytest.approx(dragged - plot.canvas.bin_s)


def test_keys_place_and_clear_cursors(running: Shown) -> None:
    press(running, Qt.Key.Key_A)
    press(running, Qt.Key.Key_B)
    view = running.window.bench.board.view
    assert view.delta_s == pytest.approx(20.0, abs=0.5)
    press(running, Qt.Key.Key_C, SHIFT)
    assert view.cursors == {}


def drop(running: Shown, plot: Plot, *channels: str) -> None:
    model = running.window.bench.tree.model
    running.window.bench.tree.choose(channels[0])
    mime = model.mimeData([model.find(channel) for channel in channels])
    action = Qt.DropAction.CopyAction
    QApplication.sendEvent(plot, QDragEnterEvent(QPoint(60, 80), action, mime, LEFT, NONE))
    QApplication.sendEvent(plot, QDragMoveEvent(QPoint(60, 80), action, mime, LEFT, NONE))
    event = QDropEvent(QPointF(60, 80), action, mime, LEFT, NONE)
    QApplication.sendEvent(plot, event)
    assert event.isAccepted()


def test_signal_dropped_on_a_plot_of_its_unit_is_drawn_there(running: Shown) -> None:
    plot = running.window.bench.board.plot("voltage")
    drop(running, plot, "cell_03/voltage")
    running.window.bench.board.frame()
    running.window.bench.board.values()
    assert legend(plot)["cell_03/voltage"].endswith(" V")
    plot.remove("cell_03/voltage")
    running.window.bench.board.values()
    assert "cell_03/voltage" not in legend(plot)


def test_signal_of_another_unit_gets_a_plot_of_its_own(running: Shown) -> None:
    board = running.window.bench.board
    drop(running, board.plot("voltage"), "bms/soc")
    assert len(board.plots) == 6
    assert board.plots[-1].spec.curves[0].channel == "bms/soc"
    board.plots[-1].closed.emit()
    assert len(board.plots) == 5


def test_dropped_signal_survives_a_change_of_lanes(running: Shown, qtbot: QtBot) -> None:
    plot = running.window.bench.board.plot("current")
    drop(running, plot, "supply/current")
    drop(running, plot, "bms/pack_current")
    running.session.activate("controller", "MPC")
    qtbot.waitUntil(lambda: any(curve.label == "MPC, active" for curve in plot.spec.curves))
    assert any(curve.channel == "bms/pack_current" for curve in plot.spec.curves)


def test_double_click_fits_a_range_that_was_set_by_hand(running: Shown, qtbot: QtBot) -> None:
    plot = running.window.bench.board.plot("current")
    plot.canvas.stretch(0.1, 60.0)
    assert plot.canvas.held
    qtbot.mouseDClick(plot, LEFT, NONE, pixel(plot, 0.5))
    assert not plot.canvas.held
    qtbot.waitUntil(lambda: plot.canvas.scale is not None and plot.canvas.scale.high >= 30.0)


def test_space_pauses_the_view_and_nothing_else(running: Shown, qtbot: QtBot) -> None:
    board = running.window.bench.board
    running.window.bench.board.plots[1].setFocus()
    press(running, Qt.Key.Key_Space)
    assert board.view.paused
    edge, rows = board.view.right_s, running.session.ring.count
    qtbot.wait(150)
    assert board.view.right_s == edge
    assert running.session.ring.count > rows
    assert running.session.status.state is State.RUNNING
    press(running, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: board.view.right_s > edge)


def test_a_frame_is_painted_thirty_times_a_second(running: Shown, qtbot: QtBot) -> None:
    canvas = running.window.bench.board.plots[0].canvas
    before = canvas.frames
    qtbot.wait(600)
    assert canvas.frames - before >= 10  # half the rate: the machine may be busy


def test_hidden_docks_and_pages_do_nothing(running: Shown, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = running.window.bench
    bench.docks["gate"].hide()
    running.window.show_page("Fleet")
    asked: list[str] = []
    for part, name in ((bench.gate, "gate"), (bench.limits, "limits"), (bench.lanes, "lanes")):
        monkeypatch.setattr(part, "show_values", lambda _, name=name: asked.append(name))
    frames = [plot.canvas.frames for plot in bench.board.plots]
    qtbot.wait(300)
    assert asked == []
    assert [plot.canvas.frames for plot in bench.board.plots] == frames
    running.window.show_page("Bench")
    qtbot.waitUntil(lambda: "lanes" in asked)
    assert "gate" not in asked


# ---- lanes, faults, alarms


def test_lane_changes_only_after_a_question(running: Shown, qtbot: QtBot) -> None:
    row = running.window.bench.lanes.rows["twin", "ECM pack"]
    qtbot.mouseClick(row, LEFT)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    assert ("activate", "twin", "ECM pack") not in running.session.asked
    dialog = QApplication.activeModalWidget()
    qtbot.mouseClick(dialog.yes, LEFT)
    qtbot.waitUntil(lambda: ("activate", "twin", "ECM pack") in running.session.asked)
    qtbot.waitUntil(lambda: "active" in row.accessibleName())


def test_question_about_a_lane_can_be_declined_by_escape(running: Shown, qtbot: QtBot) -> None:
    row = running.window.bench.lanes.rows["controller", "MPC"]
    row.setFocus()
    qtbot.keyClick(row, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    qtbot.keyClick(QApplication.activeModalWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is None)
    assert all(what[0] != "activate" for what in running.session.asked)
    assert running.session.status.state is State.RUNNING


def test_fault_is_injected_with_its_parameters_in_si(running: Shown, qtbot: QtBot) -> None:
    press(running, Qt.Key.Key_I, CTRL)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    dialog = QApplication.activeModalWidget()
    dialog.kind.setCurrentIndex(3)
    field, _ = dialog._fields["temperature"]
    assert field.suffix() == " °C"
    field.setValue(50.0)
    qtbot.mouseClick(dialog.yes, LEFT)
    qtbot.waitUntil(lambda: running.session.asked[-1][0] == "inject")
    _, name, parameters = running.session.asked[-1]
    assert name == "stuck_temperature"
    assert parameters == {"temperature": pytest.approx(323.15)}
    qtbot.waitUntil(lambda: running.window.bench.docks["faults"].bar.fact.text() == "1 injected")


def test_alarms_wait_for_an_acknowledgement(running: Shown, qtbot: QtBot) -> None:
    alarms = running.window.bench.alarms
    qtbot.waitUntil(lambda: alarms.tabs[0].text() == "Alarms 1")
    assert alarms.tabs[1].text() == "Events 2"
    assert "cell_07/voltage 29 mV" in alarms.log.toPlainText()
    press(running, Qt.Key.Key_K, CTRL)
    qtbot.waitUntil(lambda: alarms.tabs[0].text() == "Alarms 0")
    assert running.session.acknowledged == {1}


def test_one_alarm_is_acknowledged_with_enter(running: Shown, qtbot: QtBot) -> None:
    alarms = running.window.bench.alarms
    qtbot.waitUntil(lambda: len(alarms.alarms.rows) == 1)
    alarms.views[0].selectRow(0)
    qtbot.keyClick(alarms.views[0], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: running.session.acknowledged == {1})


def test_limits_show_what_is_closest_to_the_bench_limit(running: Shown, qtbot: QtBot) -> None:
    rows = running.window.bench.limits._rows
    qtbot.waitUntil(lambda: rows[0][0].text() != "")
    assert rows[0][0].text().startswith("cell_")
    assert rows[0][2].text() == "device 4.250 · bench 5.000 V"


def test_failure_is_a_sentence_with_details_to_copy(running: Shown, qtbot: QtBot) -> None:
    running.shell.desk.failed.emit(Failure("The supply did not answer.", "Switch it on.", "LinkSilent: 127.0.0.1"))
    bar = running.window.bench.notices.failure
    assert bar.sentence.text() == "The supply did not answer."
    assert bar.hint.text() == "Switch it on."
    assert not bar.details.isVisible()
    qtbot.mouseClick(bar.fold, LEFT)
    assert bar.details.isVisible()
    qtbot.mouseClick(bar.copy, LEFT)
    assert QApplication.clipboard().text() == "The supply did not answer.\nSwitch it on.\nLinkSilent: 127.0.0.1"
    qtbot.mouseClick(bar.dismiss, LEFT)
    assert not bar.isVisible()


# ---- palette, pages, theme, layout


def test_palette_finds_and_runs_every_action(running: Shown, qtbot: QtBot) -> None:
    press(running, Qt.Key.Key_P, CTRL | SHIFT)
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    palette = QApplication.activeModalWidget()
    assert palette.list.count() == len(running.window.actions_.list())
    qtbot.keyClicks(palette.text, "light theme")
    assert palette.list.currentItem().text() == "Use the light theme"
    qtbot.keyClick(palette.text, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: running.shell.theme.name == "light")


def test_palette_shows_shortcuts_and_why_an_action_is_grey(running: Shown, qtbot: QtBot) -> None:
    running.window.show_palette()
    palette = QApplication.activeModalWidget()
    qtbot.keyClicks(palette.text, "leave the replay")
    assert palette.list.currentItem().toolTip() == "No run is being replayed."
    palette.text.clear()
    qtbot.keyClicks(palette.text, "outputs")
    assert palette.list.currentItem().data(Qt.ItemDataRole.UserRole + 1) == "Ctrl+."
    palette.close()


def test_no_two_actions_share_their_keys(running: Shown) -> None:
    keys = [deed.keys for deed in running.window.actions_.list() if deed.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("number", range(1, 8))
def test_number_keys_open_the_pages(running: Shown, number: int) -> None:
    press(running, Qt.Key(Qt.Key.Key_0 + number), CTRL)
    assert running.shell.rail.buttons[running.shell.page].isChecked()
    pages = ("Bench", "Twin", "Control", "Certify", "Runs", "Bundle", "Fleet")
    assert running.shell.page == pages[number - 1]


def test_theme_switches_while_it_runs(running: Shown) -> None:
    dark = running.shell.grab().toImage().pixelColor(700, 300)
    press(running, Qt.Key.Key_T, CTRL)
    running.window.bench.board.frame()
    light = running.shell.grab().toImage().pixelColor(700, 300)
    assert dark.lightnessF() < 0.5 < light.lightnessF()


def test_layout_comes_back_and_can_be_reset(show: Callable[..., Shown], tmp_path: Path, qtbot: QtBot) -> None:
    first = show(FakeSession(past_s=2.0), memory=Memory(tmp_path / "layout.ini"))
    qtbot.wait(50)
    first.window.bench.docks["faults"].hide()
    first.window.bench.docks["gate"].setFloating(True)
    first.shell.close()
    second = show(FakeSession(past_s=2.0), memory=Memory(tmp_path / "layout.ini"))
    qtbot.wait(50)
    assert second.window.bench.docks["faults"].isHidden()
    assert second.window.bench.docks["gate"].isFloating()
    second.window.actions_.run("reset layout")
    assert not second.window.bench.docks["faults"].isHidden()
    assert not second.window.bench.docks["gate"].isFloating()


def test_everything_that_can_have_the_focus_has_a_name(running: Shown) -> None:
    from PySide6.QtWidgets import QAbstractButton, QWidget

    nameless = [
        widget
        for widget in running.shell.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible()
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
        if not widget.objectName().startswith("qt_")
    ]
    assert nameless == []


def test_state_words_follow_the_outputs(running: Shown, qtbot: QtBot) -> None:
    for output in Output:
        running.session.status = dataclasses.replace(running.session.status, output=output)
        qtbot.waitUntil(lambda output=output: running.shell.toolbar.badge.word.text() == output.value)


def test_engine_that_restarts_gets_new_plots(running: Shown, qtbot: QtBot) -> None:
    old = running.window.bench.store
    running.session.disconnect()
    running.session.connect()
    qtbot.waitUntil(lambda: running.window.bench.store is not old)
    qtbot.waitUntil(lambda: bool(running.window.bench.board.plots[0].header.entries))


def test_closing_the_window_closes_the_session(running: Shown) -> None:
    running.shell.close()
    assert running.session.closed
