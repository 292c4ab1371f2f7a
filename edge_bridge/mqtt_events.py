"""The queue between the thread of an MQTT link and its reader, with a bound in messages and in bytes."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_bridge.mqtt_frames import MqttMessage

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_QUEUED: Final = 10_000  # messages in either direction
MAX_QUEUED_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Connected and subscribed; `will` is the last will of this connection, which is the `number`th from 1."""

    will: MqttMessage | None
    number: int


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The connection was lost or the first attempt failed; reported once until the next `LinkUp`."""

    reason: str


LinkEvent: TypeAlias = LinkUp | LinkDown | MqttMessage


class EventQueue:
    """Events in their order. While it is full the link does not read, so that the broker and the network wait."""

    def __init__(self) -> None:
        self._events = deque[LinkEvent]()
        self._bytes = 0
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._events)

    @property
    def size(self) -> int:
        """Return the bytes of the messages."""
        return self._bytes

    @property
    def is_full(self) -> bool:
        return len(self._events) >= MAX_QUEUED or self._bytes >= MAX_QUEUED_BYTES

    def put(self, events: Iterable[LinkEvent]) -> None:
        """Add events, also to a full queue: what was read already is kept."""
        added = list(events)
        size = sum(len(event.payload) for event in added if isinstance(event, MqttMessage))
        with self._changed:
            self._events += added
            self._bytes += size
            self._changed.notify()

    def take(self, wait_s: float) -> list[LinkEvent]:
        """Take all events; wait up to `wait_s` for the first."""
        with self._changed:
            if not self._events and wait_s > 0.0:
                self._changed.wait(wait_s)
            found = list(self._events)
            self._events.clear()
            self._bytes = 0
        return found
