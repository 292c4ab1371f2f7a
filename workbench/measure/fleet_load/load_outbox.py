"""The outboxes of all devices as arrays: rows that are not acknowledged, and when each is due again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_bridge.edge.outbox import MAX_RESEND_S, RESEND_S
from edge_bridge.edge.send_window import SendWindow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CAPACITY: Final = 256  # rows of one device; a full one makes no new rows
LIVE_S: Final = 2.0  # a row that is sent later than this was held back
MAX_BURST: Final = 250  # rows of one device at once


@dataclass(frozen=True, slots=True)
class DueRows:
    """Rows to send now, those of a device together and its newest first."""

    devices: NDArray[np.int64]
    numbers: NDArray[np.int64]
    t_ms: NDArray[np.int64]
    historical: NDArray[np.bool_]


class LoadOutbox:
    """Row `number` of a device lies in the column `number % CAPACITY`; times in s are monotonic.

    Each device has the window of an edge.
    """

    def __init__(self, devices: int) -> None:
        shape = devices, CAPACITY
        self.produced = np.zeros(devices, np.int64)
        self.proven_s = np.full(devices, -np.inf)  # when the newest acknowledged row was made
        self._windows, self._in_flight = [SendWindow() for _ in range(devices)], [0] * devices
        self._waits = np.zeros(shape, np.bool_)
        self._t_ms = np.zeros(shape, np.int64)
        self._made_s = np.zeros(shape)
        self._due_s = np.zeros(shape)
        self._tries = np.zeros(shape, np.int64)

    @property
    def waiting(self) -> int:
        """Return the number of rows that are not acknowledged."""
        return int(self._waits.sum())

    def make_rows(self, devices: NDArray[np.int64], t_ms: int, now_s: float) -> None:
        """Make one row of each device whose outbox has room."""
        column = (self.produced[devices] + 1) % CAPACITY
        has_room = ~self._waits[devices, column]
        devices, column = devices[has_room], column[has_room]
        self.produced[devices] += 1
        self._waits[devices, column] = True
        self._t_ms[devices, column], self._made_s[devices, column] = t_ms, now_s
        self._due_s[devices, column], self._tries[devices, column] = -np.inf, 0

    def take_due(self, devices: NDArray[np.int64], now_s: float) -> DueRows:
        """Return what is due of these devices, and note that it is sent."""
        self._note_late(devices, now_s)
        asked: list[int] = devices.tolist()
        room = np.array([self._windows[device].size - self._in_flight[device] for device in asked], np.int64)
        place, column = np.nonzero(self._waits[devices] & (self._due_s[devices] <= now_s))
        owner = devices[place]
        numbers = self.produced[owner] - (self.produced[owner] - column) % CAPACITY
        order = np.lexsort((-numbers, owner))
        owner, column, numbers, room = owner[order], column[order], numbers[order], room[place][order]
        few = count_within(owner) < np.minimum(room, MAX_BURST)
        owner, column, numbers = owner[few], column[few], numbers[few]
        wait_s = np.minimum(RESEND_S * 2.0 ** self._tries[owner, column], MAX_RESEND_S)
        self._due_s[owner, column] = now_s + wait_s
        self._tries[owner, column] += 1
        sent: tuple[list[int], list[int]] = owner.tolist(), numbers.tolist()
        for device, number in zip(*sent, strict=True):
            self._windows[device].note_sent("", number, now_s)
            self._in_flight[device] += 1
        return DueRows(owner, numbers, self._t_ms[owner, column], now_s - self._made_s[owner, column] > LIVE_S)

    def _note_late(self, devices: NDArray[np.int64], now_s: float) -> None:
        """Let the rows that were sent and not acknowledged in time be due, once."""
        due_s = self._due_s[devices]
        is_late: NDArray[np.bool_] = self._waits[devices] & (due_s <= now_s) & (due_s > -np.inf)
        places = np.flatnonzero(is_late.any(axis=1))
        late: tuple[list[int], list[int]] = devices[places].tolist(), is_late[places].sum(axis=1).tolist()
        for device, rows in zip(*late, strict=True):
            self._windows[device].note_late()
            self._in_flight[device] -= rows
            self._due_s[device, self._due_s[device] <= now_s] = -np.inf

    def mark_unsent(self, device: int) -> None:
        """Let all rows of a device be due now: the host is online again, or did not know the birth."""
        self._windows[device].restart()
        self._in_flight[device] = 0
        self._due_s[device], self._tries[device] = -np.inf, 0

    def acknowledge(self, device: int, ranges: Sequence[tuple[int, int]], now_s: float) -> list[float]:
        """Take acknowledged rows out; return how long each waited, in s, since it was made."""
        waits, made_s, waited_s = self._waits[device], self._made_s[device], list[float]()
        due_s, in_flight = self._due_s[device], self._in_flight[device]
        newest = int(self.produced[device])
        for first, last in ranges:
            for number in range(max(first, newest - CAPACITY + 1), min(last, newest) + 1):
                column = number % CAPACITY
                if waits[column]:
                    waits[column] = False
                    self._in_flight[device] -= int(due_s[column] > -np.inf)
                    waited_s.append(now_s - made_s[column])
                    self.proven_s[device] = max(self.proven_s[device], made_s[column])
        self._windows[device].note_acknowledged({"": ranges}, len(waited_s), in_flight, now_s)
        return waited_s


def count_within(owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each entry among those of the same owner, which stand together."""
    is_first = np.r_[True, owners[1:] != owners[:-1]] if len(owners) else np.zeros(0, np.bool_)
    starts = np.flatnonzero(is_first)
    return np.arange(len(owners)) - np.repeat(starts, np.diff(np.r_[starts, len(owners)]))
