"""The count of rows that a recorder has received, kept beside the ticks: what a killed run lacks can be counted.

Eight bytes in a mapped file that is allocated at the start: a full disk does not stop them, and the system writes them
even when the process is killed. The file goes when the run is sealed.
"""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from drivers.private_files import open_private
from drivers.runlog.folder import COUNT
from drivers.state_file import sync_folder

if TYPE_CHECKING:
    from pathlib import Path

_NUMBER: Final = struct.Struct("<Q")


class RowCounter:
    """The file while a run is recorded."""

    def __init__(self, folder: Path) -> None:
        """Make the file; raise `OSError`."""
        with open_private(folder / COUNT, "x+b") as file:
            file.write(bytes(_NUMBER.size))
            file.flush()
            os.fsync(file.fileno())
            self._map = mmap.mmap(file.fileno(), _NUMBER.size)
        sync_folder(folder)

    def store(self, rows: int) -> None:
        _NUMBER.pack_into(self._map, 0, rows)

    def sync(self) -> None:
        """Make the count survive a power cut."""
        self._map.flush()

    def close(self) -> None:
        self._map.close()


def read_count(folder: Path) -> int:
    """Return the rows that the recorder of an unsealed run received; 0 where that is not known."""
    with suppress(OSError, struct.error):
        return int(_NUMBER.unpack((folder / COUNT).read_bytes())[0])
    return 0


def remove_count(folder: Path) -> None:
    """Remove the file of a sealed run."""
    (folder / COUNT).unlink(missing_ok=True)
