"""Shadow and promotion: the newest result, the first gate that does not hold, and what a promotion keeps."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import Qt

from tests.workbench.hands import click
from workbench.window.control_page import promotion_controller as ctl
from workbench.window.control_page.gate_table import HEADS, REASON, RESULT
from workbench.window.control_page.judge_controller import JudgeController
from workbench.window.control_page.promotion_controller import PromotionController
from workbench.window.control_page.promotion_files import FAILS, HOLDS, NOT_RUN, SHORTENED, find_results
from workbench.window.control_page.promotion_view import NO_JUDGEMENT, NO_SHADOW, PromotionView
from workbench.window.widgets.themes import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from workbench.session.actions import Failure
    from workbench.window.tasks.background import Background

POLICY = b"a policy"
FAKE = Path(__file__).with_name("fake_judge.py")


def fake_command(*words: str) -> list[str]:
    return [sys.executable, str(FAKE), *words]


HELD = {"name": "golden vectors", "is_passed": True, "evidence": "32 vectors", "reason": "", "is_shortened": False}
FAILED = {**HELD, "name": "interventions", "is_passed": False, "evidence": "7 %", "reason": "it relies on the shield"}
SHORT = {**HELD, "name": "no violation", "is_shortened": True}
SKIPPED = {**HELD, "name": "freeze", "is_passed": None, "evidence": "not run", "reason": "an earlier gate failed"}


def result(*gates: dict[str, Any], verdict: str = "refused", **changes: Any) -> dict[str, Any]:
    content = {
        "schema": "pulsebms.promotion/1",
        "version": "0",
        "verdict": verdict,
        "policy": {"sha256": hashlib.sha256(POLICY).hexdigest(), "algorithm": "sac", "seed": 2},
        "task": {"name": "arbitrage", "sha256": "0"},
        "cell": {"name": "Chen2020", "sha256": "0"},
        "rules": {"version": 1, "sha256": "0"},
        "gates": list(gates),
    }
    return content | changes


def write(root: Path, name: str, content: object, age_s: float = 0.0) -> Path:
    path = root / ctl.RESULTS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    made_s = path.stat().st_mtime - age_s
    os.utime(path, (made_s, made_s))
    return path


@pytest.fixture
def make_view(qtbot: QtBot, background: Background, tmp_path: Path) -> Callable[[], PromotionView]:
    def made() -> PromotionView:
        view = PromotionView(
            PromotionController(background, tmp_path), JudgeController(background, tmp_path, fake_command), DARK
        )
        qtbot.addWidget(view)
        view.resize(1200, 700)
        view.show()
        return view

    return made


def test_without_a_result_the_view_says_what_would_fill_it(make_view: Callable[[], PromotionView]) -> None:
    view = make_view()
    assert (view.promote.isEnabled(), view.promote.toolTip()) == (False, ctl.NO_RESULT)
    assert view.judge.text() == NO_JUDGEMENT
    assert view.judge.isVisible()
    assert not view.table.isVisible()
    assert view.plot.canvas.empty == NO_SHADOW


CASES = {
    "interventions": ((HELD, FAILED, SKIPPED), [HOLDS, FAILS, NOT_RUN]),
    "no violation": ((HELD, SHORT), [HOLDS, SHORTENED]),
    "freeze": ((SKIPPED, FAILED), [NOT_RUN, FAILS]),
}


@pytest.mark.parametrize("first", CASES)
def test_the_button_names_the_first_gate_that_does_not_hold(
    make_view: Callable[[], PromotionView], qtbot: QtBot, tmp_path: Path, first: str
) -> None:
    gates, words = CASES[first]
    write(tmp_path, "promotion.json", result(*gates))
    view = make_view()
    qtbot.waitUntil(view.table.isVisible)
    assert not view.promote.isEnabled()
    assert first in view.promote.toolTip()
    assert [gate.word for gate in view.table.gates.rows] == words
    assert not view.judge.isVisible()


def test_a_verdict_that_is_no_promotion_keeps_the_button_grey(
    make_view: Callable[[], PromotionView], qtbot: QtBot, tmp_path: Path
) -> None:
    write(tmp_path, "promotion.json", result(HELD, verdict="not judged"))
    view = make_view()
    qtbot.waitUntil(view.table.isVisible)
    assert not view.promote.isEnabled()
    assert "not judged" in view.promote.toolTip()


def test_a_promotion_asks_and_keeps_the_policy_with_its_result(
    make_view: Callable[[], PromotionView], qtbot: QtBot, tmp_path: Path
) -> None:
    write(tmp_path, "promotion.json", result(HELD, verdict="promoted"))
    for name, content in (("a", b"another"), ("b", POLICY)):
        (tmp_path / "trainings" / name).mkdir(parents=True)
        (tmp_path / "trainings" / name / "policy.onnx").write_bytes(content)
    view, asked, kept = make_view(), list[Any](), list[Any]()

    def answer(title: str, sentence: str, word: str, run: Callable[[], None]) -> None:
        del title, sentence, word
        asked.append(run)

    view.question_wanted.connect(answer)
    view.controller.promoted.connect(kept.append)
    qtbot.waitUntil(view.promote.isEnabled)
    click(view.promote)
    assert len(asked) == 1
    assert kept == []
    asked[0]()
    qtbot.waitUntil(lambda: bool(kept))
    assert kept[0].read_bytes() == POLICY
    assert json.loads(kept[0].with_suffix(".json").read_text())["verdict"] == "promoted"
    assert str(kept[0]) in view.kept.command.text()
    assert view.kept.isVisible()


def test_a_policy_that_is_not_there_cannot_be_promoted(
    make_view: Callable[[], PromotionView], qtbot: QtBot, tmp_path: Path
) -> None:
    write(tmp_path, "promotion.json", result(HELD, verdict="promoted"))
    view, failures = make_view(), list["Failure"]()
    view.controller.failed.connect(failures.append)
    qtbot.waitUntil(view.promote.isEnabled)
    view.controller.promote()
    qtbot.waitUntil(lambda: bool(failures))
    assert hashlib.sha256(POLICY).hexdigest()[:12] in failures[0].sentence
    assert view.promote.isEnabled()


def test_the_newest_result_counts_and_another_version_is_named(tmp_path: Path) -> None:
    write(tmp_path, "old/promotion.json", result(FAILED), age_s=100.0)
    write(tmp_path, "new/promotion.json", result(HELD, verdict="promoted"), age_s=50.0)
    newest = find_results((tmp_path,))
    assert newest.promotion is not None
    assert newest.promotion.verdict == "promoted"
    assert newest.trouble == ""
    other = write(tmp_path, "other/promotion.json", result(HELD, schema="pulsebms.promotion/2"))
    assert find_results((tmp_path,)).promotion == newest.promotion
    assert str(other) in find_results((tmp_path,)).trouble


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "pulsebms.promotion/1"}', result("gate")])  # type: ignore[arg-type]
def test_a_file_that_is_not_whole_is_named(tmp_path: Path, content: object) -> None:
    path = write(tmp_path, "promotion.json", content)
    found = find_results((tmp_path,))
    assert found.promotion is None
    assert str(path) in found.trouble


def test_the_score_in_the_shadow_is_what_the_candidate_costs_more(
    make_view: Callable[[], PromotionView], qtbot: QtBot, tmp_path: Path
) -> None:
    runs = [
        {"active": {"cost_eur": 1.0}, "closed_loop": {"cost_eur": 1.5}, "open_loop": {"more_eur": 0.25}},
        {"active": {"cost_eur": 2.0}, "closed_loop": {"cost_eur": 1.5}, "open_loop": {"more_eur": None}},
    ]
    content = {"schema": "pulsebms.shadow/1", "task": "arbitrage", "active": "mpc", "candidate": "p.onnx", "runs": runs}
    write(tmp_path, "shadow.json", content)
    view = make_view()
    qtbot.waitUntil(lambda: bool(view.plot.canvas.lines))
    closed, opened = view.plot.canvas.lines
    assert (closed.x, closed.y) == ((1.0, 2.0), pytest.approx((0.5, -0.5)))
    assert opened.y[0] == pytest.approx(0.25)
    assert closed.colour == opened.colour, "of the candidate"
    assert closed.stroke is not opened.stroke


def test_long_evidence_wraps_and_is_not_cut(
    make_view: Callable[[], PromotionView], qtbot: QtBot, tmp_path: Path
) -> None:
    write(tmp_path, "promotion.json", result({**FAILED, "evidence": "a long sentence about it " * 12}))
    view = make_view()
    qtbot.waitUntil(view.table.isVisible)
    view.resize(600, 500)
    lines = view.table.fontMetrics().height() * 3
    qtbot.waitUntil(lambda: view.table.rowHeight(0) >= lines)
    view.set_theme(LIGHT)
    table = view.table.gates
    assert table.data(table.index(0, RESULT), Qt.ItemDataRole.DecorationRole) is not None
    assert table.data(table.index(0, REASON)) == FAILED["reason"]
    assert table.columnCount() == len(HEADS)
