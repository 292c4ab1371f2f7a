"""A span of row numbers of one boot that will not come: evicted by the edge, or never written."""

from __future__ import annotations

from dataclasses import dataclass

from edge_bridge.metrics import GAP_BOOT, GAP_FIRST, GAP_LAST


@dataclass(frozen=True, slots=True)
class RowSpan:
    """Rows `first` to `last` of one boot."""

    boot: str
    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def values(self) -> dict[str, str | int]:
        """Return the values of a gap row."""
        return {GAP_BOOT: self.boot, GAP_FIRST: self.first, GAP_LAST: self.last}
