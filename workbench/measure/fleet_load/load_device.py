"""One device of the load: its connection, its birth, and what it is told; rows are made and sent for all at once."""

from __future__ import annotations

import asyncio
import random
import re
from typing import TYPE_CHECKING, Final, cast

from edge_bridge import metrics
from edge_bridge.edge.node import EdgeNode, NodeNames
from workbench.measure.fleet_load.mqtt_packets import (
    CONNACK,
    PUBLISH,
    SUBACK,
    make_connect,
    make_subscribe,
    split_publish,
    take_packets,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.measure.fleet_load.load_fleet import LoadFleet

KEEP_ALIVE_S: Final = 30  # a device sends each second, except while its outbox is full
MAX_UNSENT: Final = 65_536  # bytes that the network has not taken
RETRY_S: Final = (0.2, 5.0)  # at random between what an edge waits at first and at last
_ACKNOWLEDGED: Final = re.compile(rb"([0-9a-f]{16}):([0-9,-]+)")
_REBIRTH: Final = metrics.REBIRTH.encode()
_ONLINE: Final = b'"online": true'


def read_acknowledged(payload: bytes, boot: bytes) -> list[tuple[int, int]]:
    """Return the acknowledged ranges of a boot in an NCMD, without a look at the rest of it."""
    found = list[tuple[int, int]]()
    for named, words in _ACKNOWLEDGED.findall(payload):
        for word in words.split(b",") if named == boot else ():
            first, _, last = word.partition(b"-")
            found.append((int(first), int(last or first)))
    return found


class LoadDevice(asyncio.Protocol):
    """The protocol of its connection, made again when it is lost."""

    def __init__(
        self, place: int, node: str, boot: str, fleet: LoadFleet, open_connection: Callable[..., object]
    ) -> None:
        self.place, self.boot = place, boot.encode()
        self._names, self._fleet, self._open = NodeNames("pulsebms", node, "fleet"), fleet, open_connection
        self._commands = f"spBv1.0/pulsebms/NCMD/{node}".encode()
        self._buffer, self._connections = bytearray(), 0
        self._transport: asyncio.Transport | None = None
        self.is_born = False

    @property
    def bd_seq(self) -> int:
        return self._connections % 128  # one byte on the wire

    @property
    def can_send(self) -> bool:
        """Return whether the host may know its birth and the network takes more."""
        transport = self._transport
        return self.is_born and transport is not None and transport.get_write_buffer_size() < MAX_UNSENT

    def write(self, packet: bytes) -> None:
        """Send a packet, if it is connected."""
        if self._transport is not None:
            self._transport.write(packet)

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = made = cast("asyncio.Transport", transport)  # uvloop's has its base only
        will = EdgeNode(self._names, self.bd_seq).make_will(self._fleet.now_ms())
        made.write(make_connect(f"load-{self._names.node}", KEEP_ALIVE_S, will))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        for kind, body in take_packets(self._buffer):
            if kind == PUBLISH:
                self._handle(*split_publish(body))
            elif kind == CONNACK:
                self.write(make_subscribe(EdgeNode(self._names, 0).subscriptions))
            elif kind == SUBACK:
                self._send_birth()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport, self.is_born = None, False
        self._buffer.clear()
        self._connections += 1
        self._fleet.outbox.mark_unsent(self.place)
        self.retry()

    def retry(self) -> None:
        """Connect again after a while, unless the load ends."""
        if not self._fleet.is_over:
            asyncio.get_running_loop().call_later(random.uniform(*RETRY_S), self._open, self)

    def _handle(self, topic: bytes, payload: bytes) -> None:
        if topic != self._commands:
            if _ONLINE in payload:
                self._fleet.outbox.mark_unsent(self.place)
            return
        if ranges := read_acknowledged(payload, self.boot):
            self._fleet.take_acknowledgement(self.place, ranges)
        elif _REBIRTH in payload and self.is_born:
            self._fleet.outbox.mark_unsent(self.place)
            self._send_birth()

    def _send_birth(self) -> None:
        if self._transport is not None:
            self.write(self._fleet.make_birth(self.place, self.bd_seq))
            self.is_born = True
