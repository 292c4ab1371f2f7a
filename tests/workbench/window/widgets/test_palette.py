"""The palette by computation: contrast of text, controls and curves, and lanes apart for every kind of eyes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tests.workbench.plant import LANES
from tests.workbench.window.widgets.colour_vision import EYES, difference, see
from workbench.session.status import LaneInfo
from workbench.window.plots.cell_strip import fill_colour, ink_colour
from workbench.window.plots.curve import LANE_STROKES, Stroke
from workbench.window.plots.default_plots import list_lane_colours, plot_specs
from workbench.window.widgets.themes import DARK, LANE_COLOURS, LIGHT, Theme, contrast, lane_colour

TEXT, GRAPHICS = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
APART = 12.0  # CIEDE2000 between two lanes of one role
GROUNDS = ("background", "panel", "hover", "selected")
WORDS = ("text", "muted", "faint", "blue", "green", "amber", "fail", "alarm")
themes = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)


def colour(theme: Theme, key: str) -> str:
    return str(getattr(theme, key))


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("key", WORDS)
@themes
def test_words_can_be_read_on_every_ground(theme: Theme, key: str, ground: str) -> None:
    assert contrast(colour(theme, key), colour(theme, ground)) >= TEXT


@pytest.mark.parametrize("ground", ["background", "panel"])
@pytest.mark.parametrize("key", [*LANE_COLOURS, "red"])
@themes
def test_curves_and_the_off_button_stand_out(theme: Theme, key: str, ground: str) -> None:
    assert contrast(colour(theme, key), colour(theme, ground)) >= GRAPHICS


@pytest.mark.parametrize("ground", GROUNDS)
@themes
def test_the_border_of_a_control_stands_out(theme: Theme, ground: str) -> None:
    assert contrast(theme.border, colour(theme, ground)) >= GRAPHICS


@themes
def test_white_on_red_can_be_read(theme: Theme) -> None:
    assert contrast("#ffffff", theme.red) >= TEXT


@pytest.mark.parametrize("eyes", EYES)
@themes
def test_any_two_lanes_of_a_role_differ_for_all_eyes(theme: Theme, eyes: str) -> None:
    seen = {key: see(colour(theme, key), eyes) for key in LANE_COLOURS}
    close = {
        pair: round(difference(seen[pair[0]], seen[pair[1]]), 1)
        for pair in combinations(LANE_COLOURS, 2)
        if difference(seen[pair[0]], seen[pair[1]]) < APART
    }
    assert close == {}


@pytest.mark.parametrize("eyes", EYES)
@themes
def test_measured_data_differs_from_every_lane(theme: Theme, eyes: str) -> None:
    measured = see(theme.text, eyes)
    assert min(difference(measured, see(colour(theme, key), eyes)) for key in LANE_COLOURS) >= APART


def test_no_lane_is_red() -> None:
    assert not {"red", "alarm"} & set(LANE_COLOURS)


def test_lanes_of_every_role_begin_with_the_same_colours() -> None:
    assert [lane_colour(position) for position in range(6)] == list(dict.fromkeys(LANE_COLOURS))
    lanes = [LaneInfo(role, f"{role} {n}", active=False) for role in LANE_STROKES for n in range(3)]
    used = {colour for role in LANE_STROKES for _, colour in list_lane_colours(lanes, role)}
    assert len(used) <= 4  # nine lanes


def test_the_line_tells_the_role() -> None:
    assert LANE_STROKES == {"twin": Stroke.LINE, "estimator": Stroke.DASH, "controller": Stroke.DOT}
    lanes = (*LANES, LaneInfo("estimator", "UKF", active=False))
    specs = {spec.key: spec for spec in plot_specs(24, lanes)}
    strokes = {
        key: [curve.stroke for curve in specs[key].curves if curve.colour != "text" and curve.stroke is not Stroke.BAND]
        for key in ("twins", "charge", "current")
    }
    assert strokes == {"twins": [Stroke.LINE] * 3, "charge": [Stroke.DASH] * 3, "current": [Stroke.DOT] * 4}
    assert [curve.stroke for curve in specs["current"].curves if curve.colour == "text"] == [Stroke.LINE]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # Sharma, Wu and Dalal 2005, table 1
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
        ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0010), 7.1792),
        ((50.0, -0.0010, 2.4900), (50.0, 0.0010, -2.4900), 4.8045),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
        ((50.0, 2.5, 0.0), (50.0, 1.8634, 0.5757), 1.0000),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((36.4612, 47.8580, 18.3852), (36.2715, 50.5065, 21.2231), 1.4146),
        ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_is_that_of_the_published_pairs(
    one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:
    assert difference(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)


def test_the_test_sees_what_colour_blind_eyes_do_not() -> None:
    """The former palette: blue and green for tritan eyes, orange and yellow for deutan eyes."""
    assert difference(see("#56b4e9", "normal"), see("#21b184", "normal")) > 30.0
    assert difference(see("#56b4e9", "tritan"), see("#21b184", "tritan")) < APART
    assert difference(see("#b87700", "protan"), see("#8a7f00", "protan")) < 1.0


@themes
def test_numbers_on_the_cell_strip_can_be_read(theme: Theme) -> None:
    fills = [fill_colour(theme, level / 20.0) for level in range(21)]
    assert min(contrast(fill.name(), ink_colour(fill).name()) for fill in fills) >= TEXT
    assert contrast(theme.muted, theme.grid) >= TEXT  # a cell without a voltage
