"""The rows of one batch before they are stored: each key once, the first row of a key before all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_bridge.fleet.row import StoredRow


class StagedBatch:
    """`rows` by order of arrival; `conflicts` names those that repeat a key of this batch with other content."""

    def __init__(self, rows: Iterable[StoredRow]) -> None:
        first = dict[tuple[str, str, int], "StoredRow"]()
        self.conflicts = list[tuple[str, str, int]]()
        for row in rows:
            key = (row.node, row.boot, row.seq)
            known = first.setdefault(key, row)
            if known is not row and _content(known) != _content(row):
                self.conflicts.append(key)
        self.rows = list(first.values())


def _content(row: StoredRow) -> object:
    """Return all but `historical` and `clock`, which describe how a row arrived."""
    return row.t_ms, row.gap, row.values
