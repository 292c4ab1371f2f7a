"""The controllers beside each other: figures, plans, fallbacks, and the change of the active one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QPushButton

from control.ports import Fallback, Plan
from tests.workbench.fake_session import FakeSession, running_session
from tests.workbench.hands import click, draw, front, in_front, key, legend, nameless
from workbench.session.actions import Action
from workbench.window.control_page.control_plots import CURRENT
from workbench.window.control_page.lane_figures import FALLBACK, HEADS, NAME, find_fallback_word
from workbench.window.control_page.lane_table import ACTIVE
from workbench.window.control_page.page import LANES
from workbench.window.widgets import format as fmt
from workbench.window.widgets.dialogs import QuestionDialog
from workbench.window.widgets.themes import LIGHT, measure_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown

NOTE = "outside the trained range: high_k = 312"


@pytest.fixture
def control(running: Shown, qtbot: QtBot) -> Shown:
    running.window.show_page("Control")
    running.window.control.show_view(LANES)
    draw(running, qtbot)
    return running


def texts(shown: Shown) -> dict[str, tuple[str, ...]]:
    return {row.name: row.texts for row in shown.window.control.lanes.table.lanes.rows}


def cell(shown: Shown, name: str, column: int, role: Qt.ItemDataRole) -> object:
    table = shown.window.control.lanes.table.lanes
    row = [row.name for row in table.rows].index(name)
    return table.data(table.index(row, column), role)


def test_every_controller_has_a_row_with_its_figures(control: Shown, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: texts(control)["MPC"][-1] != fmt.DASH)
    rows = texts(control)
    assert list(rows) == ["Profile", "CC-CV", "MPC", "RL"]
    assert rows["MPC"][2:6] == (fmt.NUMBER.number(0.71), "0", "0", fmt.DASH)
    assert rows["MPC"][-2:] == (fmt.step_time(1.4e-3), fmt.step_time(1.4e-3))
    assert all(len(row) == len(HEADS) for row in rows.values())


def test_the_active_lane_is_marked_in_words(control: Shown) -> None:
    assert ACTIVE in str(cell(control, "Profile", NAME, Qt.ItemDataRole.DisplayRole))
    assert ACTIVE not in str(cell(control, "MPC", NAME, Qt.ItemDataRole.DisplayRole))


def test_a_controller_that_falls_back_says_to_what_and_why(control: Shown, qtbot: QtBot) -> None:
    control.session.fall_back("RL", Fallback.OTHER, NOTE)
    qtbot.waitUntil(lambda: texts(control)["RL"][FALLBACK] == Fallback.OTHER.word)
    qtbot.waitUntil(lambda: NOTE in str(cell(control, "RL", FALLBACK, Qt.ItemDataRole.ToolTipRole)))
    assert cell(control, "RL", FALLBACK, Qt.ItemDataRole.DecorationRole) is not None


@pytest.mark.parametrize("number", [math.nan, 0.0, 99.0])
def test_no_fallback_and_an_unknown_one_are_a_dash(number: float) -> None:
    assert find_fallback_word(number) == fmt.DASH


@pytest.mark.parametrize("by_key", [True, False])
def test_a_lane_becomes_active_after_a_question(control: Shown, qtbot: QtBot, *, by_key: bool) -> None:
    table = control.window.control.lanes.table
    if by_key:
        table.selectRow(2)
        key(table, Qt.Key.Key_Return)
    else:
        place = table.visualRect(table.lanes.index(2, 1)).center()
        click(table.viewport(), QPoint(place))
    qtbot.waitUntil(in_front)
    assert ("activate", "controller", "MPC") not in control.session.asked
    front(QuestionDialog).accept()
    qtbot.waitUntil(lambda: ("activate", "controller", "MPC") in control.session.asked)
    qtbot.waitUntil(lambda: ACTIVE in str(cell(control, "MPC", NAME, Qt.ItemDataRole.DisplayRole)))


def test_plans_are_drawn_in_the_colours_of_their_lanes_right_of_now(control: Shown, qtbot: QtBot) -> None:
    canvas = control.window.control.lanes.plan_canvas
    assert canvas.plans == []
    control.session.change(plans={"MPC": Plan(0.5, (90.0,) * 24), "nobody": Plan(0.5, (1.0,))})
    qtbot.waitUntil(lambda: bool(canvas.plans))
    (colour, plan), *rest = canvas.plans
    assert (colour, plan.current_a[0], rest) == ("green", 90.0, [])
    assert canvas.ahead.left() == canvas.area.right() + 1
    qtbot.waitUntil(lambda: canvas.scale is not None and canvas.scale.high >= 90.0)
    draw(control, qtbot)
    picture, y = canvas.grab().toImage(), int(canvas.y_of(90.0))
    drawn = {
        picture.pixelColor(x, row).name() for x in range(canvas.ahead.left() + 3, canvas.ahead.left() + 40)
        for row in (y - 1, y, y + 1)
    }  # fmt: skip
    assert any(colour != canvas.theme.background and int(colour[3:5], 16) > int(colour[1:3], 16) for colour in drawn)


def test_a_paused_view_keeps_its_plans(control: Shown, qtbot: QtBot) -> None:
    canvas = control.window.control.lanes.plan_canvas
    control.session.change(plans={"MPC": Plan(0.5, (1.0,))})
    qtbot.waitUntil(lambda: bool(canvas.plans))
    control.window.bench.board.view.pause(paused=True)
    control.session.change(plans={"MPC": Plan(0.5, (2.0,))})
    draw(control, qtbot)
    assert [plan.current_a for _, plan in canvas.plans] == [(1.0,)]


def test_both_pages_show_one_time(control: Shown, qtbot: QtBot) -> None:
    plot = control.window.control.lanes.plots[0]
    assert plot.view is control.window.bench.board.view
    draw(control, qtbot)
    assert legend(plot)["MPC"] != fmt.DASH
    assert plot.spec.key == CURRENT


def test_without_a_bench_the_page_offers_to_connect(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(FakeSession(past_s=2.0))
    shown.window.show_page("Control")
    lanes = shown.window.control.lanes
    assert lanes.empty.isVisible()
    assert not lanes.table.isVisible()
    assert lanes.empty.button.isEnabled() is shown.shell.controller.can(Action.CONNECT)[0]
    click(lanes.empty.button)
    qtbot.waitUntil(lambda: ("connect",) in shown.session.asked)
    qtbot.waitUntil(lambda: lanes.table.isVisible() and not lanes.empty.isVisible())


def test_rows_grey_out_where_no_more_rows_come(control: Shown, qtbot: QtBot) -> None:
    control.session.stalled = True
    rows = control.window.control.lanes.table.lanes
    qtbot.waitUntil(lambda: not any(row.is_fresh for row in rows.rows))


def test_the_page_follows_the_theme_and_names_what_the_keyboard_reaches(control: Shown, qtbot: QtBot) -> None:
    control.shell.set_theme(LIGHT)
    draw(control, qtbot)
    assert all(plot.canvas.theme is LIGHT for plot in control.window.control.lanes.plots)
    assert nameless(control.window.control) == []


def test_commands_open_each_view(running: Shown) -> None:
    for name in running.window.control.views:
        running.window.show_page("Bench")
        running.window.commands.run(f"control {name.lower()}")
        assert (running.shell.page, running.window.control.view) == ("Control", name)


@pytest.mark.parametrize("size", [(1366, 768), (911, 512), (683, 384)], ids=str)
def test_no_text_is_cut_on_small_screens(show: Callable[..., Shown], qtbot: QtBot, size: tuple[int, int]) -> None:
    shown = show(running_session(past_s=2.0), size=size)
    page = shown.window.control
    shown.window.show_page("Control")
    for name in page.views:
        page.show_view(name)
        draw(shown, qtbot, 3)
        wrapped = [part for part in page.findChildren(QLabel) if part.isVisible() and part.wordWrap()]
        assert [part.text() for part in wrapped if part.height() < part.heightForWidth(part.width())] == []
        buttons = [part for part in page.findChildren(QPushButton) if part.isVisible()]
        assert [part.text() for part in buttons if part.width() < part.minimumSizeHint().width()] == []
    table = page.lanes.table
    for column in range(len(HEADS)):
        for row in table.lanes.rows:
            assert measure_text(row.texts[column]) < table.columnWidth(column)
    assert shown.shell.size().toTuple() == size
