"""The rows that were sent and are not acknowledged yet: each is due again later, and ever later."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_bridge.edge.row import RowKey

MAX_REMEMBERED: Final = 10_000  # rows that were sent in vain


class RowsInFlight:
    """The rows in flight; times in s of a monotonic clock."""

    def __init__(self, resend_s: float, max_resend_s: float) -> None:
        """A row is due again after `resend_s`, then after twice as long each time, up to `max_resend_s`."""
        self._resend_s, self._max_resend_s = resend_s, max_resend_s
        self._due_s: dict[RowKey, float] = {}
        self._tries: OrderedDict[RowKey, int] = OrderedDict()  # of rows that were sent, also in vain

    def __len__(self) -> int:
        return len(self._due_s)

    def __contains__(self, key: RowKey) -> bool:
        return key in self._due_s

    def expire(self, now_s: float) -> int:
        """Drop the rows that were not acknowledged in time: they are due again. Return how many."""
        before = len(self._due_s)
        self._due_s = {key: due_s for key, due_s in self._due_s.items() if due_s > now_s}
        return before - len(self._due_s)

    def add(self, key: RowKey, now_s: float) -> None:
        """Add a row that was sent."""
        tries = self._tries.pop(key, 0)
        self._due_s[key] = now_s + min(self._resend_s * 2**tries, self._max_resend_s)
        self._tries[key] = min(tries + 1, 16)
        while len(self._tries) > MAX_REMEMBERED:
            self._tries.popitem(last=False)

    def remove(self, keys: Iterable[RowKey]) -> None:
        """Remove rows that are not in the outbox any more."""
        for key in keys:
            self._due_s.pop(key, None)
            self._tries.pop(key, None)

    def clear(self) -> None:
        """Make all rows due now, as if none had been sent."""
        self._due_s.clear()
        self._tries.clear()
