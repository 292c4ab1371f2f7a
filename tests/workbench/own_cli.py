"""The command line in this process, as `main.py` starts it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import workbench.cli

if TYPE_CHECKING:
    import pytest


def cli(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run a verb in this process; return its exit status."""
    monkeypatch.setattr(sys, "argv", ["main.py", *arguments])
    return workbench.cli.main()
