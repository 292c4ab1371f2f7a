"""The page runs `shadow` and `promote`: watched, stopped without a half file, failed, and what they leave."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.workbench.hands import click, nameless
from workbench.window.control_page import judge_controller as ctl
from workbench.window.control_page.controller_choice import NAMES, OTHER, name_policy
from workbench.window.control_page.judge_controller import JudgeController, list_shipped_policies
from workbench.window.control_page.judge_task import JudgeProgress, ShadowRequest, find_fraction
from workbench.window.control_page.promotion_controller import PromotionController
from workbench.window.control_page.promotion_view import IN_SHADOW, JUDGING, NO_GATE_YET, UNDER_WAY, PromotionView
from workbench.window.widgets.themes import DARK

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from workbench.session.actions import Failure
    from workbench.window.tasks.background import Background

FAKE = Path(__file__).with_name("fake_judge.py")
ENDLESS, REFUSED = 9, 13  # as the fake takes them


def fake_command(*words: str) -> list[str]:
    return [sys.executable, str(FAKE), *words]


@pytest.fixture
def view(qtbot: QtBot, background: Background, tmp_path: Path) -> PromotionView:
    judging = JudgeController(background, tmp_path, fake_command)
    made = PromotionView(PromotionController(background, tmp_path), judging, DARK)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    return made


def list_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_shadow_is_run_and_its_score_drawn(view: PromotionView, qtbot: QtBot, tmp_path: Path) -> None:
    view.form.days.setValue(1)
    click(view.form.shadow)
    assert view.judging.word == ShadowRequest.word
    assert (view.form.shadow.isEnabled(), view.form.shadow.toolTip()) == (False, ctl.BUSY)
    assert view.head.word.text() == IN_SHADOW
    qtbot.waitUntil(lambda: bool(view.plot.canvas.lines))
    assert view.plot.canvas.lines[0].y == pytest.approx((0.5,))
    assert list_files(tmp_path) == ["shadow.json"]
    assert view.judging.word == ""


def test_gates_appear_as_they_are_judged_and_the_button_names_the_first_open_one(
    view: PromotionView, qtbot: QtBot, tmp_path: Path
) -> None:
    view.form.episodes.setValue(ENDLESS)
    click(view.form.judge)
    assert view.head.word.text() == JUDGING
    assert view.promote.toolTip() == UNDER_WAY
    assert view.judge.text() == NO_GATE_YET
    qtbot.waitUntil(lambda: len(view.table.gates.rows) > 1)
    assert view.table.isVisible()
    assert not view.promote.isEnabled()
    assert "'interventions' does not hold: it relies on the shield" in view.promote.toolTip()
    click(view.form.stop)
    assert view.judging.why_not_stop() == ctl.STOPPING
    qtbot.waitUntil(lambda: not view.judging.is_busy)
    assert list_files(tmp_path) == [], "a judgement that was stopped leaves nothing"
    assert view.table.gates.rows == []


def test_a_judgement_that_ends_is_shown_as_the_newest_result(view: PromotionView, qtbot: QtBot, tmp_path: Path) -> None:
    view.form.episodes.setValue(1)
    view.form.candidate.add(tmp_path / "mine.onnx")
    click(view.form.judge)
    qtbot.waitUntil(lambda: view.head.word.text() == "REFUSED")
    record = view.controller.results.promotion
    assert record is not None
    assert record.policy.startswith("MINE")
    assert "promote_mine" in record.file.parent.name
    assert len(view.table.gates.rows) == len(record.gates)


def test_a_shadow_that_is_stopped_leaves_no_half_report(view: PromotionView, qtbot: QtBot, tmp_path: Path) -> None:
    view.form.days.setValue(ENDLESS)
    click(view.form.shadow)
    qtbot.waitUntil(lambda: "day 1 of" in view.head.text.text())
    click(view.form.stop)
    qtbot.waitUntil(lambda: not view.judging.is_busy)
    assert list_files(tmp_path) == []


@pytest.mark.parametrize("verb", ["shadow", "judge"])
def test_what_fails_says_why_in_the_words_of_the_verb(view: PromotionView, qtbot: QtBot, verb: str) -> None:
    failures = list["Failure"]()
    view.judging.failed.connect(failures.append)
    view.form.days.setValue(REFUSED)
    view.form.episodes.setValue(REFUSED)
    click(getattr(view.form, verb))
    qtbot.waitUntil(lambda: bool(failures))
    assert "there is no controller 'nobody'" in failures[0].sentence
    assert view.judging.why_not_stop() == ctl.NOT_BUSY


def test_closing_the_window_ends_the_verb(
    view: PromotionView, qtbot: QtBot, background: Background, tmp_path: Path
) -> None:
    view.form.episodes.setValue(ENDLESS)
    click(view.form.judge)
    qtbot.waitUntil(lambda: len(view.table.gates.rows) > 1)
    assert background.at_close == ctl.AT_CLOSE
    background.close()
    qtbot.waitUntil(lambda: list_files(tmp_path) == [])


def test_what_cannot_be_started_says_why(view: PromotionView, background: Background) -> None:
    form = view.form
    form.candidate.choose("rule")
    assert (form.judge.isEnabled(), form.judge.toolTip()) == (False, ctl.NO_POLICY)
    assert form.shadow.isEnabled()
    form.active.choose("rule")
    assert (form.shadow.isEnabled(), form.shadow.toolTip()) == (False, ctl.SAME)
    assert JudgeController(background, None).why_not_judge("a.onnx") != ""


def test_trained_policies_come_first_then_the_shipped_ones_and_the_names(view: PromotionView, tmp_path: Path) -> None:
    trained = tmp_path / "trainings" / "2026-01-01_000000_arbitrage_sac" / "seed_3" / "policy.onnx"
    view.offer_policies([trained])
    view.offer_policies([trained])
    choice = view.form.candidate
    texts = [choice.itemText(at) for at in range(choice.count())]
    shipped = [name_policy(policy) for policy in list_shipped_policies()]
    assert texts == ["arbitrage_sac, seed 3", *shipped, *NAMES, OTHER]
    assert shipped
    assert choice.value == str(trained)
    choice.add(tmp_path / "mine.onnx")
    view.offer_policies([tmp_path / "newer.onnx"])
    assert choice.value == str(tmp_path / "mine.onnx"), "what the user chose stays"


def test_results_go_where_the_user_chose(view: PromotionView, qtbot: QtBot, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    view.form.folder_wanted.emit(other)
    view.form.episodes.setValue(1)
    click(view.form.judge)
    qtbot.waitUntil(lambda: view.head.word.text() == "REFUSED")
    record = view.controller.results.promotion
    assert record is not None
    assert record.file.is_relative_to(other)


def test_a_whole_judgement_moves_on_through_its_stages() -> None:
    progress = JudgeProgress()
    lines = ["", "fast environment with the shield: 3000 of 3000 episodes"]
    lines += [f"trouble {kind} on DFN: {done} of 100 episodes" for kind in range(5) for done in (50, 100)]
    lines += ["cost beside mpc: 50 of 100 days", "cost beside mpc: 100 of 100 days"]
    fractions = [progress.find_fraction(line) for line in lines]
    assert fractions[0] is None
    known = [fraction for fraction in fractions if fraction is not None]
    assert known == sorted(known)
    assert (known[0], known[-1]) == (pytest.approx(0.02), pytest.approx(1.0))
    assert find_fraction("day 3 of 4") == 0.75
    assert find_fraction("no number") is None


def test_every_control_has_a_name(view: PromotionView) -> None:
    assert nameless(view) == []
