"""Run folders: each caller makes its own, even if others start at the same instant; find the newest."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from drivers.errors import RunLogError
from drivers.private_files import make_private_folder
from drivers.timestamps import format_folder_stamp

if TYPE_CHECKING:
    from pathlib import Path

MOST: Final = 100
OTHER_FOLDER: Final = "name another folder with --out"


def require_folder(path: Path, hint: str = OTHER_FOLDER) -> None:
    """Raise `RunLogError` unless `path` is a folder that can be written, or can become one; make nothing."""
    nearest = path.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    reason = "" if os.access(nearest, os.W_OK) else "Permission denied"
    if reason := reason if nearest.is_dir() else "Not a directory":
        raise RunLogError(f"cannot be written: {reason}", where=str(path), hint=hint)


def find_newest(given: Path, name: str) -> Path:
    """Return the folder of the file `name`: `given`, that of the file `given`, or the newest folder in `given`.

    Where there is none, return `given`, so that its reader can report what it lacks.
    """
    folder = given.parent if given.is_file() else given
    if (folder / name).exists():
        return folder
    found = sorted(path.parent for path in folder.glob(f"*/{name}"))  # their names begin with the time
    return found[-1] if found else given


EMULATED: Final = "emulated"  # inside a run folder: the journals of the emulated bench
NO_PATH: Final = re.compile(r"[^\w .,()+-]")  # what a name from a file may hold that a folder's name may not


def make_stamped(parent: Path, name: str = "") -> Path:
    """Make a folder with the present time in its name, `2026-03-01_120000_NAME`; raise `RunLogError`.

    `name` may come from a file: separators and other signs of a path become `_`.
    """
    stamp, plain = format_folder_stamp(datetime.now(UTC)), NO_PATH.sub("_", name)
    return make_fresh_folder(parent, f"{stamp}_{plain}" if plain else stamp)


def make_fresh_folder(parent: Path, name: str) -> Path:
    """Make `parent/name`, or the first of `name_1`, `name_2` ... that is free; raise `RunLogError`."""
    for number in range(MOST):
        folder = parent / (f"{name}_{number}" if number else name)
        try:
            make_private_folder(folder, exist_ok=False)
        except FileExistsError:
            continue
        except OSError as error:
            raise RunLogError(f"cannot be written: {error.strerror}", where=str(parent), hint=OTHER_FOLDER) from error
        return folder
    raise RunLogError(
        f"contains every name from {name} to {name}_{MOST - 1}",
        where=str(parent),
        hint=OTHER_FOLDER,
    )
