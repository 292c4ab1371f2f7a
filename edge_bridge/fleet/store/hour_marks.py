"""Marks of a commit for upkeep: hours whose roll-ups are no longer complete, and where their rows lie.

A mark costs a commit little: while an hour lasts, it is written once and remembered. Upkeep leaves an hour alone until
`GRACE_MS` after its end, so a remembered mark is always still there. An older hour is marked with each batch.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import insert, text

from edge_bridge.fleet.store.upkeep_tables import BLOCK_ROWS, HOUR_MS, STALE_HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from edge_bridge.fleet.row import StoredRow

GRACE_MS: Final = 600_000  # the clocks of hosts and of upkeep may differ by so much
_Block: TypeAlias = tuple[str, int, str, int]
_ADD_BLOCK: Final = text("INSERT INTO hour_block VALUES (:node, :hour, :boot, :block) ON CONFLICT DO NOTHING")


def read_wall_ms() -> int:
    """Read the wall clock in ms since 1970."""
    return time.time_ns() // 1_000_000


class HourMarks:
    """What this host has marked in hours that last."""

    def __init__(self, now_ms: Callable[[], int] = read_wall_ms) -> None:
        self._now_ms = now_ms
        self._hours, self._blocks = set[tuple[str, int]](), set[_Block]()  # blocks whose hour is marked too
        self._written: tuple[set[tuple[str, int]], set[_Block]] = (set(), set())
        self._hour: int = 0  # of the last time that hours which are over were forgotten

    def write(self, connection: Connection, rows: Iterable[StoredRow]) -> None:
        """Mark the hours of rows within their transaction, after they were inserted."""
        hours, blocks, sure = set[tuple[str, int]](), set[_Block](), set[_Block]()
        for row in rows:
            block = row.node, row.t_ms // HOUR_MS, row.boot, row.seq // BLOCK_ROWS
            if block in self._blocks:
                continue  # its hour too
            blocks.add(block)
            if not row.clock:
                sure.add(block)
                hours.add(block[:2])
        hours -= self._hours
        if blocks:
            names = ("node", "hour", "boot", "block")
            connection.execute(_ADD_BLOCK, [dict(zip(names, block, strict=True)) for block in sorted(blocks)])
        if hours:
            connection.execute(insert(STALE_HOUR), [{"node": node, "hour": hour} for node, hour in sorted(hours)])
        self._written = hours, sure

    def remember(self) -> None:
        """Remember what `write` marked, after the commit; forget the hours that are over."""
        hours, blocks = self._written
        if not (hours or blocks):
            return
        now = self._now_ms() // HOUR_MS
        if now != self._hour:
            self._hours = {key for key in self._hours if key[1] >= now}
            self._blocks = {key for key in self._blocks if key[1] >= now}
            self._hour = now
        self._hours.update(key for key in hours if key[1] >= now)
        self._blocks.update(key for key in blocks if key[1] >= now)
        self._written = set(), set()

    def clear(self) -> None:
        """Forget everything: nobody knows whether the last transaction was done, or a node was forgotten."""
        self._hours.clear()
        self._blocks.clear()
        self._written = set(), set()
