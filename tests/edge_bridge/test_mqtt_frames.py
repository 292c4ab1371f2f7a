from __future__ import annotations

import socket
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bridge.mqtt_frames import MAX_UNSENT, FramedSocket, MqttMessage
from tests.edge_bridge.sparkplug.protobuf import varint

PINGRESP = b"\xd0\x00"


def publish(topic: bytes, payload: bytes, first: int = 0x30) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + payload
    return bytes([first]) + varint(len(body)) + body


@given(
    st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=300), st.booleans()) | st.none(), max_size=8),
    st.lists(st.integers(1, 400), min_size=1, max_size=5),
)
def test_messages_and_other_packets_come_in_their_order_in_whatever_pieces(
    wanted: list[tuple[str, bytes, bool] | None], sizes: list[int]
) -> None:
    sent = b"".join(PINGRESP if one is None else publish(one[0].encode(), one[1], 0x30 | one[2]) for one in wanted)
    ours, theirs = socket.socketpair()
    with closing(theirs), closing(FramedSocket(ours)) as framed:
        framed.setblocking(flag=False)
        found = list[MqttMessage | bytes]()
        turn = 0
        while sent:
            theirs.sendall(sent[: sizes[turn % len(sizes)]])
            sent, turn = sent[sizes[turn % len(sizes)] :], turn + 1
            assert framed.receive()
            while some := framed.cut(2):
                found += some
    assert found == [PINGRESP if one is None else MqttMessage(one[0], one[1], retain=one[2]) for one in wanted]


@pytest.mark.parametrize(
    "packet",
    [
        publish(b"t", b"x", 0x32),  # QoS 1
        b"\x30\x01\x00",  # no room for a topic
        b"\x30\x03\x00\x09t",  # a topic longer than the packet
        b"\x30\xff\xff\xff\xff\x01",  # a length that MQTT does not allow
    ],
)
def test_what_is_no_plain_message_is_left_to_paho(packet: bytes) -> None:
    ours, theirs = socket.socketpair()
    with closing(theirs), closing(FramedSocket(ours)) as framed:
        framed.setblocking(flag=False)
        theirs.sendall(packet)
        assert framed.receive()
        assert framed.cut(10) == [packet]
        with pytest.raises(BlockingIOError):
            framed.recv(1)
        framed.offer(packet)
        assert framed.recv(1) + framed.recv(100) == packet
        theirs.shutdown(socket.SHUT_WR)
        assert (framed.receive(), framed.recv(1)) == (False, b"")


@given(st.text(max_size=5), st.binary(max_size=300), st.booleans())
def test_a_message_is_sent_as_it_is_read(topic: str, payload: bytes, retain: bool) -> None:  # noqa: FBT001  # drawn
    ours, theirs = socket.socketpair()
    with closing(theirs), closing(FramedSocket(ours)) as framed:
        assert framed.send_message(MqttMessage(topic, payload, retain=retain))
        framed.flush()
        assert theirs.recv(1000) == publish(topic.encode(), payload, 0x30 | retain)


def test_no_more_is_taken_than_may_wait() -> None:
    ours, theirs = socket.socketpair()
    with closing(theirs), closing(FramedSocket(ours)) as framed:
        framed.setblocking(flag=False)
        sent = 0
        while framed.send_message(MqttMessage("t", bytes(1000))):
            sent += 1
        assert 0 < sent * 1000 < MAX_UNSENT + 1000
        framed.flush()
        assert framed.send_message(MqttMessage("t", b"x"))
