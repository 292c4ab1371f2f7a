"""Trainings: started, watched, stopped, resumed, failed; what is read from their folders; the extra that is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication

from tests.workbench.hands import click, draw, nameless
from workbench.window.control_page import training_controller as ctl
from workbench.window.control_page.page import TRAINING
from workbench.window.control_page.training_controller import TrainingController, list_shipped_tasks
from workbench.window.control_page.training_files import RETURN, STEPS, list_trainings, read_curve, read_training
from workbench.window.control_page.training_task import TrainingRequest
from workbench.window.control_page.training_view import NO_ROW, NO_TRAINING, TrainingView
from workbench.window.widgets.themes import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown
    from workbench.session.actions import Failure
    from workbench.window.tasks.background import Background

FAKE = Path(__file__).with_name("fake_train.py")


def fake_command(*words: str) -> list[str]:
    return [sys.executable, str(FAKE), *words]


@pytest.fixture
def make_view(qtbot: QtBot, background: Background, tmp_path: Path) -> Callable[..., TrainingView]:
    def made(missing: tuple[str, ...] = ()) -> TrainingView:
        view = TrainingView(TrainingController(background, tmp_path, fake_command, lambda _: missing), DARK)
        qtbot.addWidget(view)
        view.resize(1200, 700)
        view.show()
        return view

    return made


def begin(view: TrainingView, task: str, seeds: int = 2) -> None:
    view.form.add_task(Path(task))
    view.form.seeds.setValue(seeds)
    click(view.form.start)


def test_a_training_is_watched_until_it_ends(make_view: Callable[..., TrainingView], qtbot: QtBot) -> None:
    view = make_view()
    assert view.plots[0].canvas.empty == NO_TRAINING
    begin(view, "short")
    assert view.controller.why_not_start() == ctl.BUSY
    assert view.controller.word == ctl.WORKING
    assert view.plots[0].canvas.empty == NO_ROW
    qtbot.waitUntil(lambda: view.controller.state == ctl.ENDED)
    assert [line.label for line in view.plots[0].canvas.lines] == ["seed 0", "seed 1"]
    assert view.plots[0].canvas.lines[1].y == pytest.approx((0.01, 0.02, 0.03, 0.04))
    qtbot.waitUntil(lambda: view.head.word.text() == ctl.ENDED)
    assert view.record is not None
    assert view.record.best is not None
    assert view.record.best.seed == 1, "it returns more than seed 0"
    assert view.controller.word == ""


def test_curves_grow_while_it_trains_and_a_stop_saves(make_view: Callable[..., TrainingView], qtbot: QtBot) -> None:
    view = make_view()
    begin(view, "endless")
    qtbot.waitUntil(lambda: bool(view.plots[0].canvas.lines) and len(view.plots[0].canvas.lines[0].y) > 1)
    shown = len(view.plots[0].canvas.lines[0].y)
    qtbot.waitUntil(lambda: len(view.plots[0].canvas.lines[0].y) > shown)
    assert view.form.stop.isEnabled()
    click(view.form.stop)
    assert view.controller.why_not_stop() == ctl.STOPPING
    qtbot.waitUntil(lambda: view.controller.state == ctl.STOPPED)
    qtbot.waitUntil(view.form.resume.isEnabled)
    view.form.minutes.setValue(2.5)
    click(view.form.resume)
    request = view.controller.request
    assert request is not None
    assert request.words[-1] == "--resume"
    assert (request.task, request.seeds, request.minutes) == ("endless", 2, pytest.approx(2.5))
    view.controller.stop()
    qtbot.waitUntil(lambda: not view.controller.is_busy)


def test_a_training_that_fails_says_why(make_view: Callable[..., TrainingView], qtbot: QtBot) -> None:
    view, failures = make_view(), list["Failure"]()
    view.controller.failed.connect(failures.append)
    begin(view, "broken")
    qtbot.waitUntil(lambda: bool(failures))
    assert "there is no task 'broken'" in failures[0].sentence
    assert view.controller.state == ctl.FAILED
    assert view.controller.why_not_start() == ""
    assert view.record is None


def test_an_alarm_of_a_seed_is_shown(make_view: Callable[..., TrainingView], qtbot: QtBot) -> None:
    view = make_view()
    begin(view, "alarm", seeds=1)
    qtbot.waitUntil(lambda: view.head.word.text() == ctl.FAILED)
    assert "the loss is NaN" in view.head.text.text()


def test_closing_the_window_ends_a_training(
    make_view: Callable[..., TrainingView], qtbot: QtBot, background: Background
) -> None:
    view = make_view()
    begin(view, "endless")
    qtbot.waitUntil(lambda: bool(view.plots[0].canvas.lines))
    assert background.at_close == ctl.AT_CLOSE
    request = view.controller.request
    assert request is not None
    background.close()
    qtbot.waitUntil((request.out / "summary.json").is_file)


def test_a_missing_extra_is_named_with_the_command_that_installs_it(make_view: Callable[..., TrainingView]) -> None:
    view = make_view(("torch",))
    assert not view.form.start.isEnabled()
    assert ctl.INSTALL in view.form.start.toolTip()
    assert view.form.missing.isVisible()
    click(view.form.missing.copy)
    assert QApplication.clipboard().text() == ctl.INSTALL


def test_without_a_folder_nothing_is_trained(qtbot: QtBot, background: Background) -> None:
    view = TrainingView(TrainingController(background, None, fake_command, lambda _: ()), LIGHT)
    qtbot.addWidget(view)
    assert view.form.start.toolTip() == ctl.NO_ROOT


def test_shipped_tasks_are_offered(make_view: Callable[..., TrainingView]) -> None:
    tasks, view = list_shipped_tasks(), make_view()
    assert {"arbitrage", "duty_tracking"} <= set(tasks)
    assert [view.form.tasks.itemText(n) for n in range(len(tasks))] == tasks


def test_the_command_names_what_was_chosen(tmp_path: Path) -> None:
    words = TrainingRequest("arbitrage", "cpo", 3, 5.0, tmp_path).words
    assert words == [
        "train",
        "arbitrage",
        "--algorithm",
        "cpo",
        "--seeds",
        "3",
        "--minutes",
        "5",
        "--out",
        str(tmp_path),
    ]


def test_a_line_that_is_still_written_ends_the_curve(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_text("steps,return_eur,new_column\n100,1.5,7\n200,2.5,7\n300,")
    assert read_curve(path) == {STEPS: (100.0, 200.0), RETURN: (1.5, 2.5)}
    assert read_curve(tmp_path / "none.csv") == {}


@pytest.mark.parametrize("content", ["", "[]", '{"schema": "pulsebms.training/9", "seeds": []}', '{"seeds": 1'])
def test_a_summary_of_another_version_counts_as_none(tmp_path: Path, content: str) -> None:
    seed = tmp_path / "a" / "seed_0"
    seed.mkdir(parents=True)
    (seed / "curve.csv").write_text("steps,return_eur\n100,1.5\n")
    (tmp_path / "a" / "summary.json").write_text(content)
    (tmp_path / "empty").mkdir()
    (record,) = list_trainings(tmp_path)
    assert record == read_training(tmp_path / "a")
    assert (record.has_ended, record.best, len(record.seeds)) == (False, None, 1)


def test_the_page_names_what_the_keyboard_reaches(running: Shown, qtbot: QtBot) -> None:
    running.window.show_page("Control")
    running.window.control.show_view(TRAINING)
    draw(running, qtbot, 3)
    assert nameless(running.window.control) == []
