"""A channel table as JSON rows, for persistent headers: `[name, unit, low, high]`, null for no bound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from drivers.jsonvalues import nan_to_null
from drivers.snapshot import Channel, ChannelTable

if TYPE_CHECKING:
    from collections.abc import Iterable

ChannelRow: TypeAlias = tuple[str, str, float | None, float | None]


def table_rows(table: ChannelTable) -> list[ChannelRow]:
    """Return rows in the table's order; an infinite bound becomes null, because JSON has no infinity."""
    return [(channel.name, channel.unit, nan_to_null(channel.low), nan_to_null(channel.high)) for channel in table]


def table_from(rows: Iterable[ChannelRow]) -> ChannelTable:
    """Return the table, the inverse of `table_rows`; raise `ValueError` or `TypeError` on rows of another shape."""
    return ChannelTable(
        tuple(
            Channel(str(name), str(unit), _bound(low, -math.inf), _bound(high, math.inf))
            for name, unit, low, high in rows
        )
    )


def _bound(bound: float | None, unbounded: float) -> float:
    return unbounded if bound is None else float(bound)
