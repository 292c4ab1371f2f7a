"""Messages to the client, sent by a thread of their own so that a hung client cannot hold up the loop."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING

from drivers.realtime import BESIDE, ask_realtime
from workbench.session.messages import Happened

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from workbench.window.model import Level

MOST = 2_000  # messages that wait; a client that reads none for long loses the newest


class Outbox:
    """`put` hands over and returns; events also go to whoever keeps them (the run folder)."""

    def __init__(self, client: Connection) -> None:
        self._client = client
        self._queue: queue.Queue[object] = queue.Queue(MOST)
        self.keep_event: Callable[[Happened], None] | None = None
        threading.Thread(target=self._send, name="outbox", daemon=True).start()

    def put(self, message: object) -> None:
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(message)

    def event(self, level: Level, where: str, sentence: str, detail: str = "") -> None:
        """Something happened now."""
        happened = Happened(time.monotonic(), time.time(), level, where, sentence, detail)
        if self.keep_event is not None:
            self.keep_event(happened)
        self.put(happened)

    def flush(self, within_s: float = 1.0) -> None:
        """Wait until everything is sent, for a client that still reads."""
        until_s = time.monotonic() + within_s
        while self._queue.unfinished_tasks and time.monotonic() < until_s:
            time.sleep(0.005)

    def _send(self) -> None:
        ask_realtime(BESIDE)
        alive = True
        while True:
            message = self._queue.get()
            if alive:
                try:
                    self._client.send(message)
                except OSError:
                    alive = False
            self._queue.task_done()
