"""What a dropped or chosen file is: a log, a run, a cell file or a list of tests."""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import Usage

if TYPE_CHECKING:
    from pathlib import Path

RUN_FILE: Final = "run.json"
_HINT: Final = "drop a log, the folder of a run, a cell file or a list of tests"


class DroppedKind(StrEnum):
    """What the Twin page does with a file."""

    LOG = "log"
    RUN = "run"
    CELL = "cell"
    TESTS = "tests"


def find_kind(path: Path) -> DroppedKind:
    """Return what a file or folder is; raise `Usage` for a folder without a run, or a TOML file of another kind."""
    if path.is_dir():
        if (path / RUN_FILE).is_file():
            return DroppedKind.RUN
        raise Usage("is a folder without a run", where=str(path), bound=RUN_FILE, hint=_HINT)
    if path.suffix.lower() != ".toml":
        return DroppedKind.LOG
    values = _read_toml(path)
    if "test" in values:
        return DroppedKind.TESTS
    if str(values.get("schema", "")).startswith("pulsebms.cell/"):
        return DroppedKind.CELL
    raise Usage("is neither a cell file nor a list of tests", where=str(path), bound="pulsebms.cell/2", hint=_HINT)


def find_cell_name(tests: Path) -> str:
    """Return the name of the cell of a list of tests as that of a file; the list's own where it names none."""
    try:
        name = str(_read_toml(tests).get("cell", {}).get("name", ""))
    except (Usage, AttributeError):  # the fit says what is wrong with it
        name = ""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or tests.stem


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Usage(f"cannot be read: {error}", where=str(path), hint=_HINT) from None
