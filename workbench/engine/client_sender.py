"""The sender of messages to the client: a thread of its own, so that a hung client cannot delay the loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from control.send_queue import SendQueue
from drivers.clock import monotonic
from drivers.event import EventRecord
from drivers.event_limiter import EventLimiter
from drivers.realtime import ENGINE_THREADS
from workbench.session.messages import StatusUpdate

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from drivers.event import Event


class ClientSender:
    """The queue of messages to the client. `send` queues and returns; `keep_event` gets each event (the run folder).

    If the client does not read, only the newest status of `send_status` stays queued; all other messages stay queued.
    """

    def __init__(self, client: Connection) -> None:
        self._queue = SendQueue("outbox", client.send, ENGINE_THREADS)
        self.keep_event: Callable[[EventRecord], None] | None = None
        self._limiter = EventLimiter(self._keep, monotonic)

    def send(self, message: object) -> None:
        self._queue.send(message, instead_of_beat=isinstance(message, StatusUpdate))

    def send_status(self, news: StatusUpdate) -> None:
        """Send a periodic status; it replaces one that is still queued."""
        self._queue.beat(news)

    def send_event(self, event: Event) -> None:
        """Send an event that happened now; the receiver numbers it. Repeats are counted instead."""
        self._limiter.add(event)

    def report_repeats(self) -> None:
        """Send the number of repeats that were not sent; call it a few times a second."""
        self._limiter.report()

    def _keep(self, event: Event) -> None:
        record = EventRecord(0, monotonic(), time.time(), event)  # noqa: TID251  # a date
        if self.keep_event is not None:
            self.keep_event(record)
        self.send(record)

    def flush(self, within_s: float = 1.0) -> None:
        """Send the repeats, and wait until everything is sent, if the client still reads."""
        self._limiter.report(at_end=True)
        self._queue.flush(within_s)

    def close(self) -> None:
        """End the thread once everything is sent."""
        self._queue.close()
