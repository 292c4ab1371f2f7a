"""The bytes of an MQTT connection in large pieces: plain messages are cut out and sent here, paho has all other ones.

paho reads a packet in four small reads and makes 20 us of it. A fleet receives ten thousand messages a second.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from drivers.clock import monotonic
from edge_bridge.varint import MORE, encode_varint

READ_BYTES: Final = 65_536
MAX_UNSENT: Final = 262_144
_NOT_NOW: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_PUBLISH_QOS_0: Final = 0x30
_RETAIN: Final = 0x01
_NOT_RETAINED, _RETAINED = bytes([_PUBLISH_QOS_0]), bytes([_PUBLISH_QOS_0 | _RETAIN])
_MAX_HEADER: Final = 5  # bytes: the kind of packet and its length


@dataclass(slots=True, unsafe_hash=True)  # nobody changes one; `frozen` would make each cost three times as much
class MqttMessage:
    """One MQTT message, sent or received."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class FramedSocket:
    """A connected socket as paho uses it: what paho sends goes out at `flush`, it reads only what was offered."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._received, self._offered, self._unsent = bytearray(), bytearray(), bytearray()
        self._has_ended = False
        self.linger_s = 0.0  # how long `close` may wait for the other side

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def fileno(self) -> int:
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001  # as a socket has it
        self._inner.setblocking(flag)

    def receive(self) -> bool:
        """Read what is there, up to `READ_BYTES`; return False if nothing is there or the connection has ended."""
        try:
            data = self._inner.recv(READ_BYTES)
        except _NOT_NOW:
            return False
        self._received += data
        self._has_ended = not data
        return bool(data)

    def offer(self, packet: bytes) -> None:
        """Let paho read a packet."""
        self._offered += packet

    def recv(self, size: int) -> bytes:
        """Return what was offered; nothing at the end of the connection."""
        if not self._offered and not self._has_ended:
            raise BlockingIOError
        data = bytes(self._offered[:size])
        del self._offered[:size]
        return data

    def cut(self, most: int) -> list[MqttMessage | bytes]:
        """Take up to `most` packets of what was received: messages of QoS 0 as such, all others as they are."""
        data, start, found = bytes(self._received), 0, list[MqttMessage | bytes]()
        while len(found) < most and (packet := _find_packet(data, start)) is not None:
            body, end = packet
            found.append(_read_message(data, start, body, end) or data[start:end])
            start = end
        del self._received[:start]
        return found

    def send(self, data: bytes | bytearray) -> int:
        if len(self._unsent) >= MAX_UNSENT:
            raise BlockingIOError
        self._unsent += data
        return len(data)

    def send_message(self, message: MqttMessage) -> bool:
        """Send a message of QoS 0 as paho would, in a tenth of the time; return False while too much waits."""
        if len(self._unsent) >= MAX_UNSENT:
            return False
        topic = message.topic.encode()
        kind = _RETAINED if message.retain else _NOT_RETAINED
        size = encode_varint(2 + len(topic) + len(message.payload))
        self._unsent += b"".join((kind, size, len(topic).to_bytes(2, "big"), topic, message.payload))
        return True

    def flush(self) -> None:
        """Send what waits, as much as the network takes; raise `OSError`."""
        with suppress(*_NOT_NOW):
            while self._unsent:
                sent = self._inner.send(self._unsent[:READ_BYTES])
                del self._unsent[:sent]

    def close(self) -> None:
        with suppress(OSError):
            self.flush()
            if self.linger_s > 0.0:
                self._await_end(self.linger_s)
        self._inner.close()

    def _await_end(self, wait_s: float) -> None:
        """Wait until the other side has read all and closed: unread answers would reset what is on its way there."""
        until_s = monotonic() + wait_s
        self._inner.shutdown(socket.SHUT_WR)
        self._inner.settimeout(wait_s)
        while self._inner.recv(READ_BYTES) and monotonic() < until_s:
            pass


def _find_packet(data: bytes, start: int) -> tuple[int, int] | None:
    """Return where the body of the packet begins and ends, None if it is not complete.

    A length that MQTT does not allow ends with the data: paho refuses it.
    """
    if len(data) - start >= 3 and data[start + 1] >= MORE > data[start + 2]:  # noqa: PLR2004  # as most are
        end = start + 3 + (data[start + 1] & 0x7F | data[start + 2] << 7)
        return (start + 3, end) if end <= len(data) else None
    size = shift = 0
    for place in range(start + 1, min(start + _MAX_HEADER, len(data))):
        size |= (data[place] & 0x7F) << shift
        shift += 7
        if data[place] < MORE:
            end = place + 1 + size
            return (place + 1, end) if end <= len(data) else None
    return (start + 1, len(data)) if len(data) - start >= _MAX_HEADER else None


def _read_message(data: bytes, start: int, body: int, end: int) -> MqttMessage | None:
    """Read a message of QoS 0; None for another packet, or one that paho has to refuse."""
    if data[start] & ~_RETAIN != _PUBLISH_QOS_0 or end - body < 2:  # noqa: PLR2004  # bytes of the topic's length
        return None
    payload = body + 2 + (data[body] << 8 | data[body + 1])
    if payload > end:
        return None
    try:
        topic = data[body + 2 : payload].decode()
    except UnicodeDecodeError:
        topic = ""  # not a valid topic; the reader of topics counts it
    return MqttMessage(topic, data[payload:end], 0, bool(data[start] & _RETAIN))
