"""The Certify page: cases are picked, run and stopped."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog

from control.state import BenchState, OutputState
from drivers.errors import BenchFileError, RunLogError
from tests.workbench.hands import CTRL, NONE, click, press, write
from tests.workbench.window.certify_page.certify_scene import PARTLY, UNCHECKED, Scene
from workbench.certificates.results import Verdict
from workbench.certify.event_stream import NAME as PROGRESS_FILE
from workbench.window.certify_page.case_tree_model import NAME, VERDICT
from workbench.window.certify_page.controller import (
    BENCH_CONNECTED,
    BENCH_USED,
    NOT_RUNNING,
    NOTHING_TICKED,
    RUNNING,
    WAITS,
    CertifyStage,
)
from workbench.window.certify_page.page import KINDS, OTHER_BENCH, SECOND_BENCH
from workbench.window.certify_page.result_bar import NO_RESULT
from workbench.window.certify_page.style import RUNNING as RUNNING_CASE

if TYPE_CHECKING:
    import pytest


def test_suite_is_read_for_the_bench_of_the_session(scene: Scene) -> None:
    assert scene.fake.read_for == [(Path("/suites/bms"), Path("hil24.toml").resolve())]
    assert "hil24.toml" in scene.page.bar.bench.text()
    assert KINDS[True] in scene.page.bar.bench.text()
    assert scene.controller.cases[0].info.title in str(scene.tree(0))
    assert [scene.tree(0, below=row) for row in (0, 1)] == ["OV-01/7", "OV-01/8"]
    assert str(scene.tree(1)).startswith("HB-01")
    assert "3" in scene.page.bar.start.text()


def test_space_ticks_a_case_and_its_group_follows(scene: Scene) -> None:
    picker = scene.page.picker
    picker.show_case(scene.controller.cases[1])
    press(scene.shown, Qt.Key.Key_Space)
    assert scene.tick(0, below=1) is UNCHECKED
    assert scene.tick(0) is PARTLY
    assert "2" in scene.page.bar.start.text()
    assert not scene.shown.window.bench.board.view.paused
    scene.certify(pace=0)
    assert scene.fake.works[0].job.only == ("OV-01/7", "HB-01")


def test_all_cases_need_no_names(scene: Scene) -> None:
    scene.certify(pace=0)
    assert scene.fake.works[0].job.only == ()


def test_mouse_ticks_a_case(scene: Scene) -> None:
    view, model = scene.page.picker.view, scene.page.picker.model
    box = view.visualRect(model.index(1, NAME))
    click(view.viewport(), QPoint(box.left() + 9, box.center().y()))
    assert scene.tick(1) is UNCHECKED


def test_filter_finds_cases_and_all_and_none_act_on_what_it_shows(scene: Scene) -> None:
    press(scene.shown, Qt.Key.Key_F, CTRL)
    write(scene.page.picker.filter, "heartbeat")
    assert [case.name for case in scene.page.picker.model.visible] == ["HB-01"]
    click(scene.page.picker.none)
    assert [case.name for case in scene.page.picker.model.ticked_cases] == ["OV-01/7", "OV-01/8"]
    scene.page.picker.filter.clear()
    click(scene.page.picker.none)
    assert not scene.page.bar.start.isEnabled()
    assert scene.page.bar.start.toolTip() == NOTHING_TICKED


def test_progress_tells_how_many_the_case_under_way_and_the_time_left(scene: Scene) -> None:
    scene.certify(pace=1)
    result_bar = scene.page.result_bar
    scene.until(lambda: scene.controller.cases[0].verdict is not None)
    scene.fake.works[0].pace = 0
    scene.until(lambda: (result_bar.bar.value(), result_bar.bar.maximum()) == (1, 3))
    assert result_bar.remaining.text()
    scene.fake.works[0].pace = 1
    scene.until(lambda: "OV-01/8" in result_bar.text.text())
    scene.fake.works[0].pace = 0
    assert scene.tree(0, VERDICT, below=1) == RUNNING_CASE
    assert scene.tree(0, VERDICT, below=0) == Verdict.FAIL
    assert scene.shown.shell.rail.buttons["Certify"].text() == "1/3"
    assert result_bar.live.isVisible()


def test_ticks_and_suite_hold_still_while_it_runs(scene: Scene) -> None:
    scene.certify(pace=0)
    assert not scene.page.picker.all.isEnabled()
    assert not scene.page.bar.suites.isEnabled()
    scene.page.picker.tick_visible(on=False)
    assert len(scene.page.picker.model.ticked_cases) == 3
    assert not scene.page.bar.start.isEnabled()
    assert scene.page.bar.start.toolTip() == WAITS[CertifyStage.RUNNING]


def test_stop_ends_it_in_order_and_keeps_what_is_known(scene: Scene) -> None:
    scene.certify(pace=1)
    scene.until(lambda: scene.controller.cases[0].verdict is not None)
    scene.fake.works[0].pace = 0
    click(scene.page.bar.stop)
    assert scene.controller.stage is CertifyStage.STOPPING
    assert not scene.page.bar.stop.isEnabled()
    assert (scene.fake.works[0].job.out / "stop").exists()
    scene.until(lambda: scene.controller.result is not None)
    assert [case.verdict for case in scene.controller.cases] == [Verdict.FAIL, Verdict.BLOCKED, Verdict.BLOCKED]
    assert scene.page.bar.start.isEnabled()


def test_outputs_off_ends_the_certification_too(scene: Scene) -> None:
    scene.certify(pace=0)
    press(scene.shown, Qt.Key.Key_Period, CTRL)
    assert scene.fake.offs == 1
    assert scene.fake.works[0].stopped
    scene.until(lambda: scene.controller.result is not None)


def test_script_that_takes_its_process_along_is_an_error_and_the_page_goes_on(scene: Scene) -> None:
    scene.certify(pace=1)
    scene.until(lambda: scene.controller.cases[1].begun)
    scene.fake.works[0].pace = 0
    scene.fake.works[0].crash()
    scene.until(lambda: scene.controller.result is not None)
    assert scene.controller.cases[1].verdict is Verdict.ERROR
    scene.page.picker.show_case(scene.controller.cases[1])
    assert "exit 7" in scene.page.head.about.text()
    scene.finish()
    assert [case.verdict for case in scene.controller.cases] == [Verdict.FAIL, Verdict.FAIL, Verdict.PASS]


def test_garbage_among_the_progress_does_not_stop_the_page(scene: Scene) -> None:
    scene.certify(pace=0)
    scene.fake.works[0].lines.insert(1, {"event": "ended", "test": "nobody's"})
    scene.fake.works[0].pace = 1
    scene.until(lambda: scene.controller.result is not None)
    assert scene.controller.cases[2].verdict is Verdict.PASS
    assert PROGRESS_FILE in scene.controller.broken[0]


def test_suite_that_cannot_be_read_says_why(scene: Scene) -> None:
    scene.fake.broken = ["test_x.py: SyntaxError: invalid syntax"]
    click(scene.page.bar.again)
    scene.until(lambda: scene.controller.broken)
    assert scene.page.result_bar.text.text() == "test_x.py: SyntaxError: invalid syntax"
    assert scene.page.result_bar.word.text() == Verdict.ERROR
    assert not scene.page.bar.start.isEnabled()
    assert scene.page.bar.start.toolTip() == "test_x.py: SyntaxError: invalid syntax."


def test_an_unreadable_bench_file_is_named_once_in_full_and_nothing_is_said_of_its_instruments(scene: Scene) -> None:
    what = "is not TOML: " + " ".join(f"word{number}" for number in range(60))
    scene.fake.bench_error = error = BenchFileError(what, where="hil24.toml", line=3, hint="repair the line")
    reads = len(scene.fake.read_for)
    click(scene.page.bar.again)
    assert (scene.controller.stage, scene.controller.broken, scene.controller.cases) == (
        CertifyStage.IDLE,
        [str(error)],
        [],
    )
    assert len(scene.fake.read_for) == reads  # no process reads the suite: each of its files would fail
    text = scene.page.result_bar.text
    assert text.text() == str(error)
    scene.until(lambda: text.height() >= text.heightForWidth(text.width()) > 2 * text.fontMetrics().height())
    assert not any(kind and kind in scene.page.bar.bench.text() for kind in KINDS.values())
    assert not scene.page.bar.start.isEnabled()
    scene.fake.bench_error = None
    click(scene.page.bar.again)
    scene.until(lambda: scene.controller.cases)
    assert KINDS[True] in scene.page.bar.bench.text()
    scene.until(lambda: scene.page.result_bar.height() < 2 * text.fontMetrics().height() + 24)


def test_cases_read_for_one_bench_file_do_not_run_on_another(scene: Scene) -> None:
    scene.shown.window.show_page("Bench")
    session = scene.shown.session
    session.bench = dataclasses.replace(session.bench, file="other.toml")
    assert scene.page.why_not_start() == OTHER_BENCH
    scene.shown.window.show_page("Certify")
    scene.until(lambda: scene.controller.cases and scene.controller.stage is CertifyStage.IDLE)
    assert scene.fake.read_for[-1][1] == Path("other.toml").resolve()
    assert scene.page.why_not_start() == ""


def test_another_folder_of_cases_becomes_a_suite(scene: Scene, tmp_path: Path) -> None:
    scene.page.bar.suites.setCurrentIndex(1)
    scene.page.bar.suites.activated.emit(1)
    dialog = scene.page.bar.findChild(QFileDialog)
    assert dialog is not None
    dialog.fileSelected.emit(str(tmp_path / "mine"))
    dialog.close()
    assert scene.page.bar.suites.currentText() == "mine"
    assert scene.fake.read_for[-1][0] == tmp_path / "mine"


def test_a_second_emulated_bench_starts_beside_the_one_that_is_connected(scene: Scene) -> None:
    scene.shown.session.connect()
    scene.until(lambda: scene.page.bar.start.toolTip() == SECOND_BENCH)
    assert scene.page.bar.start.isEnabled()


def test_a_real_bench_that_is_connected_here_has_its_master(scene: Scene) -> None:
    scene.controller.emulated = False
    scene.shown.session.connect()
    scene.until(lambda: not scene.page.bar.start.isEnabled())
    assert scene.page.bar.start.toolTip() == BENCH_CONNECTED
    scene.shown.window.commands.run("certify")
    assert scene.fake.works == []


def test_a_certification_keeps_this_window_away_from_its_real_bench(scene: Scene) -> None:
    scene.controller.emulated = False
    scene.certify(pace=0)
    toolbar = scene.shown.shell.toolbar
    scene.until(lambda: not toolbar.connect_.isEnabled())
    assert BENCH_USED in toolbar.connect_.toolTip()
    assert toolbar.badge.word.text() == OutputState.UNKNOWN.value
    scene.shown.window.commands.run("connect")
    assert scene.shown.session.status.state is BenchState.DISCONNECTED
    scene.controller.stop()
    scene.until(toolbar.connect_.isEnabled)


def test_certification_that_cannot_start_says_why(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise RunLogError("cannot be written: Permission denied", where="/nowhere", hint="use --out")

    monkeypatch.setattr(scene.fake, "start", refused)
    click(scene.page.bar.start)
    failure = scene.shown.window.notices.failure
    assert failure.sentence.text() == "/nowhere cannot be written: Permission denied."
    assert failure.hint.text() == "Use --out."
    assert scene.controller.stage is CertifyStage.IDLE


def test_a_person_who_looks_elsewhere_is_not_led_back(scene: Scene) -> None:
    scene.certify(pace=0)
    scene.page.picker.show_case(scene.controller.cases[2])
    scene.fake.works[0].pace = 50
    scene.until(lambda: scene.controller.result is not None)
    assert scene.page.head.name.text().startswith("HB-01")


def test_quitting_asks_while_a_certification_is_on(scene: Scene) -> None:
    scene.certify(pace=0)
    scene.shown.window.ask_quit()
    assert not scene.fake.works[0].stopped
    scene.shown.shell.leave()
    assert scene.fake.works[0].done
    assert (scene.fake.works[0].job.out / "certificate.json").is_file()


def test_every_command_is_in_the_palette_and_greys_with_a_reason(scene: Scene) -> None:
    commands = {one.name: one for one in scene.shown.window.commands.list() if one.name.split()[0] == "certify"}
    assert len(commands) == 13
    assert commands["certify stop"].why_not() == NOT_RUNNING
    assert commands["certify report"].why_not() == NO_RESULT
    press(scene.shown, Qt.Key.Key_F6, NONE)
    assert scene.controller.on
    assert commands["certify stop"].why_not() == ""
    assert commands["certify suite"].why_not() == RUNNING


def test_page_follows_the_theme(scene: Scene) -> None:
    scene.finish()
    scene.shown.window.switch_theme()
    index = scene.page.picker.model.index(0, VERDICT)
    assert index.data(Qt.ItemDataRole.ForegroundRole).name() == scene.shown.shell.theme.fail
    assert scene.page.case_plots.plots[0].canvas.theme is scene.shown.shell.theme


def test_page_fits_a_laptop(scene: Scene) -> None:
    scene.finish()
    assert scene.shown.shell.minimumSizeHint().width() <= 1366
    assert scene.shown.shell.minimumSizeHint().height() <= 768
