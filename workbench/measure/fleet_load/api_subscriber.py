"""A client of the live API in a process of its own: how long each row took, and which came twice."""

from __future__ import annotations

import multiprocessing
import threading
import time
from array import array
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from drivers.clock import monotonic
from drivers.errors import BenchError
from drivers.processes import end_with_parent, start_child

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from drivers.snapshot import Floats

ANSWER_S: Final = 60.0
TAKE: Final = "take"


class ApiSubscriber:
    """Subscribes to all devices with all columns; connects again by itself."""

    def __init__(self, url: str) -> None:
        """Wait until it is subscribed; raise `BenchError`."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_follow, args=(theirs, url))
        start_child(self._process)
        theirs.close()
        try:
            self._receive()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return cast("int", self._process.pid)  # it was started

    def take_delays(self) -> Floats:
        """Return how long each live row took since the last call, from its time to the client, in s."""
        self._pipe.send(TAKE)
        return self._receive()

    def close(self) -> None:
        """End it; a second call does nothing."""
        self._pipe.close()
        self._process.join(ANSWER_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _receive(self) -> Any:
        with suppress(EOFError, OSError):
            if self._pipe.poll(ANSWER_S):
                return self._pipe.recv()
        raise BenchError("the subscriber of the API has no answer", hint="read the log of the host in the folder")


def _follow(pipe: Connection, url: str) -> None:
    from edge_bridge.fleet.client.live_feed import FeedLost, LiveFeed  # noqa: PLC0415  # only in this process
    from edge_bridge.fleet.client.rest import parse_api_address  # noqa: PLC0415

    end_with_parent()
    feed, delays_s, lock = LiveFeed(parse_api_address(url), now_s=monotonic), array("d"), threading.Lock()

    def answer() -> None:
        with suppress(EOFError, OSError):
            while pipe.recv() == TAKE:
                with lock:
                    taken = np.array(delays_s)
                    del delays_s[:]
                pipe.send(taken)
        feed.close()

    is_told = False
    for message in feed.messages():
        if isinstance(message, FeedLost):
            continue
        now_s = time.time_ns() / 1e9
        if message["type"] == "subscribed" and not is_told:
            is_told = True
            pipe.send(None)
            threading.Thread(target=answer, daemon=True).start()
        with lock:
            delays_s.extend(now_s - row[3] / 1e3 for row in message.get("rows", ()) if not row[4])
