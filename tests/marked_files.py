"""Which files a run with `-m` needs: to import all of them takes half a minute, and few have a whole bench."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# always in the file of the test; hooks add the others
WRITTEN: Final = ("alone", "bench", "live", "long", "soak", "whole_bench")


def find_needed(expression: str) -> str:
    """Return the marker that every test of `expression` has, for instance of "live and not soak"; else ""."""
    found = re.fullmatch(r"(?!not )(\w+)( and (not )?\w+)*", expression.strip())
    return found[1] if found and found[1] in WRITTEN else ""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a file of tests that does not name the marker of this run."""
    needed = find_needed(config.option.markexpr)
    if not needed or collection_path.suffix != ".py" or collection_path.name == "conftest.py":
        return None
    return True if f"mark.{needed}" not in collection_path.read_text(encoding="utf-8") else None
