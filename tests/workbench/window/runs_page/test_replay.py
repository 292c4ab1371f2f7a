"""The Runs page from the keyboard alone, and replays of runs that are broken, strange or taken away."""

from __future__ import annotations

import shutil
import sqlite3
import time
from functools import partial
from multiprocessing import active_children
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from drivers.runlog.recorder import Recorder
from drivers.snapshot import Channel, ChannelTable
from tests.workbench.fake_session import FakeSession
from tests.workbench.hands import CTRL, front, in_front, legend, press, press_in, write
from workbench.window.plots.default_plots import MEASURED
from workbench.window.runs_page.run_library import RunLibrary
from workbench.window.tasks.background import Background
from workbench.window.tasks.task import Task, TaskState
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown
    from workbench.window.runs_page.runs_model import ReplaySource, RunListEntry

SLOW_MS = 30_000
ALT = Qt.KeyboardModifier.AltModifier
SMALL = ChannelTable((Channel("oven/temperature", "K"), Channel("oven/power", "W"), Channel("cell_01/voltage", "V")))


def record(folder: Path, seconds: float = 8.0) -> None:
    """A run of a bench that has next to nothing in common with the usual one."""
    with Recorder.create(folder, SMALL, {"evidence": "SIM"}, len(SMALL)) as recorder:
        for tick in range(round(seconds * 100)):
            t_s = 500.0 + tick / 100.0
            values = np.array([300.0 + tick / 100.0, 40.0, 3.7])
            recorder.put(t_s, values, np.full(3, t_s), np.zeros(3, np.uint8))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    record(folder / "run-a")
    return folder


@pytest.fixture
def shown(show: Callable[..., Shown], home: Path) -> Shown:
    return show(FakeSession(past_s=2.0), past=partial(RunLibrary, home))


def listed(shown: Shown, qtbot: QtBot, number: int = 1) -> None:
    press(shown, Qt.Key.Key_5, CTRL)
    qtbot.waitUntil(lambda: len(shown.window.runs.table.rows) == number, timeout=SLOW_MS)


def replaying(shown: Shown, qtbot: QtBot) -> None:
    listed(shown, qtbot)
    press(shown, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown.window.bench.replay is not None, timeout=SLOW_MS)


def player(shown: Shown) -> BaseProcess:
    """The process that plays."""
    assert shown.window.bench.replay is not None
    (task,) = shown.shell.controller.background.tasks
    (process,) = [child for child in active_children() if child.name == task.title]
    return process


def test_keyboard_alone_opens_plays_seeks_and_leaves_a_run(shown: Shown, qtbot: QtBot) -> None:
    replaying(shown, qtbot)
    transport = shown.window.bench.transport
    assert shown.shell.page == "Bench"
    qtbot.waitUntil(lambda: transport.source is not None and transport.source.position_s > 0.1)
    press(shown, Qt.Key.Key_P, CTRL)
    assert not transport.playing
    press(shown, Qt.Key.Key_Right, ALT)
    assert transport.source is not None
    assert transport.source.position_s == transport.source.duration_s
    press(shown, Qt.Key.Key_Left, ALT)
    assert transport.source.position_s == 0.0
    press(shown, Qt.Key.Key_Up, ALT)
    assert transport.rate == 2.0
    press(shown, Qt.Key.Key_Down, ALT)
    press(shown, Qt.Key.Key_Down, ALT)
    assert transport.rate == 0.5
    shown.window.commands.run("leave replay")
    assert shown.window.bench.replay is None


def test_keyboard_alone_filters_and_chooses_a_run(shown: Shown, home: Path, qtbot: QtBot) -> None:
    record(home / "run-b")
    listed(shown, qtbot, 2)
    runs = shown.window.runs
    qtbot.waitUntil(runs.view.hasFocus)
    chosen = runs.selected_run
    press(shown, Qt.Key.Key_Down)
    assert runs.selected_run is not None
    assert runs.selected_run != chosen
    press(shown, Qt.Key.Key_F, CTRL)
    assert runs.filter.hasFocus()
    write(runs.filter, "run-a")
    assert [row.name for row in runs.table.rows] == ["run-a"]


def test_chosen_run_stays_chosen_when_the_list_is_read_again(shown: Shown, home: Path, qtbot: QtBot) -> None:
    record(home / "run-b")
    listed(shown, qtbot, 2)
    runs = shown.window.runs
    press(shown, Qt.Key.Key_Down)
    assert runs.selected_run is not None
    name = runs.selected_run.name
    record(home / "run-c")
    shown.window.commands.run("refresh runs")
    qtbot.waitUntil(lambda: len(runs.table.rows) == 3, timeout=SLOW_MS)
    assert runs.selected_run is not None
    assert runs.selected_run.name == name


def test_run_is_exported_from_the_keyboard(shown: Shown, qtbot: QtBot, tmp_path: Path) -> None:
    listed(shown, qtbot)
    shown.window.commands.run("export CSV")
    qtbot.waitUntil(in_front)
    dialog = front(QFileDialog)
    dialog.selectFile(str(tmp_path / "run.csv"))
    press_in(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: (tmp_path / "run.csv").exists() and not shown.shell.controller.background.tasks, timeout=SLOW_MS
    )
    assert "oven/power" in (tmp_path / "run.csv").read_text().splitlines()[0]


