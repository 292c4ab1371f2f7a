"""The Health page: logs are dropped, judged in a child process, shown, stopped, saved."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from tests.workbench.hands import LEFT, NONE, click, nameless
from tests.workbench.own_cli import cli
from tests.workbench.verbs.test_service_report import write_pack
from workbench.window.health_page import controller as ctl
from workbench.window.health_page.controller import HealthController
from workbench.window.health_page.health_task import HealthRequest, read_judged
from workbench.window.health_page.page import JUDGED, JUDGING, NOTHING, HealthPage
from workbench.window.widgets.themes import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from workbench.session.actions import Failure
    from workbench.window.tasks.background import Background

FAKE = Path(__file__).with_name("fake_health.py")


def fake_command(*words: str) -> list[str]:
    return [sys.executable, str(FAKE), *words]


@pytest.fixture
def make_page(qtbot: QtBot, background: Background) -> Callable[..., HealthPage]:
    def make(command: Callable[..., list[str]] = fake_command) -> HealthPage:
        page = HealthPage(background, DARK, HealthController(background, command))
        qtbot.addWidget(page)
        page.resize(1200, 700)
        page.show()
        return page

    return make


@pytest.fixture
def page(make_page: Callable[..., HealthPage]) -> HealthPage:
    return make_page()


def drop(page: HealthPage, *paths: Path) -> bool:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action = Qt.DropAction.CopyAction
    QApplication.sendEvent(page, QDragEnterEvent(QPoint(600, 400), action, mime, LEFT, NONE))
    event = QDropEvent(QPointF(600, 400), action, mime, LEFT, NONE)
    QApplication.sendEvent(page, event)
    return event.isAccepted()


def test_the_page_reads_what_the_verb_itself_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = HealthRequest((write_pack(tmp_path / "pack.csv"),), tmp_path, "chen2020", 2)
    assert cli(monkeypatch, *request.words) == 0
    (tmp_path / "health.json").write_text(capsys.readouterr().out)
    judged = read_judged(tmp_path / "health.json", request)
    titles = [section.title for section in judged.sections]
    assert titles[:4] == ["Capacity", "Resistance", "Limits of the cell", "Balance of the cells"]
    assert "30.00 mOhm" in judged.sections[1].rows[0]
    assert judged.has_figures
    assert "40.0 mV" in judged.html.read_text(encoding="utf-8")


def test_a_dropped_log_is_judged_and_its_report_saved(page: HealthPage, qtbot: QtBot, tmp_path: Path) -> None:
    assert drop(page, tmp_path / "a.csv")
    click(page.form.judge)
    assert page.head.word.text() == JUDGING
    qtbot.waitUntil(lambda: page.head.word.text() == JUDGED)
    page.save_report(tmp_path / "saved")
    judged = page.controller.judged
    assert judged is not None
    assert (tmp_path / "saved.html").read_bytes() == judged.html.read_bytes()
    assert str(tmp_path / "saved.html") in page.head.text.text()


def test_what_a_log_says_is_never_markup(page: HealthPage, qtbot: QtBot, tmp_path: Path) -> None:
    drop(page, tmp_path / "a.csv")
    click(page.form.judge)
    qtbot.waitUntil(lambda: page.head.word.text() == JUDGED)
    page.set_theme(LIGHT)
    assert "a <b>sentence</b>" in page.view.toPlainText()
    assert "capacity 2.1 Ah" in page.head.text.text()


def test_what_the_user_says_reaches_the_verb(page: HealthPage, qtbot: QtBot, tmp_path: Path) -> None:
    page.form.logs.add([tmp_path / "-odd.csv", tmp_path / "nothing.csv"])
    page.form.cell.add(tmp_path / "mine.toml")
    page.form.number.setValue(3)
    page.form.columns.setText("time=1")
    page.form.sign.setCurrentIndex(1)
    click(page.form.judge)
    qtbot.waitUntil(lambda: page.head.word.text() == NOTHING)
    judged = page.controller.judged
    assert judged is not None
    words = judged.html.read_text(encoding="utf-8")
    wanted = ["--cell", f"{tmp_path / 'mine.toml'}", "--number", "3", "--columns", "time=1", "--sign", "charge"]
    assert " ".join([*wanted, "--", *map(str, page.form.logs.paths)]) in words


def test_a_judgement_is_stopped_and_leaves_no_result(page: HealthPage, qtbot: QtBot, tmp_path: Path) -> None:
    assert page.form.judge.toolTip() == ctl.NO_LOG
    drop(page, tmp_path / "endless.csv")
    click(page.form.judge)
    assert (page.form.judge.toolTip(), page.save.toolTip()) == (ctl.BUSY, ctl.BUSY)
    qtbot.waitUntil(page.form.stop.isEnabled)
    click(page.form.stop)
    qtbot.waitUntil(lambda: not page.controller.is_busy)
    assert page.controller.judged is None
    assert page.save.toolTip() == ctl.NO_RESULT


def test_failures_say_why(page: HealthPage, qtbot: QtBot, tmp_path: Path) -> None:
    failures = list["Failure"]()
    page.failed.connect(failures.append)
    drop(page, tmp_path / "bad.csv")
    click(page.form.judge)
    qtbot.waitUntil(lambda: bool(failures))
    assert "bad.csv is empty" in failures[0].sentence
    page.form.logs.remove_chosen()
    drop(page, tmp_path / "a.csv")
    click(page.form.judge)
    qtbot.waitUntil(lambda: page.controller.judged is not None)
    page.save_report(tmp_path / "report.pdf")
    assert failures[1].sentence == ctl.NO_PDF  # the fake makes none
    (tmp_path / "a.csv").touch()
    page.save_report(tmp_path / "a.csv" / "report.html")
    assert "cannot be written" in failures[2].sentence


def test_what_is_no_file_is_not_taken(page: HealthPage) -> None:
    mime = QMimeData()
    mime.setText("https://example.org/a.csv")
    mime.setUrls([QUrl("https://example.org/a.csv")])
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, LEFT, NONE)
    event.ignore()
    QApplication.sendEvent(page, event)
    assert page.form.logs.paths == ()


def test_a_pdf_is_asked_for_where_it_can_be_made(tmp_path: Path) -> None:
    words = HealthRequest((tmp_path / "a.csv",), tmp_path, with_pdf=True).words
    assert str(tmp_path / "report.pdf") in words
    assert not any(word.endswith(".pdf") for word in HealthRequest((tmp_path / "a.csv",), tmp_path).words)


def test_the_log_of_a_pack_is_asked_for_as_its_mean_cell(page: HealthPage, tmp_path: Path) -> None:
    page.form.logs.add([tmp_path / "trip.csv"])
    assert "--series" not in page.form.request.words
    page.form.pack.choose(96, 12)
    assert page.form.request.words[-6:-1] == ["--series", "96", "--parallel", "12", "--"]


def test_every_control_has_a_name(page: HealthPage) -> None:
    assert nameless(page) == []
