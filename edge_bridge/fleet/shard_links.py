"""One connection for all shards of a host: a broker that knows hosts by certificates lets each connect once.

A shard that comes or goes renews the connection, so all nodes are asked for new births; the edges keep their rows.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from edge_bridge.broker_address import check_protection
from edge_bridge.identity.revocation_notice import FILTER, PREFIX
from edge_bridge.mqtt import MqttLink
from edge_bridge.mqtt_events import MAX_QUEUED, LinkDown, LinkUp
from edge_bridge.mqtt_frames import MqttMessage
from edge_bridge.sparkplug.topics import STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge_bridge.mqtt_events import LinkEvent


class HostLink(Protocol):
    """A connection as a `FleetHost` uses it: an `MqttLink`, or its share of one."""

    @property
    def is_up(self) -> bool: ...
    @property
    def has_events(self) -> bool: ...
    @property
    def queued(self) -> int: ...
    @property
    def queued_bytes(self) -> int: ...
    def poll(self, wait_s: float = 0.0) -> list[LinkEvent]: ...
    def publish(self, message: MqttMessage) -> bool: ...
    def publish_all(self, messages: Sequence[MqttMessage]) -> int: ...
    def close(self) -> None: ...


class ShardLinks:
    """The connection of a host; there is none while the host has no shard."""

    def __init__(
        self, url: str, client_id: str, will: Callable[[], MqttMessage | None], identity: Path | None = None
    ) -> None:
        """Raise what `MqttLink` raises."""
        check_protection(url, identity)
        self._url, self._client_id, self._will, self._identity = url, client_id, will, identity
        self.parts = list[ShardLink]()
        self.link: MqttLink | None = None
        self.number = 0  # of the connection
        self._is_stale = False

    def open(self, subscriptions: Sequence[str]) -> ShardLink:
        """Return the link of a shard."""
        part = ShardLink(self, subscriptions)
        self.parts.append(part)
        self._is_stale = True
        return part

    def leave(self, part: ShardLink) -> None:
        """Take a shard from the connection; with the last one it ends, after what was published."""
        if part in self.parts:
            self.parts.remove(part)
            self._is_stale = True
        if not self.parts and self.link is not None:
            self.link.close()
            self.link = None

    def update(self, wait_s: float) -> None:
        """Hand new events to the shards; wait up to `wait_s` for the first."""
        if self._is_stale:
            self._renew()
        if self.link is None or any(len(part.events) >= MAX_QUEUED for part in self.parts):
            return  # the network waits until the slowest shard has room
        for event in self.link.poll(wait_s):
            if isinstance(event, (LinkUp, LinkDown)):
                self._tell(event)
            else:
                place = event.topic.split("/", 2)[1:2]
                is_for_all = place == [STATE] or event.topic.startswith(PREFIX)
                for part in self.parts:
                    if is_for_all or part.groups.issuperset(place):
                        part.events.append(event)

    def _tell(self, event: LinkUp | LinkDown) -> None:
        if isinstance(event, LinkUp):
            self.number += 1
            event = LinkUp(event.will, self.number)
        for part in self.parts:
            part.events.append(event)

    def _renew(self) -> None:
        self._is_stale = False
        if self.link is not None:
            self.link.close()
            self.link = None
            self._tell(LinkDown("the shards of this host have changed"))
        subscriptions = dict.fromkeys(topic for part in self.parts for topic in part.subscriptions)
        self.link = MqttLink(self._url, self._client_id, self._will, [*subscriptions], self._identity)


class ShardLink:
    """The share of one shard: what comes from its groups, every STATE, and who is cut off."""

    def __init__(self, links: ShardLinks, subscriptions: Sequence[str]) -> None:
        self._links, self.subscriptions = links, subscriptions
        places = [topic.split("/")[1] for topic in subscriptions if topic != FILTER]
        self.groups = {group for group in places if group != STATE}
        self.events = deque["LinkEvent"]()
        self._number = 0  # of the last connection that `poll` returned

    @property
    def is_up(self) -> bool:
        link = self._links.link
        return link is not None and link.is_up and self._number == self._links.number

    @property
    def has_events(self) -> bool:
        link = self._links.link
        return bool(self.events) or (link is not None and link.has_events)

    @property
    def queued(self) -> int:
        """Return how many events wait for `poll`; the first shard counts those of the connection."""
        return len(self.events) + (self._links.link.queued if self._counts_for_all and self._links.link else 0)

    @property
    def queued_bytes(self) -> int:
        own = sum(len(event.payload) for event in self.events if isinstance(event, MqttMessage))
        return own + (self._links.link.queued_bytes if self._counts_for_all and self._links.link else 0)

    @property
    def _counts_for_all(self) -> bool:
        return self._links.parts[:1] == [self]

    def poll(self, wait_s: float = 0.0) -> list[LinkEvent]:
        """Return the events since the last call, in order; wait up to `wait_s` for the first of any shard."""
        self._links.update(0.0 if self.events else wait_s)
        found = [*self.events]
        self.events.clear()
        for event in found:
            if isinstance(event, LinkUp):
                self._number = event.number
        return found

    def publish(self, message: MqttMessage) -> bool:
        return self.publish_all([message]) == 1

    def publish_all(self, messages: Sequence[MqttMessage]) -> int:
        """Queue messages in their order, as many as the queue takes; return how many."""
        link = self._links.link
        return link.publish_all(messages) if link is not None and self.is_up else 0

    def close(self) -> None:
        """Leave the connection."""
        self._links.leave(self)
