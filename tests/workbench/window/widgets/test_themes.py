from __future__ import annotations

import importlib.metadata

import pytest

from workbench.window.widgets.themes import contrast


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_installed_qt_is_one_that_keeps_none_alive() -> None:
    # PySide6 6.12.0 with Python 3.11 drops a reference to None in each void call and aborts after about 5 000
    version = tuple(int(part) for part in importlib.metadata.version("PySide6_Essentials").split(".")[:2])
    assert version < (6, 12)
