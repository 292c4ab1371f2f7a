"""The few packets of MQTT 3.1.1 that a device of the load sends and receives, as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_bridge.varint import MORE, encode_varint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_bridge.mqtt_frames import MqttMessage

CONNACK, PUBLISH, SUBACK = 0x20, 0x30, 0x90  # kinds of packets: the upper half of the first byte
PING: Final = b"\xc0\x00"
_CONNECT, _SUBSCRIBE = b"\x10", b"\x82"
_CLEAN, _WILL = 0x02, 0x04


def make_connect(client_id: str, keep_alive_s: int, will: MqttMessage) -> bytes:
    """Make the CONNECT of a clean session with a last will."""
    flags = _CLEAN | _WILL | will.qos << 3
    head = _make_text(b"MQTT") + bytes([4, flags]) + keep_alive_s.to_bytes(2, "big")
    body = head + _make_text(client_id.encode()) + _make_text(will.topic.encode()) + _make_text(will.payload)
    return _CONNECT + encode_varint(len(body)) + body


def make_subscribe(topics: Sequence[str]) -> bytes:
    """Make the SUBSCRIBE of a new connection, QoS 0."""
    body = b"\x00\x01" + b"".join(_make_text(topic.encode()) + b"\x00" for topic in topics)
    return _SUBSCRIBE + encode_varint(len(body)) + body


def make_publish(topic: str, payload: bytes) -> bytes:
    """Make a PUBLISH of QoS 0."""
    body = _make_text(topic.encode()) + payload
    return bytes([PUBLISH]) + encode_varint(len(body)) + body


def take_packets(buffer: bytearray) -> list[tuple[int, bytes]]:
    """Take all whole packets out of the buffer: their kind and their body."""
    found, start = list[tuple[int, bytes]](), 0
    while (place := _find_body(buffer, start)) is not None:
        body, end = place
        found.append((buffer[start] & 0xF0, bytes(buffer[body:end])))
        start = end
    del buffer[:start]
    return found


def split_publish(body: bytes) -> tuple[bytes, bytes]:
    """Return topic and payload of a PUBLISH of QoS 0."""
    end = 2 + int.from_bytes(body[:2], "big")
    return body[2:end], body[end:]


def _find_body(buffer: bytearray, start: int) -> tuple[int, int] | None:
    size = shift = 0
    for place in range(start + 1, len(buffer)):
        size |= (buffer[place] & 0x7F) << shift
        shift += 7
        if buffer[place] < MORE:
            end = place + 1 + size
            return (place + 1, end) if end <= len(buffer) else None
    return None


def _make_text(text: bytes) -> bytes:
    return len(text).to_bytes(2, "big") + text
