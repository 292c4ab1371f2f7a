"""The download of a bundle in pieces: keep what arrived without a hole, also across restarts of edge or fleet."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from drivers.private_files import open_private
from drivers.state_file import DamagedFile, MissingFile, read_state, read_text, read_whole, remove, write_state

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.edge.node import Piece


class Download:
    """`sha256` and `size` of the desired bundle (empty: none), and how many bytes of it are `received`.

    `notice` says why an earlier download is lost, empty if it is not.
    """

    def __init__(self, folder: Path) -> None:
        self._state_file, self._part_file = folder / "download.json", folder / "download.part"
        found = read_state(
            self._state_file, lambda fields: (read_text(fields, "sha256"), read_whole(fields, "size", 1))
        )
        self.notice = f"{found.sentence}; the received part was deleted" if isinstance(found, DamagedFile) else ""
        self.sha256, self.size = ("", 0) if isinstance(found, (MissingFile, DamagedFile)) else found
        if self.notice:
            self.drop()
        self.received = min(self._count_stored(), self.size)

    @property
    def is_complete(self) -> bool:
        return bool(self.sha256) and self.received == self.size

    def append(self, piece: Piece) -> None:
        """Append a piece that continues the file, ignore any other; another hash starts again. Raise `OSError`."""
        if (piece.sha256, piece.size) != (self.sha256, self.size):
            self.drop()
            write_state(self._state_file, {"sha256": piece.sha256, "size": piece.size})
            self.sha256, self.size = piece.sha256, piece.size
        if not piece.offset <= self.received < piece.offset + len(piece.chunk):
            return
        with open_private(self._part_file, "ab") as file:
            file.truncate(self.received)  # an earlier write that was cut off
            file.write(piece.chunk[self.received - piece.offset :])
        self.received = self._count_stored()

    def read(self) -> bytes | None:
        """Return the whole bundle, None if its bytes do not match its hash."""
        try:
            data = self._part_file.read_bytes()[: self.size]
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == self.sha256 else None

    def drop(self) -> None:
        """Discard what arrived."""
        remove(self._state_file)
        remove(self._part_file)
        self.sha256, self.size, self.received = "", 0, 0

    def _count_stored(self) -> int:
        return self._part_file.stat().st_size if self._part_file.is_file() else 0
