"""The page on architecture: five questions with one path each, and every path that it names is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATH: Final = re.compile(r"`((?:control|drivers|edge_bridge|fixtures|twin|workbench)/[\w/.]*)`")
QUESTIONS: Final = 5


def test_each_of_five_questions_has_a_path_that_exists() -> None:
    section = PAGE.partition("## Five questions")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|") and "?" in line]
    assert len(rows) == QUESTIONS
    for row in rows:
        found = PATH.findall(row)
        assert found, row
        assert (ROOT / found[0]).is_file(), row


def test_every_path_that_the_page_names_exists() -> None:
    found = PATH.findall(PAGE)
    assert len(found) > QUESTIONS
    assert [path for path in found if not (ROOT / path).exists()] == []
