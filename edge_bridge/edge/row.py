"""A row: one sample of the pack, identified by the boot of the edge and a number within it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_bridge.ranges import find_ranges
from edge_bridge.row_span import RowSpan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.metrics import Scalar


@dataclass(frozen=True, slots=True)
class RowKey:
    """`boot` (64 random bits, hexadecimal) and `seq` (from 1)."""

    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """`values` by metric name at `t_ms` (UTC, of the wall clock); `live` if the row was not held back."""

    key: RowKey
    t_ms: int
    values: Mapping[str, Scalar]
    live: bool


@dataclass(frozen=True, slots=True)
class PendingRow:
    """A row without a number; the commit gives it one."""

    t_ms: int
    put_s: float
    body: str


def find_spans(keys: list[RowKey]) -> list[RowSpan]:
    """Return the fewest spans that name exactly `keys`."""
    by_boot: dict[str, list[int]] = {}
    for key in keys:
        by_boot.setdefault(key.boot, []).append(key.seq)
    return [RowSpan(boot, *rows) for boot in sorted(by_boot) for rows in find_ranges(by_boot[boot])]
