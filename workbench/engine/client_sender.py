"""Messages to the client, sent by a thread of their own so that a hung client cannot hold up the loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from control.send_queue import SendQueue
from drivers.event import EventRecord
from drivers.realtime import ENGINE_THREADS
from workbench.session.messages import StatusUpdate

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from drivers.event import Event


class ClientSender:
    """`send` hands over and returns; events also go to whoever keeps them (the run folder).

    Of what is told again and again (`send_status`) only the newest waits for a client that reads nothing; all else
    is kept.
    """

    def __init__(self, client: Connection) -> None:
        self._queue = SendQueue("outbox", client.send, ENGINE_THREADS)
        self.keep_event: Callable[[EventRecord], None] | None = None

    def send(self, message: object) -> None:
        self._queue.send(message, instead_of_beat=isinstance(message, StatusUpdate))

    def send_status(self, news: StatusUpdate) -> None:
        """How things stand, told again and again."""
        self._queue.beat(news)

    def send_event(self, event: Event) -> None:
        """Something happened now; whoever lists it numbers it."""
        record = EventRecord(0, time.monotonic(), time.time(), event)
        if self.keep_event is not None:
            self.keep_event(record)
        self.send(record)

    def flush(self, within_s: float = 1.0) -> None:
        """Wait until everything is sent, for a client that still reads."""
        self._queue.flush(within_s)

    def close(self) -> None:
        """End the thread once everything is sent."""
        self._queue.close()
