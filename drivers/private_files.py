"""Folders and files that only their owner may enter, read or write, whatever the umask: 0700 and 0600.

Records, state and shared memory of a bench decide what a session does and what counts as evidence. On Windows the
folder of the user decides.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path
    from typing import BinaryIO

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600


def make_private_folder(folder: Path, *, exist_ok: bool = True) -> None:
    """Make a folder for its owner alone, its parents as usual; keep the mode of one that exists. Raise `OSError`."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=exist_ok)


def open_private(path: Path, mode: str) -> BinaryIO:
    """Open a binary file as `Path.open` does; a new one is for its owner alone. Raise `OSError`."""
    return open(path, mode, opener=_open)  # type: ignore[return-value]  # `Path.open` has no opener


def open_private_unbuffered(path: Path, mode: str) -> FileIO:
    """Open as `open_private` does, without a buffer."""
    return open(path, mode, buffering=0, opener=_open)  # type: ignore[return-value]  # as above


def close_to_others(path: Path) -> None:
    """Take a file that another library made from everybody but its owner; files that SQLite adds get its mode."""
    with suppress(OSError):  # another user's, or gone
        path.chmod(FILE_MODE)


def _open(path: str, flags: int) -> int:
    return os.open(path, flags, FILE_MODE)
