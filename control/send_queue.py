"""A send queue to one peer with its own thread: the sender never waits, and only one thread writes to each pipe."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from drivers.realtime import ask_realtime

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING: Final = object()


class SendQueue:
    """A send queue: `send` keeps every message in order; `beat` keeps only the newest heartbeat for a slow peer.

    `deliver` writes one message and may block; if it raises `OSError`, the peer is gone and the rest is dropped.
    """

    def __init__(self, name: str, deliver: Callable[[Any], object], priority: int | None = None) -> None:
        self._deliver, self._priority = deliver, priority
        self._waiting: deque[Any] = deque()
        self._newest: Any = NOTHING
        self._busy = self._closing = False
        self._closed: Callable[[], object] | None = None
        self.broken = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def send(self, message: object, *, instead_of_beat: bool = False) -> None:
        """Deliver `message` after those that wait; `instead_of_beat`: it replaces a heartbeat that waits."""
        with self._changed:
            self._newest = NOTHING if instead_of_beat else self._newest
            self._waiting.append(message)
            self._changed.notify_all()

    def beat(self, message: object) -> None:
        """Deliver `message` once no other waits; a newer heartbeat replaces it."""
        with self._changed:
            self._newest = message
            self._changed.notify_all()

    def flush(self, within_s: float) -> bool:
        """Wait until everything is delivered; return False if that takes longer than `within_s`."""
        until_s = monotonic() + within_s
        with self._changed:
            return self._changed.wait_for(self._idle, max(0.0, until_s - monotonic()))

    def close(self, then: Callable[[], object] | None = None) -> None:
        """Let the thread end, and call `then`, once everything is delivered; return at once."""
        with self._changed:
            self._closing, self._closed = True, then
            self._changed.notify_all()

    def join(self, within_s: float) -> None:
        """Wait for the end of the thread, no longer than `within_s`: a hung peer may hold it."""
        self._thread.join(within_s)

    def _idle(self) -> bool:
        return self.broken or not (self._busy or self._waiting or self._newest is not NOTHING)

    def _run(self) -> None:
        if self._priority is not None:
            ask_realtime(self._priority)
        while (message := self._next()) is not NOTHING:
            try:
                self._deliver(message)
            except (OSError, TypeError, ValueError):  # TypeError: closed during a blocked write
                self._give_up()
        if self._closed is not None:
            self._closed()

    def _next(self) -> Any:
        """Return the message to deliver now; `NOTHING` at the end."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            while not (self._waiting or self._newest is not NOTHING or self._closing):
                self._changed.wait()
            if self._waiting:
                message = self._waiting.popleft()
            else:
                message, self._newest = self._newest, NOTHING
            self._busy = message is not NOTHING
            if self.broken and self._busy:
                return self._discard()
            return message

    def _discard(self) -> Any:
        """Drop every message until the queue is closed: the peer is gone."""
        while not self._closing:
            self._waiting.clear()
            self._newest = NOTHING
            self._changed.wait()
        return NOTHING

    def _give_up(self) -> None:
        with self._changed:
            self.broken = True
            self._waiting.clear()
            self._newest = NOTHING
            self._changed.notify_all()
