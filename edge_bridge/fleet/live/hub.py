"""The hub: takes from the host's thread what each turn decoded, and keeps it in the event loop for all clients."""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Final

from edge_bridge.fleet.live.cursor import EventCursor
from edge_bridge.fleet.live.messages import encode_overview
from edge_bridge.fleet.live.news import NodeNews
from edge_bridge.fleet.live.ring import EventRing, RowEvent, StateEvent

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.store.records import NodeRecord
    from edge_bridge.fleet.view import FleetView

RING_EVENTS: Final = 50_000  # 50 s at 1 000 rows a second; about 1 kB each
MAX_WAITING: Final = 20_000  # rows that wait for an event loop that does not come round
OVERVIEW_S: Final = 1.0
TRANSFER_S: Final = 0.2  # while a bundle is being sent


class LiveHub:
    """The hub of one host; implements `FleetTap`. Its first methods belong to the host's thread, the rest to the loop.

    The host's thread only appends to a list under a lock, and wakes the loop once for all that waits.
    """

    def __init__(self, broker: str = "", *, ring_events: int = RING_EVENTS, max_waiting: int = MAX_WAITING) -> None:
        """`broker` is its address, for whoever starts an edge."""
        self.broker = broker
        self.run = secrets.token_hex(4)
        self.ring = EventRing(ring_events)
        self.news = NodeNews()
        self.overview: FleetView | None = None
        self._overview_text = ""
        self.overviews = 0  # so that a client sees whether there is a newer one
        self._wakers = set["Callable[[], None]"]()
        self._overview_readers = 0
        self._max_waiting = max_waiting
        self._lock = threading.Lock()  # of all below
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rows = list[list["StoredRow"]]()
        self._waiting = self._lost = 0
        self._notes = dict[str, "NodeRecord"]()
        self._view: FleetView | None = None
        self._is_woken = False
        self._viewed_s, self._period_s = float("-inf"), OVERVIEW_S

    # ---- in the thread of the host

    def handle_decoded(self, rows: Sequence[StoredRow], notes: Mapping[str, NodeRecord]) -> None:
        """Take the rows of one turn and the nodes that changed; what no loop takes in time is a named gap."""
        with self._lock:
            if self._waiting + len(rows) > self._max_waiting:
                self._lost += self._waiting + len(rows)
                self._rows, self._waiting = [], 0
            else:
                self._rows.append(list(rows))
                self._waiting += len(rows)
            self._notes.update(notes)
            self._wake()

    def wants_overview(self, now_s: float) -> bool:
        """Return whether a client reads overviews and the last one is old; `now_s` is monotonic."""
        return self._overview_readers > 0 and now_s - self._viewed_s >= self._period_s

    def handle_overview(self, view: FleetView, now_s: float) -> None:
        self._viewed_s = now_s
        is_sending = any(node.sending is not None and not node.sending.is_over for node in view.nodes)
        self._period_s = TRANSFER_S if is_sending else OVERVIEW_S
        with self._lock:
            self._view = view
            self._wake()

    def _wake(self) -> None:
        if self._is_woken or self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self.drain)
        except RuntimeError:  # the loop has ended
            self._loop = None
        else:
            self._is_woken = True

    # ---- in the event loop

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over to this loop from now on."""
        with self._lock:
            self._loop, self._is_woken = loop, False
        self.drain()

    def detach(self) -> None:
        """Hand nothing over any more: the loop ends."""
        with self._lock:
            self._loop = None

    def drain(self) -> None:
        """Number what the host handed over, and wake the clients."""
        with self._lock:
            turns, self._rows = self._rows, []
            notes, self._notes = self._notes, {}
            view, self._view = self._view, None
            lost, self._lost = self._lost, 0
            self._waiting, self._is_woken = 0, False
        if lost:
            self.ring.skip(lost)
        with_rows = set[str]()
        for rows in turns:
            with_rows.update(row.node for row in rows)
            self.ring.extend([*map(RowEvent, rows)])
        now_ms = time.time_ns() // 1_000_000
        for record in self.news.update(notes.values(), with_rows, now_ms):
            self.ring.append(StateEvent(record))
        if view is not None:
            self.overview, self.overviews, self._overview_text = view, self.overviews + 1, ""
        for waker in tuple(self._wakers):
            waker()

    def read_overview_text(self) -> str:
        """Return the overview as a message, made once for all clients."""
        if not self._overview_text and self.overview is not None:
            self._overview_text = encode_overview(self.overview).decode()
        return self._overview_text

    @property
    def cursor(self) -> EventCursor:
        """The place behind the newest event."""
        return EventCursor(self.run, self.ring.end)

    @property
    def clients(self) -> int:
        return len(self._wakers)

    def add_waker(self, waker: Callable[[], None]) -> None:
        """Call `waker` after each hand-over."""
        self._wakers.add(waker)

    def remove_waker(self, waker: Callable[[], None]) -> None:
        self._wakers.discard(waker)

    def count_readers(self, change: int) -> None:
        """Count the clients that want overviews: without one the host makes none."""
        if not self._overview_readers:
            self.overview = None  # it is as old as the last reader
        self._overview_readers += change
