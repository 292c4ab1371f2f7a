"""What an outbox holds, and what its gap rows name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_bridge.edge.outbox import IN_FLIGHT
from edge_bridge.edge.row import RowKey
from edge_bridge.metrics import GAP_BOOT, GAP_FIRST, GAP_LAST

if TYPE_CHECKING:
    from edge_bridge.edge.outbox import Outbox
    from edge_bridge.edge.row import OutboxRow

BOOT, NEXT = "00000000000000aa", "00000000000000bb"


def everything(outbox: Outbox) -> list[OutboxRow]:
    """All rows that wait."""
    outbox.mark_unsent()
    rows = outbox.due(IN_FLIGHT, 0.0)
    assert len(rows) == outbox.depth
    return rows


def gaps(rows: list[OutboxRow]) -> set[RowKey]:
    named: set[RowKey] = set()
    for row in rows:
        if GAP_BOOT in row.values:
            boot, first, last = (row.values[name] for name in (GAP_BOOT, GAP_FIRST, GAP_LAST))
            assert isinstance(boot, str)
            assert isinstance(first, int)
            assert isinstance(last, int)
            named |= {RowKey(boot, seq) for seq in range(first, last + 1)}
    return named
