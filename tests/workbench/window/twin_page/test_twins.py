"""Twins on the Twin page: laid, compared, stopped, refused, taken off; files that are dropped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from drivers.benchfile.cell_file import CELLS, read_default_cell
from tests.workbench.hands import LEFT, NONE, click, draw, key, nameless
from workbench.window.tasks.background import Background
from workbench.window.twin_page import controller as ctl
from workbench.window.twin_page.model import LaidTwin, LayRequest
from workbench.window.twin_page.page import REFIT, RESIDUALS, TwinPage
from workbench.window.twin_page.residual_plots import MEASURED, NO_TEMPERATURE
from workbench.window.twin_page.residuals import bin_residual, thin_curve
from workbench.window.widgets.themes import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown
    from workbench.session.actions import Failure
    from workbench.window.tasks.task import Task

FAKE = Path(__file__).with_name("fake_verbs.py")


def fake_command(*words: str) -> list[str]:
    return [sys.executable, str(FAKE), *words]


ROWS = 2000
OFF_V = {"ecm": 0.010, "spme": -0.020}


def make_twin(request: LayRequest) -> LaidTwin:
    """Return a twin that is off by a constant; `bare.csv` has no temperature."""
    off_v, is_bare = OFF_V[request.model], request.log.stem == "bare"
    time_s, soc = np.arange(float(ROWS)), np.linspace(0.999, 0.101, ROWS)
    residual_v, kelvins = np.full(ROWS, off_v), np.full(ROWS, np.nan if is_bare else 298.2)
    measured, voltage, residual = (thin_curve(time_s, values) for values in (3.0 + soc, 3.0 + soc + off_v, residual_v))
    by_soc, by_kelvin = bin_residual(soc, residual_v, 0.05), bin_residual(kelvins, residual_v, 2.0, 273.15)
    rmse_k, notes = float("nan") if is_bare else 1.0, ("samples are instants",)
    curves = (measured, voltage, residual)
    return LaidTwin(request, abs(off_v), rmse_k, 0.999, ROWS, notes, *curves, by_soc, by_kelvin)


class StubBackground(Background):
    """Lays twins at once, in this process."""

    def run(self, task: Task[Any], work: Any, *args: Any, queue: str = "") -> Task[Any]:
        del work, queue
        QTimer.singleShot(0, lambda: task.finish(make_twin(args[0])))
        return task


@pytest.fixture
def stubbed(qtbot: QtBot, tmp_path: Path) -> TwinPage:
    made = TwinPage(StubBackground(), tmp_path, DARK)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    return made


@pytest.fixture
def page(qtbot: QtBot, background: Background, tmp_path: Path) -> TwinPage:
    made = TwinPage(background, tmp_path, DARK, fake_command)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    return made


def lay(page: TwinPage, qtbot: QtBot, name: str, model: int = 0) -> None:
    count = len(page.controller.twins)
    page.open_file(Path(name))
    page.residuals.form.model.setCurrentIndex(model)
    click(page.residuals.form.lay)
    qtbot.waitUntil(lambda: len(page.controller.twins) > count)


def drop(page: TwinPage, *paths: Path) -> None:
    mime, action = QMimeData(), Qt.DropAction.CopyAction
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    QApplication.sendEvent(page, QDragEnterEvent(QPoint(60, 80), action, mime, LEFT, NONE))
    event = QDropEvent(QPointF(60, 80), action, mime, LEFT, NONE)
    QApplication.sendEvent(page, event)
    assert event.isAccepted()


def test_two_models_over_a_log_are_compared_and_one_is_taken_off(stubbed: TwinPage, qtbot: QtBot) -> None:
    page, view = stubbed, stubbed.residuals
    assert view.form.lay.toolTip() == ctl.NO_LOG
    lay(page, qtbot, "drive.csv")
    assert page.controller.word == ""
    lay(page, qtbot, "drive.csv", model=1)
    plots = view.plots
    assert [line.label for line in plots.voltage.canvas.lines] == [MEASURED, "chen2020 ECM", "chen2020 SPME"]
    ecm, spme = plots.residual.canvas.lines
    assert (ecm.value, spme.value) == ("10.0 mV", "20.0 mV")
    assert ecm.colour != spme.colour
    assert (ecm.x[0], {*spme.y}) == (0.0, {-0.020})
    rmse, mean = plots.by_soc.canvas.lines[2:]
    assert rmse.y == pytest.approx([0.020] * 18)
    assert mean.y == pytest.approx([-0.020] * 18)
    assert (rmse.x[0], rmse.x[-1]) == pytest.approx((12.5, 97.5))
    assert plots.by_kelvin.canvas.lines[0].x == pytest.approx((25.0,), abs=1.0)
    assert "samples are instants" in view.head.text.text()
    key(view.table, Qt.Key.Key_Delete)
    assert [twin.request.model for twin in page.controller.twins] == ["ecm"]
    assert len(plots.residual.canvas.lines) == 1


def test_plots_over_time_show_the_chosen_log_and_the_others_pool_all(stubbed: TwinPage, qtbot: QtBot) -> None:
    page = stubbed
    lay(page, qtbot, "one.csv")
    lay(page, qtbot, "bare.csv")
    view = page.residuals
    assert len(view.plots.residual.canvas.lines) == 1
    counts = {twin.request.log.name: sum(one.count for one in twin.by_soc) for twin in page.controller.twins}
    assert counts == {"one.csv": 2000, "bare.csv": 2000}
    assert len(view.plots.by_soc.canvas.lines) == 2, "RMSE and mean of one cell and model"
    assert sum(one.count for one in page.controller.twins[1].by_kelvin) == 0
    page.controller.remove(page.controller.twins[0].request)
    assert view.plots.by_kelvin.canvas.empty == NO_TEMPERATURE
    assert not any(line.y for line in view.plots.by_kelvin.canvas.lines)


def test_an_error_of_the_verb_is_said_and_a_stop_leaves_nothing(page: TwinPage, qtbot: QtBot) -> None:
    failures, view = list["Failure"](), page.residuals
    page.failed.connect(failures.append)
    page.open_file(Path("broken.csv"))
    click(view.form.lay)
    qtbot.waitUntil(lambda: bool(failures))
    assert "broken.csv has no column of time" in failures[0].sentence
    page.open_file(Path("endless.csv"))
    click(view.form.lay)
    assert page.controller.word == ctl.LAYING
    assert view.form.lay.toolTip() == ctl.BUSY
    qtbot.waitUntil(lambda: view.head.bar.value() == 400)
    click(view.form.stop)
    assert view.head.text.text() == ctl.STOPPING
    qtbot.waitUntil(lambda: not page.controller.is_busy)
    assert page.controller.twins == []


def test_the_log_of_a_pack_is_asked_for_as_its_mean_cell(page: TwinPage, tmp_path: Path) -> None:
    form = page.residuals.form
    form.choose_log(tmp_path / "trip.csv")
    assert form.request == LayRequest(tmp_path / "trip.csv", "chen2020")
    form.pack.choose(96, 12)
    assert form.request == (wanted := LayRequest(tmp_path / "trip.csv", "chen2020", series=96, parallel=12))
    assert wanted.words[-4:] == ["--series", "96", "--parallel", "12"]


def test_dropped_files_go_where_they_belong(page: TwinPage, tmp_path: Path) -> None:
    failures, form = list["Failure"](), page.residuals.form
    page.failed.connect(failures.append)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    drop(page, tmp_path / "run")
    assert form.request == LayRequest(tmp_path / "run", "chen2020", number=1)
    drop(page, tmp_path / "log.mf4", CELLS / "prada2013.toml")
    assert form.request == LayRequest(tmp_path / "log.mf4", str(CELLS / "prada2013.toml"))
    tests = tmp_path / "tests.toml"
    tests.write_text('[[test]]\nkind = "ocv"\n')
    drop(page, tests)
    assert (page.view, page.refit.form.tests) == (REFIT, tests)
    drop(page, CELLS / "mohtat2020.toml")
    assert page.refit.form.before.value == str(CELLS / "mohtat2020.toml")
    (tmp_path / "bench.toml").write_text("[pack]\ncells = 24\n")
    drop(page, tmp_path / "bench.toml", tmp_path)
    assert "neither a cell file nor a list of tests" in failures[0].sentence
    assert "is a folder without a run" in failures[1].sentence


def test_the_command_names_what_the_form_says(page: TwinPage) -> None:
    form = page.residuals.form
    form.choose_run(Path("r"))
    form.soc.setValue(70.0)
    form.columns.setText("time=t,voltage=u,current=i")
    form.sign.setCurrentIndex(1)
    form.degc.setValue(-10.0)
    assert form.request is not None
    words = ["twin", "r", "--cell", "chen2020", "--model", "ecm", "--json", "--soc0", "0.7", "--number", "1"]
    assert form.request.words == [
        *words,
        "--columns",
        "time=t,voltage=u,current=i",
        "--sign",
        "charge",
        "--temperature-degc",
        "-10.0",
    ]


@pytest.mark.soak  # the circuit is compiled first
@pytest.mark.timeout(90)
def test_a_log_of_the_shipped_cell_lies_near_its_twin(qtbot: QtBot, background: Background, tmp_path: Path) -> None:
    circuit = read_default_cell().file.circuit
    time_s = np.arange(1200.0)
    current_a = np.where((time_s > 60) & (time_s % 120 < 60), 2.5, 0.0)
    soc = 1.0 - np.cumsum(current_a) / 3600.0 / circuit.capacity_ah
    grid = np.linspace(0.0, 1.0, len(circuit.ocv_v))
    voltage_v = np.interp(soc, grid, circuit.ocv_v) - current_a * np.interp(soc, grid, circuit.r0_ohm)
    rows = "\n".join(f"{t:g},{v:.5f},{-i:g}" for t, v, i in zip(time_s, voltage_v, current_a, strict=True))
    (tmp_path / "log.csv").write_text(f"Test_Time(s),Voltage(V),Current(A)\n{rows}\n")
    page = TwinPage(background, tmp_path, LIGHT)
    qtbot.addWidget(page)
    page.open_file(tmp_path / "log.csv")
    page.residuals.lay()
    qtbot.waitUntil(lambda: bool(page.controller.twins), timeout=60_000)
    (twin,) = page.controller.twins
    assert twin.rows == 1200
    assert 0.0 < twin.rmse_v < 0.05, "the RC pairs that the log lacks"
    assert np.isnan(twin.rmse_k)


def test_the_page_names_what_the_keyboard_reaches(running: Shown, qtbot: QtBot) -> None:
    running.window.show_page("Twin")
    for name in (REFIT, RESIDUALS):
        running.window.twin.show_view(name)
        draw(running, qtbot, 2)
        assert nameless(running.window.twin) == []


@pytest.mark.parametrize("size", [(1366, 768), (960, 540)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_no_button_is_cut(show: Callable[..., Shown], qtbot: QtBot, size: tuple[int, int]) -> None:
    shown = show(size=size)
    page = shown.window.twin
    shown.window.show_page("Twin")
    for name in (REFIT, RESIDUALS):
        page.show_view(name)
        draw(shown, qtbot, 2)
        form = page.refit.form if name == REFIT else page.residuals.form
        parts = [form.open, form.stop, *page.buttons.values()]
        assert [part.text() for part in parts if part.width() < part.minimumSizeHint().width()] == []
