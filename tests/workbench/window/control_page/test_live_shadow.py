"""The live shadow score: both answers with their labels, in the colours of the lanes, and why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.workbench.hands import draw
from tests.workbench.plant import LANES
from workbench.window.control_page.live_shadow_view import NO_SCORE, NOT_CONNECTED, LiveShadowView
from workbench.window.control_page.page import SHADOW
from workbench.window.control_page.shadow_plots import CLOSED, OPEN
from workbench.window.plots.default_plots import list_lane_colours
from workbench.window.widgets.themes import DARK

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.workbench.conftest import Shown


@pytest.fixture
def view(running: Shown, qtbot: QtBot) -> LiveShadowView:
    running.window.show_page("Control")
    running.window.control.show_view(SHADOW)
    draw(running, qtbot)
    return running.window.control.shadow


def test_both_scores_are_drawn_in_the_colours_of_the_lanes_and_say_what_they_are(
    view: LiveShadowView, qtbot: QtBot
) -> None:
    colours = {lane.name: colour for lane, colour in list_lane_colours(LANES, "controller")}
    for plot, key, words in zip(
        view.plots, (OPEN, CLOSED), ("not what would have happened", "on a twin of its own"), strict=True
    ):
        qtbot.waitUntil(lambda plot=plot: len(plot.header.entries) > 1)
        entries = {entry.label: entry for entry in plot.header.entries if entry.label in colours}
        assert list(entries) == ["Profile", "MPC", "RL"], "CC-CV follows no duty, so it has no score"
        assert all(entry.colour == colours[name] for name, entry in entries.items())
        assert entries["Profile"].value == "0.000 mEUR"
        assert entries["MPC"].value.endswith(" mEUR")
        assert " / " in entries["RL"].note
        assert plot.spec.key == key
        assert words in plot.spec.title
    assert view.state.text() == ""


@pytest.mark.parametrize(("age_s", "words"), [(float("nan"), NO_SCORE), (12.0, "lags by")])
def test_a_missing_score_and_one_that_lags_say_so(
    running: Shown, view: LiveShadowView, qtbot: QtBot, age_s: float, words: str
) -> None:
    running.session.says |= {f"controller/{name}/shadow_age": age_s for name in ("Profile", "MPC", "RL")}
    qtbot.waitUntil(lambda: words in view.state.text())
    assert view.state.isVisible()


def test_without_a_bench_it_says_what_would_fill_it(running: Shown, qtbot: QtBot) -> None:
    view = LiveShadowView(running.window.bench, DARK)
    qtbot.addWidget(view)
    assert view.state.text() == NOT_CONNECTED
