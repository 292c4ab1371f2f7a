from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from control.state import BenchState
from tests.workbench.hands import (
    CTRL,
    LEFT,
    NONE,
    SHIFT,
    click,
    drag,
    draw,
    drop,
    key,
    legend,
    move,
    pixel,
    press,
    write,
)
from workbench.window.plots.default_plots import (
    HOTTEST_SENSOR,
    MEASURED,
    MIN,
    SPREAD,
    TwinError,
    make_lane_label,
)
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown
    from tests.workbench.fake_session import FakeSession


def test_tree_shows_values_with_units_and_greys_stale_ones(running: Shown, qtbot: QtBot) -> None:
    tree = running.window.bench.tree
    signal = tree.model.signal_at(tree.model.find("supply/voltage"))
    assert signal is not None
    assert tree.format_with_unit(signal) == fmt.PACK_VOLT.text(11.6)
    running.session.silent.add("supply/")
    store = running.window.bench.store
    assert store is not None
    qtbot.waitUntil(lambda: store.state("supply/voltage")[1] > 2.0)


def test_filter_leaves_what_holds_every_word(running: Shown) -> None:
    press(running, Qt.Key.Key_F, CTRL)
    tree = running.window.bench.tree
    assert tree.filter.hasFocus()
    write(tree.filter, "bms temp")
    group = tree.model.index(0, 0)
    rows = [tree.model.signal_at(tree.model.index(row, 0, group)) for row in range(tree.model.rowCount(group))]
    assert [row.channel for row in rows if row] == [f"bms/temperature_{number}" for number in range(1, 9)]
    assert tree.model.rowCount() == 1


def test_rest_of_a_group_unfolds_on_enter(running: Shown) -> None:
    tree = running.window.bench.tree
    group = tree.model.index(0, 0)
    assert tree.model.rowCount(group) == 13
    tree.view.setCurrentIndex(tree.model.index(12, 0, group))
    key(tree.view, Qt.Key.Key_Return)
    assert tree.model.rowCount(group) == 48


def test_cell_clicked_in_the_strip_is_chosen_in_the_tree(running: Shown) -> None:
    bench = running.window.bench
    click(bench.board.strip, bench.board.strip.box(18).center().toPoint())
    signal = bench.tree.model.signal_at(bench.tree.view.currentIndex())
    assert signal is not None
    assert signal.channel == "cell_18/voltage"


def test_legend_stands_in_the_header_with_live_values(running: Shown) -> None:
    plot = running.window.bench.board.plot("voltage")
    entries = {entry.label: entry for entry in plot.header.entries}
    assert entries[MIN].note == "cell_07"
    assert entries[MIN].value.endswith(" V")
    assert entries[SPREAD].value.endswith(" mV")


def test_twins_plot_says_tracking_of_the_active_and_difference_of_others(running: Shown) -> None:
    labels = list(legend(running.window.bench.board.plot("twins")))
    assert labels == [
        f"SPMe {TwinError.TRACKING}",
        f"ECM {TwinError.DIFFERENCE}",
        f"DFN, cell 1 {TwinError.DIFFERENCE}",
    ]


def test_hover_reads_all_plots_at_that_instant(running: Shown) -> None:
    board = running.window.bench.board
    board.view.pause(paused=True)
    plot = board.plot("current")
    move(plot, pixel(plot, 0.9))
    hover = board.view.hover_s
    assert hover is not None
    board.values()
    assert board.store is not None
    seen = board.store.at(hover)
    assert legend(plot)[MEASURED] == plot.spec.display.text(seen["supply/current"])
    temperature = board.plot("temperature")
    assert legend(temperature)[HOTTEST_SENSOR] == temperature.spec.display.text(seen["temperature/hottest"])
    assert fmt.figure(hover - board.view.right_s, 2) in board.plot("voltage").header.word
    QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))
    assert board.view.hover_s is None


