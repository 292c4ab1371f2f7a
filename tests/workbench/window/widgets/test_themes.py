from __future__ import annotations

import importlib.metadata

import pytest

from workbench.window.widgets.themes import DARK, LIGHT, Theme, contrast, lane_colour

GRAPHICS = 3.0  # WCAG 2 for graphics and large text
TEXT = 4.5


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("key", ["blue", "orange", "green", "pink", "vermilion", "yellow", "amber"])
def test_lane_colours_stand_out_from_both_grounds(theme: Theme, key: str) -> None:
    colour = str(getattr(theme, key))
    assert contrast(colour, theme.background) >= GRAPHICS
    assert contrast(colour, theme.panel) >= GRAPHICS


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_text_is_legible(theme: Theme) -> None:
    assert contrast(theme.text, theme.panel) >= 7.0
    assert contrast(theme.muted, theme.panel) >= TEXT
    assert contrast("#ffffff", theme.red) >= TEXT


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("role", ["twin", "estimator", "controller"])
def test_lanes_of_a_role_differ_in_colour(role: str) -> None:
    assert len({lane_colour(role, position) for position in range(4)}) == 4


def test_red_is_no_lane_colour() -> None:
    keys = {lane_colour(role, n) for role in ("twin", "estimator", "controller") for n in range(6)}
    assert "red" not in keys


def test_installed_qt_is_one_that_keeps_none_alive() -> None:
    # PySide6 6.12.0 with Python 3.11 drops a reference to None in each void call and aborts after about 5 000
    version = tuple(int(part) for part in importlib.metadata.version("PySide6_Essentials").split(".")[:2])
    assert version < (6, 12)
