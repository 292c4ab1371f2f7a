"""The events of a session that a client keeps: the newest ones, numbered without gaps; the run folder has them all."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.event import EventRecord

MOST: Final = 20_000  # hours of a bench that has trouble; more than the window's tables show


class EventList:
    """Numbers and keeps records; the oldest go when there are more than `MOST`."""

    def __init__(self, most: int = MOST) -> None:
        self._records: deque[EventRecord] = deque(maxlen=most)
        self._added = 0

    def add(self, record: EventRecord) -> None:
        """Keep the record under the next number."""
        self._records.append(replace(record, number=self._added))
        self._added += 1

    def since(self, number: int) -> Sequence[EventRecord]:
        """Return the records from `number` on that are still kept, the oldest first."""
        first = self._added - len(self._records)
        return list(islice(self._records, max(0, number - first), None))

    def __len__(self) -> int:
        """Return how many were added."""
        return self._added
