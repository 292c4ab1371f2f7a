"""Progress of a build or a verification, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Steps: TypeAlias = Callable[[str, float], None]
"""Called at the begin of each step with a sentence about it and the fraction of all steps done, 0 to 1.

An exception that it raises ends the work between two steps: nothing is written.
"""


def ignore_progress(_sentence: str, _fraction: float) -> None:
    """Do nothing: nobody shows the progress."""
