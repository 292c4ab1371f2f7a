"""A run of one marker imports the files that name it, and misses none of its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.marked_files import WRITTEN, find_needed, pytest_ignore_collect

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("expression", "needed"),
    [
        ("live and not soak", "live"),
        ("alone and not soak and not bench", "alone"),
        ("soak", "soak"),
        ("whole_bench and alone and not soak", "whole_bench"),
        ("", ""),
        ("not live", ""),
        ("not", ""),
        ("not alone and not live and not soak and not bench", ""),
        ("live or alone", ""),
        ("live and not soak or alone", ""),
        ("slow", ""),
        ("timed and not slow", ""),
    ],
)
def test_a_marker_is_needed_where_every_test_has_it(expression: str, needed: str) -> None:
    assert find_needed(expression) == needed


def test_the_markers_stand_in_the_files_of_their_tests() -> None:
    others = [path for path in TESTS.rglob("*.py") if not path.name.startswith("test_")]
    words = [f"mark.{name}" for name in WRITTEN]
    assert len(others) > 50
    assert [path.name for path in others if any(word in path.read_text(encoding="utf-8") for word in words)] == []


@pytest.mark.parametrize(
    ("name", "text", "expression", "is_ignored"),
    [
        ("test_a.py", "x = 1", "live and not soak", True),
        ("test_a.py", "pytestmark = pytest.mark.live", "live and not soak", None),
        ("test_a.py", "pytestmark = pytest.mark.live", "alone", True),
        ("test_a.py", "x = 1", "not live", None),
        ("conftest.py", "x = 1", "live", None),
        ("page.md", "x = 1", "live", None),
    ],
)
def test_a_file_without_the_marker_is_left_out(  # noqa: PLR0917  # pytest gives them by name
    name: str,
    text: str,
    expression: str,
    is_ignored: bool | None,  # noqa: FBT001  # pytest gives it by name
    tmp_path: Path,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / name
    path.write_text(text)
    monkeypatch.setattr(pytestconfig.option, "markexpr", expression)
    assert pytest_ignore_collect(path, pytestconfig) is is_ignored
