"""The Certify page: what came out is read, opened and taken further."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices

from tests.workbench.hands import click, key, move, press
from tests.workbench.window.certify_page.certify_scene import Scene, give
from workbench.certificates.certificate import result_words
from workbench.certificates.decoder import read_certificate
from workbench.certificates.results import Verdict
from workbench.certify import certificate
from workbench.window.certify_page import style
from workbench.window.certify_page.case_tree_model import NAME, VERDICT
from workbench.window.certify_page.controller import CERTIFICATE_SHOWN
from workbench.window.certify_page.model import NOT_PASSED


def test_verdicts_are_words_and_symbols_and_never_red(scene: Scene) -> None:
    scene.finish()
    model, theme = scene.page.picker.model, scene.shown.shell.theme
    index = model.index(0, VERDICT, model.index(0, NAME))
    assert index.data() == Verdict.FAIL
    assert not index.data(Qt.ItemDataRole.DecorationRole).isNull()
    assert index.data(Qt.ItemDataRole.ForegroundRole).name() == theme.fail != theme.red
    assert str(scene.tree(0, VERDICT)).startswith("0 ")
    assert scene.tree(1, VERDICT) == Verdict.PASS


def test_what_failed_first_opens_at_its_instant(scene: Scene) -> None:
    scene.finish()
    page = scene.page
    scene.until(lambda: page.case_plots.plots)
    chosen = page.checks.selected_check
    assert chosen is not None
    assert (chosen.name, chosen.verdict) == ("limit to contact", Verdict.FAIL)
    assert chosen.at_s is not None
    assert chosen.value is not None
    axis = page.case_plots.axis
    assert axis.mark_s == chosen.at_s
    assert axis.right_s - axis.span_s < chosen.at_s < axis.right_s
    since_s = chosen.at_s - 1e-3 * chosen.value
    assert axis.window == pytest.approx((since_s + 0.100, since_s + 0.160))


def test_checks_tell_value_uncertainty_limits_unit_and_reason(scene: Scene) -> None:
    scene.finish()
    model = scene.page.checks.checks
    at = next(row for row, check in enumerate(model.rows) if check.name == "limit to contact")
    texts = [model.index(at, column).data() for column in range(model.columnCount())]
    value, spread = str(texts[2]).split(" ± ")
    assert 190.0 < float(value) < 240.0
    assert 0.0 < float(spread) < 30.0
    assert (texts[0], texts[3:]) == (Verdict.FAIL, ["100.0 … 160.0", "ms", model.rows[at].reason])
    assert model.rows[at].reason


def test_plots_show_the_device_limit_and_hover_reads_them_all(scene: Scene) -> None:
    scene.finish()
    strips = scene.page.case_plots
    scene.until(lambda: [plot.spec.title for plot in strips.plots] == ["cell_07/voltage", "io/contactor", "bms/fault"])
    plot = strips.plots[0]
    assert [(limit.level, limit.device) for limit in plot.area.limits] == [(2.8, True), (4.25, True)]
    scene.until(lambda: plot.header.entries and plot.canvas.scale is not None)
    assert plot.canvas.scale is not None
    assert plot.canvas.scale.low < 4.25 < plot.canvas.scale.high
    place = plot.canvas.mapTo(plot, QPoint(round(plot.canvas.x_of(0.02)), plot.canvas.area.center().y()))
    move(plot, place)
    scene.until(lambda: "0.0" in plot.header.word)
    volts = float(plot.header.entries[0].value.split()[0])
    assert volts < 4.0  # at rest
    contactor = strips.plots[1]
    scene.until(lambda: contactor.header.entries[0].value == contactor.spec.display.text(1.0))
    key(plot, Qt.Key.Key_Right)
    assert strips.axis.right_s > 0.6


def test_check_without_an_instant_shows_the_whole_case(scene: Scene) -> None:
    scene.finish()
    scene.until(lambda: scene.page.case_plots.plots)
    scene.page.checks.selectRow(0)
    axis = scene.page.case_plots.axis
    assert axis.mark_s is None
    assert axis.right_s - axis.span_s <= 0.0
    assert axis.right_s >= 0.5


def test_next_check_that_did_not_pass_goes_on_to_the_next_case(scene: Scene) -> None:
    scene.finish()
    assert scene.page.head.name.text().startswith("OV-01/7")
    press(scene.shown, Qt.Key.Key_F8)
    assert scene.page.head.name.text().startswith("OV-01/8")
    assert scene.page.checks.selected_check is not None
    assert scene.page.checks.selected_check.verdict is Verdict.FAIL


def test_result_tells_counts_class_and_folder_and_opens_the_report(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def take(url: QUrl) -> bool:
        opened.append(Path(url.toLocalFile()))
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", take)
    scene.finish()
    outcome, folder = scene.page.result_bar, scene.fake.works[0].job.out
    assert outcome.word.text() == result_words(passed=False, not_judged=0)
    counts = read_certificate(folder).counts
    assert counts[Verdict.FAIL] == 2
    assert all(fact in outcome.text.text() for fact in (style.format_counts(counts), "SIM", folder.name))
    click(outcome.report)
    click(outcome.folder)
    assert opened == [folder / "report.html", folder]
    assert opened[0].is_file()
    assert not outcome.bundle.isEnabled()
    assert outcome.bundle.toolTip() == NOT_PASSED


def test_nothing_that_opens_a_report_is_said(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", partial(give, None))
    scene.finish()
    click(scene.page.result_bar.report)
    assert "report.html" in scene.shown.window.notices.failure.sentence.text()


def test_what_passed_leads_to_the_bundle_page(scene: Scene) -> None:
    scene.page.picker.model.tick_only(scene.controller.cases[2:])
    scene.finish()
    assert scene.page.result_bar.word.text() == result_words(passed=True, not_judged=0)
    click(scene.page.result_bar.bundle)
    assert scene.shown.shell.page == "Bundle"


def test_a_result_says_how_many_checks_were_not_judged(scene: Scene) -> None:
    scene.page.picker.model.tick_only(scene.controller.cases[2:])
    scene.finish()
    result = scene.controller.result
    assert result is not None
    assert result.not_judged == 0
    scene.page.result_bar._show_result(replace(result, not_judged=3, counts={Verdict.PASS: 1, Verdict.NA: 2}))  # pyright: ignore[reportPrivateUsage]  # no other way to have one that was not judged
    assert scene.page.result_bar.word.text() == result_words(passed=True, not_judged=3)
    assert scene.page.result_bar.text.text().startswith(style.format_counts({Verdict.PASS: 1, Verdict.NA: 2}))


def test_only_what_did_not_pass_is_ticked_for_another_try(scene: Scene) -> None:
    scene.finish()
    click(scene.page.picker.again)
    assert [case.name for case in scene.page.picker.model.ticked_cases] == ["OV-01/7", "OV-01/8"]
    scene.certify(pace=0)
    scene.until(lambda: scene.controller.cases[0].verdict is None)


def test_earlier_certificate_opens_with_its_plots_and_is_left_again(scene: Scene) -> None:
    scene.finish()
    page = scene.page
    scene.until(lambda: page.certificate_list.list.count() == 1)
    assert style.format_counts({Verdict.PASS: 1, Verdict.FAIL: 2}) in page.certificate_list.list.item(0).text()
    key(page.certificate_list.list, Qt.Key.Key_Return)
    scene.until(lambda: scene.controller.shown is not None)
    assert [case.name for case in scene.controller.rows] == ["OV-01/7", "OV-01/8", "HB-01"]
    assert page.head.name.text().startswith("OV-01/7")
    assert page.checks.selected_check is not None
    assert page.checks.selected_check.name == "limit to contact"
    assert len(page.case_plots.plots) == 3
    assert scene.page.picker.model.index(0, NAME).data(Qt.ItemDataRole.CheckStateRole) is None
    assert page.bar.start.toolTip() == CERTIFICATE_SHOWN
    click(page.result_bar.back)
    assert scene.controller.shown is None
    assert page.bar.start.isEnabled()


def test_damaged_certificate_is_listed_and_says_why(scene: Scene) -> None:
    folder = scene.fake.root / "certificates" / "2026-01-01_000000_bms"
    folder.mkdir(parents=True)
    (folder / "certificate.json").write_text('{"schema": 3}')
    scene.controller.look()
    scene.until(lambda: scene.page.certificate_list.list.count() == 1)
    assert folder.name in scene.page.certificate_list.list.item(0).text()
    assert scene.controller.past[0].detail
    scene.page.certificate_list.open_selected()
    scene.until(scene.shown.window.notices.failure.isVisible)
    assert str(folder) in scene.shown.window.notices.failure.sentence.text()
    assert scene.controller.shown is None


def test_report_that_cannot_be_written_is_said_and_the_verdicts_stay(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(certificate, "write", full)
    scene.finish()
    assert "No space left on device" in scene.page.result_bar.text.text()
    assert not scene.page.result_bar.report.isEnabled()
    assert scene.controller.cases[0].verdict is Verdict.FAIL
    assert scene.page.bar.start.isEnabled()
