"""The steps of a build or a verification, for whoever shows how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Steps: TypeAlias = Callable[[str, float], None]
"""Called as a step begins, with what it does as a sentence and the fraction of all steps that is done, 0 to 1.

An exception that it raises ends the work between two steps: nothing is written.
"""


def ignore_progress(_sentence: str, _fraction: float) -> None:
    """Nobody watches."""
