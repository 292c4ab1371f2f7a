"""Small suites of cases that a runner must survive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.session import waiting

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.certify.runner import Certification

HEAD = """
import os
from workbench.certify.case import case
"""


def suite(folder: Path, body: str) -> Path:
    """A suite of one file in `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / "test_cases.py").write_text(HEAD + body, encoding="utf-8")
    return folder


def ended(certification: Certification, within_s: float = 60.0) -> Certification:
    """The same, once it is done."""
    assert waiting.wait_for(certification, lambda: certification.done, within_s)
    return certification
