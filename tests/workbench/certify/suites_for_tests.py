"""Small suites of cases that a runner must survive."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
import os
from workbench.certify.case import case
"""


def suite(folder: Path, body: str) -> Path:
    """A suite of one file in `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / "test_cases.py").write_text(HEAD + body, encoding="utf-8")
    return folder