def test_run_of_another_bench_shows_what_it_has(shown: Shown, qtbot: QtBot) -> None:
    replaying(shown, qtbot)
    bench = shown.window.bench
    qtbot.waitUntil(lambda: bench.store is not None and bench.store.newest_s > 500.5, timeout=SLOW_MS)
    bench.plot_signal("oven/power")
    qtbot.waitUntil(lambda: legend(bench.board.plots[-1]).get("oven/power") == fmt.WATT.text(40.0))
    assert legend(bench.board.plot("current"))[MEASURED] == fmt.DASH
    assert bench.lanes.rows == {}


def test_run_that_vanishes_while_it_is_replayed_leaves_the_window_alive(shown: Shown, home: Path, qtbot: QtBot) -> None:
    replaying(shown, qtbot)
    shutil.rmtree(home / "run-a")
    polls = shown.session.polls
    shown.window.bench.transport.skip(5.0)
    qtbot.waitUntil(lambda: shown.session.polls > polls + 5)
    shown.window.show_page("Runs")
    qtbot.waitUntil(lambda: shown.window.runs.table.rows == [], timeout=SLOW_MS)
    assert shown.window.runs.empty.isVisible()


def test_player_that_dies_says_so_with_the_next_step(shown: Shown, qtbot: QtBot) -> None:
    replaying(shown, qtbot)
    bench = shown.window.bench
    player(shown).kill()  # as the kernel would, out of memory
    notice = shown.window.notices.failure
    qtbot.waitUntil(notice.isVisible, timeout=SLOW_MS)
    assert bench.replay is not None
    assert notice.failure == bench.replay.failure is not None
    assert "run-a" in notice.sentence.text()
    assert notice.hint.text()
    assert not bench.transport.playing


def refused(qtbot: QtBot, background: Background, home: Path, run: str) -> Task[Any]:
    past = RunLibrary(home, background)
    opened: list[ReplaySource] = []
    work = past.replay(home / run, opened.append)
    qtbot.waitUntil(lambda: work.done, timeout=SLOW_MS)
    past.close()
    assert opened == []
    return work


@pytest.mark.parametrize("harm", ["garbage", "truncated", "gone"])
def test_run_with_broken_ticks_is_refused_with_a_next_step(
    qtbot: QtBot, background: Background, home: Path, harm: str
) -> None:
    file = home / "run-a" / "ticks.parquet"
    whole = file.read_bytes()
    file.unlink()
    if harm != "gone":
        file.write_bytes(b"x" * 1000 if harm == "garbage" else whole[: len(whole) // 2])
    work = refused(qtbot, background, home, "run-a")
    assert work.state is TaskState.FAILED
    assert work.error is not None
    assert work.error.sentence.startswith(f"{work.trouble}: ")
    assert "run-a" in work.trouble
    assert work.error.hint


def rows_of(qtbot: QtBot, past: RunLibrary) -> list[str]:
    got: list[Sequence[RunListEntry]] = []
    work = past.list_runs(got.append)
    qtbot.waitUntil(lambda: work.done, timeout=SLOW_MS)
    assert work.error is None
    return [row.name for row in got[0]]


def test_list_survives_a_broken_index_and_a_second_window(qtbot: QtBot, background: Background, home: Path) -> None:
    second = Background()
    one, other = RunLibrary(home, background), RunLibrary(home, second)
    assert rows_of(qtbot, one) == ["run-a"]
    (home / "index.db").write_bytes(b"no database" * 100)
    assert rows_of(qtbot, other) == ["run-a"]
    assert rows_of(qtbot, one) == ["run-a"]
    second.close()


def test_list_is_read_although_somebody_holds_the_index(qtbot: QtBot, background: Background, home: Path) -> None:
    past = RunLibrary(home, background)
    assert rows_of(qtbot, past) == ["run-a"]
    with sqlite3.connect(home / "index.db", isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        record(home / "run-b", 0.1)
        assert sorted(rows_of(qtbot, past)) == ["run-a", "run-b"]
    holder.close()


@pytest.mark.timed
def test_three_hundred_runs_are_listed_and_filtered(shown: Shown, home: Path, qtbot: QtBot) -> None:
    for number in range(299):
        shutil.copytree(home / "run-a", home / f"copy-{number:03d}")
    listed(shown, qtbot, 300)
    runs = shown.window.runs
    started = time.perf_counter()
    runs.filter.setText("copy-29")
    assert len(runs.table.rows) == 9
    assert time.perf_counter() - started < 0.5


def test_window_never_waits_for_a_player_to_end(shown: Shown, qtbot: QtBot) -> None:
    replaying(shown, qtbot)
    bench = shown.window.bench
    process = player(shown)
    bench.leave_replay()
    assert process.exitcode is None  # it is told to end, and ends while the window goes on
    qtbot.waitUntil(lambda: process.exitcode is not None, timeout=SLOW_MS)