def test_two_cursors_give_time_difference_and_slope(running: Shown) -> None:
    board = running.window.bench.board
    plot = board.plot("current")
    click(plot, pixel(plot, 0.85), CTRL)
    click(plot, pixel(plot, 0.95), SHIFT)
    delta = board.view.delta_s
    assert delta is not None
    assert delta == pytest.approx(6.0, abs=0.2)
    assert board.store is not None
    a, b = (board.store.at(board.view.cursors[name]) for name in "AB")
    step = b["supply/current"] - a["supply/current"]
    board.values()
    first, measured, *_ = plot.header.between
    assert (first.label, first.value) == (f"B{fmt.MINUS}A", f"+{delta:.2f} s")
    assert measured.note == MEASURED
    assert measured.value == f"{plot.spec.display.difference(step)}, {fmt.figure(step / delta, 4, signed=True)} A/s"
    assert len(plot.header.between) == 1 + len(plot.header.entries)


def test_cursor_is_dragged_and_nudged(running: Shown) -> None:
    board = running.window.bench.board
    board.view.pause(paused=True)
    plot = board.plot("current")
    click(plot, pixel(plot, 0.5), CTRL)
    before = board.view.cursors["A"]
    drag(plot, pixel(plot, 0.5), pixel(plot, 0.6))
    assert board.view.cursors["A"] == pytest.approx(before + 6.0, abs=0.3)
    dragged = board.view.cursors["A"]
    key(plot, Qt.Key.Key_Left)
    assert board.view.cursors["A"] == pytest.approx(dragged - plot.canvas.bin_s)


def test_keys_place_and_clear_cursors(running: Shown) -> None:
    press(running, Qt.Key.Key_A)
    press(running, Qt.Key.Key_B)
    view = running.window.bench.board.view
    assert view.delta_s == pytest.approx(20.0, abs=0.5)
    press(running, Qt.Key.Key_C, SHIFT)
    assert view.cursors == {}


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
    mpc = next(lane for lane in running.session.status.lanes if lane.name == "MPC")
    qtbot.waitUntil(lambda: any(curve.label == make_lane_label(mpc) for curve in plot.spec.curves))
    assert any(curve.channel == "bms/pack_current" for curve in plot.spec.curves)


def test_double_click_fits_a_range_that_was_set_by_hand(running: Shown, qtbot: QtBot) -> None:
    plot = running.window.bench.board.plot("current")
    plot.canvas.stretch(0.1, 60.0)
    assert plot.canvas.held
    QTest.mouseDClick(plot, LEFT, NONE, pixel(plot, 0.5))
    assert not plot.canvas.held
    qtbot.waitUntil(lambda: plot.canvas.scale is not None and plot.canvas.scale.high >= 30.0)


def rows_in(session: FakeSession) -> int:
    assert session.ring is not None
    return session.ring.count


def test_space_pauses_the_view_and_nothing_else(running: Shown, qtbot: QtBot) -> None:
    board = running.window.bench.board
    running.window.bench.board.plots[1].setFocus()
    press(running, Qt.Key.Key_Space)
    assert board.view.paused
    edge, rows = board.view.right_s, rows_in(running.session)
    draw(running, qtbot, 5)
    assert board.view.right_s == edge
    assert rows_in(running.session) > rows
    assert running.session.status.state is BenchState.RUNNING
    press(running, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: board.view.right_s > edge)


def test_a_frame_is_painted_thirty_times_a_second(running: Shown, qtbot: QtBot) -> None:
    canvas = running.window.bench.board.plots[0].canvas
    before = canvas.frames
    draw(running, qtbot, 18)  # the controller's pace has tests of its own
    assert canvas.frames - before >= 10


def _note(asked: list[str], name: str, shown: object, *, fresh: bool = True) -> None:
    del shown, fresh
    asked.append(name)


def test_hidden_docks_and_pages_do_nothing(running: Shown, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = running.window.bench
    bench.docks["gate"].hide()
    running.window.show_page("Fleet")
    asked: list[str] = []
    for part, name in ((bench.gate, "gate"), (bench.limits, "limits"), (bench.lanes, "lanes")):
        monkeypatch.setattr(part, "show_values", partial(_note, asked, name))
    frames = [plot.canvas.frames for plot in bench.board.plots]
    draw(running, qtbot)
    assert asked == []
    assert [plot.canvas.frames for plot in bench.board.plots] == frames
    running.window.show_page("Bench")
    qtbot.waitUntil(lambda: "lanes" in asked)
    assert "gate" not in asked
