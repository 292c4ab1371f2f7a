"""What gives way on small screens: the order, the real window at every size, and a process at scale 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QPushButton, QTreeWidget, QTreeWidgetItem, QWidget

from control.state import BenchState, OutputState
from tests.workbench.fake_session import FakeSession, running_session
from tests.workbench.hands import draw, front, in_front
from workbench.window.bench_page.lanes_dock import HEADS, LaneColumns, LaneFigures
from workbench.window.layout import LayoutSettings
from workbench.window.plots.curve import LegendEntry
from workbench.window.plots.header import PlotHeader
from workbench.window.plots.polyline import find_steep, split_dashes
from workbench.window.space import LEAST, PagePart, find_hidden
from workbench.window.widgets.dialogs import InjectDialog
from workbench.window.widgets.themes import DARK, THEMES, measure_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown

ROOT = Path(__file__).resolve().parents[3]
NOTHING, NARROW = set[PagePart](), {PagePart.LAST_COLUMNS}
SHORT = {PagePart.ALARMS, *NARROW}
SMALL = {PagePart.CELL_STRIP, PagePart.THIRD_ROW, *SHORT}
SIZES = {  # logical pixels of a screen at a scale, and what has no room there
    (1920, 1080): NOTHING,  # 1920x1080 at 1
    (1366, 768): NARROW,  # 1366x768 at 1
    (1280, 720): SHORT,  # 1920x1080 at 1.5
    (960, 540): SMALL,  # 1920x1080 at 2
    (911, 512): SMALL,  # 1366x768 at 1.5
    (683, 384): set(PagePart),  # 1366x768 at 2
}
CURVES_PX = 60
screens = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.mark.parametrize("side", [0, 1], ids=["width", "height"])
def test_parts_give_way_in_their_order(side: int) -> None:
    limits = [least[side] for part in PagePart if (least := LEAST[part])[side]]
    assert all(first > second for first, second in pairwise(limits))


def test_order_is_that_of_the_page_on_the_window() -> None:
    wanted = [PagePart.ALARMS, PagePart.CELL_STRIP, PagePart.LAST_COLUMNS, PagePart.THIRD_ROW]
    assert list(PagePart)[: len(wanted)] == wanted
    assert set(LEAST) == set(PagePart)
    assert find_hidden(10_000, 10_000) == frozenset()


def inside(shown: Shown, part: QWidget) -> bool:
    """Whether a part is visible and whole inside the window."""
    place = QRect(part.mapTo(shown.shell, QPoint(0, 0)), part.size())
    return (
        part.isVisible() and shown.shell.rect().contains(place) and part.visibleRegion().boundingRect() == part.rect()
    )


@screens
def test_window_fits_the_screen_and_keeps_its_toolbar(
    show: Callable[..., Shown], qtbot: QtBot, size: tuple[int, int]
) -> None:
    shown = show(running_session(past_s=12.0), size=size)
    draw(shown, qtbot, 3)
    assert shown.shell.size().toTuple() == size
    bar, bench = shown.shell.toolbar, shown.window.bench
    assert find_hidden(bench.width(), bench.height()) == SIZES[size]
    for part in (bar.connect_, bar.arm, bar.run, bar.recording, bar.pause, bar.badge, bar.off):
        assert inside(shown, part), part.accessibleName()
        assert part.width() >= part.minimumSizeHint().width()
    assert [part.text() for part in shown.shell.rail.buttons.values() if not inside(shown, part)] == []
    assert bench.docks["alarms"].isHidden() is (PagePart.ALARMS in SIZES[size])
    assert bench.board.strip.isHidden() is (PagePart.CELL_STRIP in SIZES[size])
    plots = [plot for plot in bench.board.plots if not plot.isHidden()]
    assert len(plots) == (3 if PagePart.THIRD_ROW in SIZES[size] else 5)
    assert min(plot.canvas.area.height() for plot in plots) >= CURVES_PX
    for page in shown.shell.pages:
        shown.window.show_page(page)
        draw(shown, qtbot, 1)
        assert shown.shell.size().toTuple() == size, page
        assert inside(shown, bar.off)


@pytest.mark.parametrize("output", list(OutputState))
@pytest.mark.parametrize("state", [BenchState.CONNECTED, BenchState.RUNNING, BenchState.TRIPPED])
def test_toolbar_fits_in_every_state(
    one_window: Callable[..., Shown], qtbot: QtBot, state: BenchState, output: OutputState
) -> None:
    shown = one_window(size=(683, 384), past_s=2.0)
    shown.session.change(state=state, output=output, trip_reason="cell_07/voltage 5.102 V is above 5.000 V")
    badge = shown.shell.toolbar.badge
    qtbot.waitUntil(lambda: output is OutputState.TRIPPED or output.value in badge.word.text())
    qtbot.waitUntil(lambda: shown.shell.controller.status.state is state)
    draw(shown, qtbot, 3)

    def find_cut() -> list[str]:
        parts = [part for part in shown.shell.toolbar.findChildren(QPushButton) if part.isVisible()]
        return [
            part.text() for part in parts if not inside(shown, part) or part.width() < part.minimumSizeHint().width()
        ]

    def see_all_whole() -> None:
        assert find_cut() == []

    qtbot.waitUntil(see_all_whole)  # a frame may be drawn before the layout of the new words is done
    assert inside(shown, badge)
    assert badge.width() >= badge.sizeHint().width()


def test_what_gave_way_comes_back(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(running_session(past_s=2.0), size=(911, 512))
    draw(shown, qtbot, 2)
    bench = shown.window.bench
    bench.docks["faults"].hide()  # by hand: it stays hidden
    shown.shell.resize(1920, 1080)
    qtbot.waitUntil(lambda: not bench.docks["alarms"].isHidden())
    assert not bench.board.strip.isHidden()
    assert bench.docks["faults"].isHidden()
    assert [plot.isHidden() for plot in bench.board.plots] == [False] * 5


def test_dock_that_somebody_opens_stays_open(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(running_session(past_s=2.0), size=(911, 512))
    draw(shown, qtbot, 2)
    alarms = shown.window.bench.docks["alarms"]
    assert alarms.isHidden()
    alarms.toggleViewAction().trigger()
    shown.shell.resize(905, 512)
    draw(shown, qtbot, 2)
    assert not alarms.isHidden()


def test_saved_layout_keeps_what_gave_way(show: Callable[..., Shown], qtbot: QtBot, tmp_path: Path) -> None:
    memory = LayoutSettings(tmp_path / "layout.ini")
    first = show(FakeSession(past_s=1.0), memory=memory, size=(911, 512))
    draw(first, qtbot, 2)
    first.shell.leave()
    second = show(FakeSession(past_s=1.0), memory=memory, size=(1920, 1080))
    draw(second, qtbot, 2)
    assert not second.window.bench.docks["alarms"].isHidden()


def test_line_at_the_bottom_tells_of_hidden_alarms(show: Callable[..., Shown], qtbot: QtBot) -> None:
    shown = show(running_session(past_s=2.0), size=(911, 512))
    shown.session.trip("cell_07/voltage 5.102 V is above 5.000 V")
    line = next(part for part in shown.shell.line.findChildren(QLabel) if part.accessibleName() == "Bench facts")
    qtbot.waitUntil(lambda: "cell_07/voltage 5.102 V" in line.text())
    assert shown.window.bench.hidden_alarms == 2


SCALED = """
import json
from PySide6.QtCore import QPoint, QTimer
from tests.workbench.fake_session import FakeSession
from workbench.window.app import WindowStartup, make_application
app = make_application()
session = FakeSession(past_s=2.0)
session.connect()
start = WindowStartup(lambda: session, theme="dark", size=(683, 384))
def look():
    if start.window is None or not start.window.bench.board.plots[0].canvas.frames:
        return QTimer.singleShot(20, look)
    shell = start.shell
    off, picture = shell.toolbar.off, shell.grab()
    right = off.mapTo(shell, QPoint(off.width(), 0)).x()
    print(json.dumps([picture.width(), picture.height(), right, shell.width(), picture.devicePixelRatio()]))
    shell.leave()
    app.quit()
