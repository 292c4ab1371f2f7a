"""A verb in a process of its own: its command and its environment, in a checkout and in a wheel."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_START: Final = (
    "import sys; from workbench.follow_parent import follow_parent; follow_parent(); "
    "from workbench.cli import main; sys.exit(main())"
)


def make_own_command(*words: str) -> list[str]:
    """Return the command of a verb with its options; if its stdin is a pipe, it ends when that does."""
    return [sys.executable, "-P", "-c", _START, *words]


def make_own_environment() -> dict[str, str]:
    """Return the environment in which the process imports from where this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(path).resolve()) for path in sys.path)}
