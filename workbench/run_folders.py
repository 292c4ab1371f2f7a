"""The maker of run folders: each caller gets its own, even if others start at the same instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from drivers.errors import RunLogError
from drivers.private_files import make_private_folder
from drivers.timestamps import format_folder_stamp

if TYPE_CHECKING:
    from pathlib import Path

MOST: Final = 100
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
            raise RunLogError(
                f"cannot be written: {error.strerror}", where=str(parent), hint="name another folder with --out"
            ) from error
        return folder
    raise RunLogError(
        f"contains every name from {name} to {name}_{MOST - 1}",
        where=str(parent),
        hint="name another folder with --out",
    )
