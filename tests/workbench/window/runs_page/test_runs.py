from __future__ import annotations

import csv
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from drivers.event import KIND, Event, EventKind, EventRecord, Level
from drivers.runlog.recorder import Recorder
from tests.workbench.fake_session import FakeSession
from tests.workbench.hands import click, in_front, key
from tests.workbench.live import ROOT
from tests.workbench.plant import LANES, Plant, table
from workbench.window.plots.plot_grid import REPLAY
from workbench.window.runs_page.run_library import RunLibrary
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown
    from workbench.window.tasks.background import Background

SLOW_MS = 30_000
HIL24 = ROOT / "fixtures" / "benches" / "hil24.toml"
WARM = "bench = [-35.0, 70.0]"
NEARER = "device = [-20.0, 40.0]\nbench = [-200.0, 45.0]"  # the limit that this run is closest to
HELD = Event(Level.WARNING, "gate", "command held: late", {KIND: EventKind.HELD})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one sealed run of eight seconds."""
    folder = tmp_path_factory.mktemp("runs")
    channels, measured = table()
    plant = Plant(channels)
    text = HIL24.read_text(encoding="utf-8").replace(WARM, NEARER)
    meta = {"evidence": "SIM", "bench": {"name": "hil24", "file": "hil24.toml", "text": text}}
    with Recorder.create(folder / "run-1", channels, meta, measured) as recorder:
        for tick in range(800):
            t_s = 500.0 + tick / 100.0
            recorder.put(t_s, plant.row(tick / 100.0), np.full(measured, t_s), np.zeros(measured, np.uint8))
        recorder.event(EventRecord(0, 503.0, 1.8e9, HELD))
    return folder


@pytest.fixture
def shown(show: Callable[..., Shown], home: Path, qtbot: QtBot) -> Shown:
    """The Runs page, with the run in its list."""
    made = show(FakeSession(past_s=2.0), past=partial(RunLibrary, home))
    made.window.show_page("Runs")
    qtbot.waitUntil(lambda: len(made.window.runs.table.rows) == 1, timeout=SLOW_MS)
    return made


def test_list_shows_what_a_run_is(shown: Shown) -> None:
    page = shown.window.runs
    row = [page.table.data(page.table.index(0, column)) for column in range(page.table.columnCount())]
    assert row[0] == "run-1"
    assert row[2:4] == [fmt.run_time(7.99), fmt.count(800)]
    assert row[5:] == ["SIM", "hil24", "sealed"]


def test_run_opens_and_replays_in_the_same_plots(shown: Shown, qtbot: QtBot) -> None:
    bench = shown.window.bench
    page = shown.window.runs
    key(page.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bench.replay is not None, timeout=SLOW_MS)
    assert shown.shell.page == "Bench"
    qtbot.waitUntil(lambda: bench.store is not None and bench.store.newest_s > 500.2)
    qtbot.waitUntil(lambda: REPLAY in bench.board.plot("voltage").header.word)
    assert bench.transport.isVisible()
    assert bench.transport.mark.text() == REPLAY
    assert [row.event for row in bench.alarms.alarms.rows] == [HELD]
    declared = HIL24.read_text(encoding="utf-8")
    known = [(lane.role, lane.name) for lane in LANES if f'name = "{lane.name}"' in declared]
    assert sorted(bench.lanes.rows) == sorted(known)
    assert len(known) > 7
    qtbot.waitUntil(lambda: bench.limits.rows[0][2].text().endswith("45.0 °C"))
    # pause holds the place; a seek moves it, forward and back
    click(bench.transport.play)
    assert not bench.transport.playing
    bench.transport.slider.setSliderPosition(750)
    bench.transport.seek_to(750)
    qtbot.waitUntil(lambda: bench.store is not None and abs(bench.store.newest_s - 505.99) < 0.05)
    bench.transport.seek_to(250)
    qtbot.waitUntil(lambda: bench.store is not None and abs(bench.store.newest_s - 501.99) < 0.05)
    # lanes do not change in a replay
    shown.window.session_commands.ask_lane("twin", "SPMe pack")
    assert shown.window.notices.failure.isVisible()
    assert not in_front()
    # the end stops by itself, and leaving goes back to the bench
    bench.transport.speed.setCurrentIndex(6)
    bench.transport.toggle()
    qtbot.waitUntil(lambda: not bench.transport.playing)
    bench.leave_replay()
    assert bench.replay is None
    assert not bench.transport.isVisible()


def test_session_is_polled_during_a_replay(shown: Shown, qtbot: QtBot) -> None:
    shown.window.runs.open_selected()
    qtbot.waitUntil(lambda: shown.window.bench.replay is not None, timeout=SLOW_MS)
    before = shown.session.polls
    qtbot.waitUntil(lambda: shown.session.polls > before + 3)
    shown.window.commands.run("outputs off")
    assert ("outputs off",) in shown.session.asked


@pytest.mark.parametrize("word", ["CSV", "MDF4"])
def test_run_is_exported_beside_the_window(shown: Shown, qtbot: QtBot, tmp_path: Path, word: str) -> None:
    page = shown.window.runs
    click(page.exports[word])
    dialog = page.findChild(QFileDialog)
    assert dialog is not None
    file = tmp_path / f"run{'.csv' if word == 'CSV' else '.mf4'}"
    dialog.fileSelected.emit(str(file))
    dialog.close()
    qtbot.waitUntil(shown.window.notices.work.isVisible)
    qtbot.waitUntil(lambda: not shown.shell.controller.background.tasks, timeout=SLOW_MS)
    assert not shown.window.notices.failure.isVisible()
    assert file.stat().st_size > 10_000
    if word == "CSV":
        with file.open(newline="") as lines:
            rows = list(csv.reader(lines))
        assert len(rows) == 2 + 800
        assert rows[0][1] == "cell_01/voltage"


def test_export_can_be_cancelled(shown: Shown, qtbot: QtBot, tmp_path: Path) -> None:
    page = shown.window.runs
    page.export(tmp_path / "run.mf4")
    qtbot.waitUntil(shown.window.notices.work.cancel.isEnabled)
    click(shown.window.notices.work.cancel)
    qtbot.waitUntil(lambda: not shown.shell.controller.background.tasks, timeout=SLOW_MS)
    assert list(tmp_path.iterdir()) == []


def test_run_that_cannot_be_opened_says_so(qtbot: QtBot, background: Background, home: Path) -> None:
    (home / "empty").mkdir(exist_ok=True)
    past = RunLibrary(home, background)
    work = past.replay(home / "empty", lambda _: None)
    qtbot.waitUntil(lambda: work.done, timeout=SLOW_MS)
    past.close()
    assert work.error is not None
    assert "empty" in work.error.sentence
