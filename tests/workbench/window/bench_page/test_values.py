"""What figures, plots and docks say of values that are stale, missing, dead or not yet judged."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QFont

from control.state import BenchState, OutputState
from tests.workbench.fake_session import FakeSession, running_session
from tests.workbench.hands import draw, legend
from tests.workbench.plant import CELLS, LANES
from workbench.session.bench_info import LimitPair
from workbench.window.bench_page.info_docks import NEAREST, format_bound
from workbench.window.plots.default_plots import MEASURED, MIN
from workbench.window.plots.plot_grid import NO_ROWS
from workbench.window.plots.time_view import RightEdge
from workbench.window.widgets import format as fmt
from workbench.window.widgets.themes import BODY_PX, LABEL_PX, TITLE_PX, font

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown
    from workbench.window.bench_page.signal_tree import SignalTree

VOLTS = [f"cell_{number:02d}/voltage" for number in range(1, CELLS + 1)]


def words(tree: SignalTree, channel: str) -> tuple[str, str, str]:
    signal = tree.model.signal_at(tree.model.find(channel))
    assert signal is not None
    return tree.format_value(signal)


def test_stale_value_greys_out_with_its_age(running: Shown, qtbot: QtBot) -> None:
    tree = running.window.bench.tree
    assert words(tree, "supply/voltage") == ("11.60", "V", "text")
    running.session.silent.add("supply/")
    qtbot.waitUntil(lambda: words(tree, "supply/voltage") == ("11.60 V", "3.0 s", "faint"))


def test_missing_value_shows_a_dash_and_never_a_zero(running: Shown, qtbot: QtBot) -> None:
    tree = running.window.bench.tree
    running.session.says["supply/current"] = math.nan
    qtbot.waitUntil(lambda: words(tree, "supply/current") == (fmt.DASH, "", "faint"))
    qtbot.waitUntil(lambda: legend(running.window.bench.board.plot("current"))[MEASURED] == fmt.DASH)


def test_everything_greys_out_when_no_more_rows_come(running: Shown, qtbot: QtBot) -> None:
    bench = running.window.bench
    row = bench.lanes.rows["controller", "CC-CV"]
    fresh = row.grab().toImage()
    running.session.stalled = True
    qtbot.waitUntil(lambda: words(bench.tree, "supply/voltage")[2] == "faint", timeout=3000)
    assert words(bench.tree, "supply/voltage")[1].endswith(" s")
    qtbot.waitUntil(lambda: NO_ROWS in bench.board.plot("voltage").header.word)
    qtbot.waitUntil(lambda: bench.board.view.edge is RightEdge.STOPPED)
    qtbot.waitUntil(lambda: not any(row.fresh for row in bench.lanes.rows.values()))
    assert not bench.limits.isEnabled()
    assert row.grab().toImage() != fresh
    running.session.stalled = False
    qtbot.waitUntil(lambda: bench.board.view.edge is RightEdge.NOW)
    qtbot.waitUntil(bench.limits.isEnabled)
    assert words(bench.tree, "supply/voltage")[2] == "text"


def test_legends_show_dashes_before_the_bench_is_connected(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(FakeSession(past_s=1.0))
    board = shown.window.bench.board
    for plot in board.plots:
        qtbot.waitUntil(lambda plot=plot: bool(legend(plot)))
        assert set(filter(None, legend(plot).values())) == {fmt.DASH}
    qtbot.waitUntil(lambda: shown.window.bench.limits.rows[0][1].text() == fmt.DASH)


def test_cells_that_are_off_leave_the_plots_to_those_that_are_on(show: Callable[..., Shown], qtbot: QtBot) -> None:
    session = FakeSession(past_s=3.0)
    session.says.update(dict.fromkeys(VOLTS, 0.0004))
    session.connect()
    shown = show(session)
    board = shown.window.bench.board
    qtbot.waitUntil(lambda: legend(board.plot("voltage"))[MIN] == fmt.DASH)
    session.says.clear()
    qtbot.waitUntil(lambda: legend(board.plot("voltage"))[MIN].endswith(" V"))
    for key, low, high in (("voltage", 3.0, 4.5), ("twins", -50.0, 50.0)):
        canvas = board.plot(key).canvas
        qtbot.waitUntil(lambda canvas=canvas: canvas.scale is not None)
        draw(shown, qtbot, 12)
        assert canvas.scale is not None
        assert low < canvas.scale.low < canvas.scale.high < high


def test_one_dead_cell_among_live_ones_is_shown(running: Shown, qtbot: QtBot) -> None:
    running.session.says["cell_09/voltage"] = 0.001
    plot = running.window.bench.board.plot("voltage")
    qtbot.waitUntil(lambda: legend(plot)[MIN] == fmt.VOLT.text(0.001))
    assert running.window.bench.board.strip.lowest() == 9


def test_band_lies_within_the_axis(running: Shown, qtbot: QtBot) -> None:
    canvas = running.window.bench.board.plot("voltage").canvas
    running.session.says["cell_16/voltage"] = 3.95
    qtbot.waitUntil(lambda: canvas.scale is not None and canvas.scale.high >= 3.95)


def test_balancing_cells_are_marked_in_the_strip_and_counted_in_the_tree(running: Shown, qtbot: QtBot) -> None:
    bench = running.window.bench
    strip = bench.board.strip
    before = strip.grab(strip.box(7).toRect()).toImage()
    three, one = float(1 << 6 | 1 << 11 | 1 << 12), float(1 << 23)
    running.session.says["bms/balancing"] = three
    qtbot.waitUntil(lambda: strip.balancing == frozenset({7, 12, 13}))
    assert words(bench.tree, "bms/balancing")[0] == fmt.CELLS.number(three)
    assert strip.accessibleDescription().endswith("7, 12, 13")
    assert strip.grab(strip.box(7).toRect()).toImage() != before
    running.session.says["bms/balancing"] = one
    qtbot.waitUntil(lambda: strip.balancing == frozenset({24}))
    assert words(bench.tree, "bms/balancing")[0] == fmt.CELLS.number(one)
    running.session.says["bms/balancing"] = 0.0
    qtbot.waitUntil(lambda: not strip.balancing)
    assert words(bench.tree, "bms/balancing")[0] == fmt.CELLS.number(0.0)


def test_strip_and_legend_have_the_cells_of_the_bench(running: Shown, qtbot: QtBot) -> None:
    board = running.window.bench.board
    qtbot.waitUntil(lambda: "24 cells" in legend(board.plot("voltage")))
    board.set_cells(16)
    qtbot.waitUntil(lambda: "16 cells" in legend(board.plot("voltage")))
    last = board.strip.box(16).center()
    assert board.strip.cell_at(last) == 16
    assert last.x() > 0.9 * board.strip.width()


def test_gate_counts_nothing_before_arming(show: Callable[..., Shown], qtbot: QtBot) -> None:
    session = FakeSession(past_s=3.0)
    session.says.update({"gate/verdict": 1.0, "bench/state": float(BenchState.CONNECTED)})
    session.connect()
    shown = show(session)
    counts = shown.window.bench.gate.counts
    draw(shown, qtbot)
    assert [count.text() for count in counts] == [fmt.DASH] * 3
    session.says.update({"gate/verdict": 0.0, "bench/state": float(BenchState.ARMED)})
    qtbot.waitUntil(lambda: counts[0].text() not in {fmt.DASH, "0"})
    assert counts[1].text() == "0"


def limited(*limits: LimitPair) -> FakeSession:
    session = running_session(past_s=3.0)
    session.bench = dataclasses.replace(session.bench, limits=limits)
    return session


ESTOP = LimitPair("io/estop", "1", (0.5, 1.5))
CELL = LimitPair("cell_01/voltage", "V", (0.5, 5.0), (2.8, 4.25))


def test_flag_within_its_limits_is_not_close_to_one(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(limited(ESTOP, CELL))
    rows = shown.window.bench.limits.rows
    qtbot.waitUntil(lambda: rows[0][0].text() == "cell_01/voltage")
    assert [row[0].isVisible() for row in rows] == [True] + [False] * (NEAREST - 1)


def test_flag_beyond_its_limits_comes_first_and_says_what_the_bench_wants(
    show: Callable[..., Shown], qtbot: QtBot
) -> None:
    session = limited(CELL, ESTOP)
    session.says["io/estop"] = 0.0
    switch = fmt.find_display(ESTOP.channel, ESTOP.unit)
    shown = show(session)
    rows = shown.window.bench.limits.rows
    qtbot.waitUntil(lambda: rows[0][0].text() == "io/estop")
    assert (rows[0][1].text(), rows[0][2].text()) == (switch.text(0.0), format_bound(ESTOP, 0.0, switch))
    assert switch.text(1.0) in rows[0][2].text()


def test_cells_that_are_off_are_not_close_to_their_limit(show: Callable[..., Shown], qtbot: QtBot) -> None:
    session = limited(CELL, LimitPair("supply/voltage", "V", (-0.5, 18.0)))
    session.says.update(dict.fromkeys(VOLTS, 0.0004))
    shown = show(session)
    rows = shown.window.bench.limits.rows
    qtbot.waitUntil(lambda: rows[0][0].text() == "supply/voltage")
    assert not rows[1][0].isVisible()


def test_slope_has_figures_for_a_slow_drift() -> None:
    assert fmt.VOLT.slope(-0.000215) == f"{fmt.MINUS}0.000215 V/s"
    assert fmt.CELSIUS.slope(0.0123) == "+0.0123 °C/s"
    assert fmt.VOLT.slope(math.nan) == fmt.DASH


def test_a_lane_has_one_colour_in_plots_legends_and_table(running: Shown, qtbot: QtBot) -> None:
    bench = running.window.bench
    running.session.activate("controller", "MPC")  # the colour stays whoever leads
    qtbot.waitUntil(lambda: bench.lanes.rows["controller", "MPC"].lane.active)
    keys = {"twin": "twins", "estimator": "charge", "controller": "current"}
    for lane in LANES:
        plot = bench.board.plot(keys[lane.role])
        own = f"{lane.role}/{lane.name}/"
        drawn = {curve.colour for curve in plot.spec.curves if curve.channel.startswith(own) and curve.colour != "text"}
        assert drawn == {bench.lanes.rows[lane.role, lane.name].colour}
        swatches = {entry.colour for entry in plot.header.entries}
        assert drawn <= swatches


@pytest.mark.parametrize("px", [BODY_PX, LABEL_PX, TITLE_PX])
def test_figures_are_tabular(one_window: Callable[..., Shown], px: int) -> None:
    one_window()  # it dresses the application
    assert font(px).featureValue(QFont.Tag("tnum")) == 1


@pytest.mark.parametrize("state", list(BenchState))
def test_state_stands_in_plain_sight(one_window: Callable[..., Shown], qtbot: QtBot, state: BenchState) -> None:
    running = one_window()
    running.session.change(state=state, trip_reason="cell_07 5.02 V" if state is BenchState.TRIPPED else "")
    label = running.shell.toolbar.state_indicator.state
    spoken = f"{state.word}. cell_07 5.02 V" if state is BenchState.TRIPPED else state.word
    qtbot.waitUntil(lambda: label.accessibleDescription() == spoken)
    assert label.isVisible()
    assert f'font-weight:600">{"▲ " if state is BenchState.TRIPPED else ""}{state.word}<' in label.text()


def test_outputs_read_by_word_and_symbol(running: Shown, qtbot: QtBot) -> None:
    badge = running.shell.toolbar.badge
    for output in OutputState:
        badge.show_output(output)
        assert badge.word.text() == output.value
        assert not badge.symbol.pixmap().isNull()
