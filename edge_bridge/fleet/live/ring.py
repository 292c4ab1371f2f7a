"""The newest events of a fleet, numbered without end, so that a client reads on where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_bridge.fleet.columns import COLUMN_NAMES
from edge_bridge.fleet.row_status import copy_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.store.records import NodeRecord


class RowEvent:
    """A row was received; `text` is its JSON with all columns, kept once a second client reads it."""

    __slots__ = ("is_read", "row", "text")

    def __init__(self, row: StoredRow) -> None:
        self.row = row
        self.text: bytes | None = None
        self.is_read = False

    @property
    def node(self) -> str:
        return self.row.node

    def pick(self, columns: Sequence[int] | None = None) -> list[object]:
        """Return node, boot, number, time, whether it is historical, and the values of `columns` (None: of all)."""
        row = self.row
        values = row.values if columns is None else [row.values[column] for column in columns]
        return [row.node, row.boot, row.seq, row.t_ms, row.historical, values]


class StateEvent:
    """The state of a node changed."""

    __slots__ = ("record", "text")

    def __init__(self, record: NodeRecord) -> None:
        self.record = record
        self.text: bytes | None = None

    @property
    def node(self) -> str:
        return self.record.node

    def pick(self) -> dict[str, object]:
        record = self.record
        return {
            "node": record.node,
            "online": record.online,
            "last_ms": record.last_ms,
            "status": copy_status(record.status),
        }


FleetEvent = RowEvent | StateEvent
ROW_COLUMNS = COLUMN_NAMES


class EventRing:
    """The events from `oldest` up to but without `end`; one thread uses it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._events: list[FleetEvent | None] = [None] * size
        self.oldest = self.end = 0

    def append(self, event: FleetEvent) -> None:
        self._events[self.end % self._size] = event
        self.end += 1
        if self.end - self.oldest > self._size:
            self.oldest = self.end - self._size

    def extend(self, events: Sequence[FleetEvent]) -> None:
        """Append events, at once if they do not lie around the end of the ring."""
        start, end = self.end % self._size, self.end % self._size + len(events)
        if end > self._size:
            for event in events:
                self.append(event)
            return
        self._events[start:end] = events
        self.end += len(events)
        self.oldest = max(self.oldest, self.end - self._size)

    def skip(self, count: int) -> None:
        """Number `count` events that were lost: whoever has not read what lies before them has a gap."""
        self.end += count
        self.oldest = self.end

    def read(self, first: int, end: int) -> list[FleetEvent]:
        """Return the events `first` up to but without `end`, which must be in the ring."""
        start, stop = first % self._size, first % self._size + end - first
        found = self._events[start:stop]
        if stop > self._size:
            found += self._events[: stop - self._size]
        return [event for event in found if event is not None]
