"""A fit from the window: progress, the tests before and after, and the residuals of both cells."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.workbench.hands import click
from workbench.window.twin_page import controller as ctl
from workbench.window.twin_page.page import RESIDUALS, TwinPage
from workbench.window.twin_page.refit_table import FITTED, HELD
from workbench.window.twin_page.refit_view import NO_TEST
from workbench.window.widgets.themes import DARK

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from workbench.window.tasks.background import Background
    from workbench.window.twin_page.model import LayRequest

FAKE = Path(__file__).with_name("fake_verbs.py")
TESTS = """
[cell]
name = "My cell"
chemistry = "NMC"
[[test]]
kind = "ocv"
file = "slow.csv"
temperature_degc = 25.0
[[test]]
kind = "drive"
file = "drive.csv"
temperature_degc = 0.0
held = true
columns = "time=t,voltage=u,current=i"
"""


def fake_command(*words: str) -> list[str]:
    return [sys.executable, str(FAKE), *words]


@pytest.fixture
def page(qtbot: QtBot, background: Background, tmp_path: Path) -> TwinPage:
    for name in ("slow.csv", "drive.csv"):
        (tmp_path / name).touch()
    made = TwinPage(background, tmp_path, DARK, fake_command)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    return made


def test_a_fit_shows_each_test_before_and_after_and_lays_both_cells(
    page: TwinPage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests.toml").write_text(TESTS)
    page.open_file(tmp_path / "tests.toml")
    view = page.refit
    assert view.compare.toolTip() == NO_TEST
    click(view.form.fit)
    assert page.controller.word == ctl.FITTING
    qtbot.waitUntil(lambda: page.controller.result is not None)
    model = view.table.tests
    cells = [[model.data(model.index(row, column)) for column in range(model.columnCount())] for row in range(2)]
    assert cells[0] == ["slow.csv", "ocv", "25 °C", FITTED, "40.0 mV", "4.0 mV", "−36.0 mV"]  # noqa: RUF001  # the minus that is shown
    assert cells[1][:4] == ["drive.csv", "drive", "0 °C", HELD]
    assert "Held tests: 40.0 mV before, 4.0 mV after." in view.summary.text()
    out = tmp_path / "cells" / "my_cell.toml"
    assert page.residuals.form.cell.value == str(out)
    assert view.table.selected is not None, "the first held test"
    qtbot.waitUntil(view.compare.isEnabled)
    requests = list["LayRequest"]()
    monkeypatch.setattr(page.controller, "lay", requests.extend)
    click(view.compare)
    assert page.view == RESIDUALS
    assert [request.cell for request in requests] == ["chen2020", str(out)]
    assert {(request.log.name, request.soc0, request.columns, request.degc) for request in requests} == {
        ("drive.csv", 1.0, "time=t,voltage=u,current=i", 0.0)
    }
    request = view.form.make_request()
    assert request is not None
    assert request.out.name == "my_cell_1.toml", "no fit writes over another"


def test_a_fit_shows_how_far_it_is_and_stops(page: TwinPage, qtbot: QtBot, background: Background) -> None:
    page.open_file(Path("endless.toml").absolute())  # no such file: the page says so
    assert page.refit.form.tests is None
    page.refit.form.choose_tests(Path("endless.toml").absolute())
    click(page.refit.form.fit)
    qtbot.waitUntil(lambda: page.refit.head.bar.value() == 400)
    assert background.at_close == ctl.AT_CLOSE
    page.controller.stop()
    qtbot.waitUntil(lambda: not page.controller.is_busy)
    assert page.controller.result is None
