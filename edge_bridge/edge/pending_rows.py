"""Rows in memory that wait for the disk: bounded, and what the bound costs is counted, so that a gap can name it."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edge_bridge.edge.row import PendingRow

WAITING: Final = 10_000  # rows kept in memory while the disk accepts none
BATCH: Final = 200  # rows of one transaction


class PendingRows:
    """The rows in their order; `lost` is the number of older ones that were dropped and are not yet named in a gap."""

    def __init__(self) -> None:
        self._rows: deque[PendingRow] = deque()
        self.lost = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: PendingRow) -> None:
        """Add a row; the oldest is lost if there are more than `WAITING`."""
        self._rows.append(row)
        if len(self._rows) > WAITING:
            self._rows.popleft()
            self.lost += 1

    def list_batch(self) -> list[PendingRow]:
        """Return the oldest rows, as many as one transaction takes."""
        return list(islice(self._rows, BATCH))

    def remove(self, count: int) -> None:
        """Remove the oldest `count` rows: they are on the disk, and so is a gap that names the lost ones."""
        for _ in range(count):
            self._rows.popleft()
        self.lost = 0
