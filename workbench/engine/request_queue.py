"""The requests that wait for the operator's thread; one that its client has withdrawn is never begun."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.session.messages import Request


class RequestQueue:
    """First in, first out; any thread puts and withdraws, one thread takes."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._withdrawn: set[int] = set()

    def put(self, request: Request) -> None:
        self._queue.put(request)

    def withdraw(self, number: int) -> None:
        """Leave out the request `number` if it still waits."""
        self._withdrawn.add(number)

    def take(self) -> Request:
        """Wait for the next request that nobody has withdrawn."""
        while (request := self._queue.get()).number in self._withdrawn:
            self._withdrawn.discard(request.number)
        return request
