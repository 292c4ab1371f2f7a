"""A file that grows by whole pieces or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from drivers.private_files import open_private_unbuffered

if TYPE_CHECKING:
    from pathlib import Path


class RawFile(Protocol):
    """The methods needed of an unbuffered file; a write may write less than it is given."""

    def write(self, data: memoryview, /) -> int: ...

    def seek(self, at: int, /) -> int: ...

    def truncate(self) -> int: ...

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class AppendFile:
    """A file to append whole pieces: a piece cut short by a full disk is removed, so the file stays readable."""

    def __init__(self, path: Path) -> None:
        """Create the file; raise `OSError`."""
        self.path = path
        self.raw: RawFile = open_private_unbuffered(path, "xb")
        self._end = self._synced = 0

    def append(self, piece: bytes) -> None:
        """Append one piece; raise `OSError` with the file as it was before."""
        remaining = memoryview(piece)
        try:
            while remaining:
                remaining = remaining[self.raw.write(remaining) :]
        except OSError:
            self.raw.seek(self._end)
            self.raw.truncate()
            raise
        self._end += len(piece)

    def sync(self) -> None:
        """Make what was appended survive a power cut; raise `OSError`."""
        if self._end != self._synced:
            os.fsync(self.raw.fileno())
            self._synced = self._end

    def close(self) -> None:
        self.raw.close()