QTimer.singleShot(0, look)
app.exec()
"""


def test_at_scale_two_the_window_fits_a_laptop() -> None:
    done = subprocess.run(  # our own interpreter
        [sys.executable, "-c", SCALED],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": "2"},
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    width, height, right, room, ratio = json.loads(done.stdout.splitlines()[-1])
    assert (width, height, ratio) == (1366, 768, 2.0)
    assert right <= room


# ---- text that collides


@pytest.mark.usefixtures("qapp")  # without it there are no fonts
@pytest.mark.parametrize("width", [200.0, 232.0, 264.0, 336.0])
def test_columns_of_lanes_do_not_collide(width: float) -> None:
    columns = LaneColumns("controller")
    figures = LaneFigures((("201.86", ""), ("11155", ""), ("14 µs", ""), ("12", "")))
    assert columns.widen(figures)
    edges = columns.edges(width)
    assert edges
    assert edges[-1] <= width
    for number, (edge, following) in enumerate(pairwise(edges)):
        left = following - max(
            measure_text(figures.columns[number + 1][0]), measure_text(HEADS["controller"][number + 1])
        )
        assert edge < left


@pytest.mark.usefixtures("qapp")
def test_columns_keep_their_width_so_that_numbers_do_not_dance() -> None:
    columns = LaneColumns("controller")
    columns.widen(LaneFigures((("201.86", ""), ("11155", ""), ("14 µs", ""), ("12", ""))))
    before = columns.edges(336.0)
    assert not columns.widen(LaneFigures((("0.01", ""), ("0", ""), ("3 µs", ""), ("0", ""))))
    assert columns.edges(336.0) == before


@pytest.mark.usefixtures("qapp")
def test_last_column_folds() -> None:
    columns = LaneColumns("controller")
    whole = columns.edges(400.0)
    columns.folded = True
    assert len(columns.edges(400.0)) == len(whole) - 1


def test_text_of_a_number_stays_off_its_border(running: Shown, qtbot: QtBot) -> None:
    running.window.session_commands.ask_fault()
    qtbot.waitUntil(in_front)
    dialog = front(InjectDialog)
    fields = [field for field, _ in dialog.fields.values() if isinstance(field, QDoubleSpinBox)]
    assert fields
    assert min(field.lineEdit().textMargins().left() for field in fields) >= 4
    dialog.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_box_that_is_not_ticked_and_hints_in_fields_can_be_seen(theme: str, show: Callable[..., Shown]) -> None:
    shown = show(FakeSession(past_s=1.0))
    shown.shell.set_theme(THEMES[theme])
    tree = QTreeWidget(shown.shell)
    item = QTreeWidgetItem(["case"])
    item.setCheckState(0, Qt.CheckState.Unchecked)
    tree.addTopLevelItem(item)
    tree.resize(200, 100)
    tree.show()
    picture = tree.grab().toImage()
    colours = {picture.pixelColor(x, y).name() for x in range(60) for y in range(60)}
    assert THEMES[theme].border in colours
    assert shown.window.bench.tree.filter.palette().placeholderText().color().name() == THEMES[theme].faint


# ---- dashes hide nothing


def dotted(high: list[float], low: list[float]) -> set[int]:
    """The bins of a dotted curve that are drawn: two on, three off."""
    number, lows, highs = np.arange(40), np.array(low), np.array(high)
    return {n for part in split_dashes(number, 3, (2, 3), find_steep(lows, highs)) for n in number[part].tolist()}


def test_spike_between_two_dots_is_drawn() -> None:
    flat = [0.0] * 40
    spike = [30.0 if n == 23 else 0.0 for n in range(40)]
    assert dotted(spike, flat) - dotted(flat, flat) == {23}


def test_step_between_two_dots_is_drawn() -> None:
    flat = [0.0] * 40
    for step in ([30.0 * (n > 22) for n in range(40)], [-30.0 * (n > 22) for n in range(40)]):
        assert dotted(step, step) - dotted(flat, flat) == {22, 23}


def test_legend_of_a_narrow_plot_is_not_cut(qtbot: QtBot) -> None:
    header = PlotHeader("State of charge", DARK)
    qtbot.addWidget(header)
    header.resize(150, header.height())
    header.show_values([LegendEntry("orange", "Coulomb counting of the pack", "62.7 %")], "", [])
    picture = header.grab().toImage()
    edge = {picture.pixelColor(header.width() - 1, y).name() for y in range(picture.height())}
    assert edge == {DARK.background}  # nothing runs over the edge
    value = {picture.pixelColor(x, y).name() for x in range(110, 150) for y in range(picture.height())}
    assert DARK.text in value
