from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from drivers.errors import Usage
from edge_bridge.broker_address import parse_address
from edge_bridge.mqtt import BACKOFF_S, MAX_QUEUED, LinkDown, LinkEvent, LinkUp, MqttLink, MqttMessage
from fixtures.broker import start_broker
from tests.drivers.scripted import listening
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from fixtures.broker import Broker

pytestmark = pytest.mark.live
LONG_S = 30.0


@pytest.fixture
def broker(tmp_path: Path) -> Generator[Broker]:
    made = start_broker(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def links() -> Generator[Callable[..., MqttLink]]:
    """Makes links, and sees that no thread of theirs is left."""
    made = list[MqttLink]()

    def make(*args: object, **kwargs: object) -> MqttLink:
        made.append(MqttLink(*args, **kwargs))  # pyright: ignore[reportArgumentType]
        return made[-1]

    yield make
    for link in made:
        link.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mqtt ")]


def wait_for(link: MqttLink, kind: type[LinkEvent], count: int = 1) -> list[LinkEvent]:
    """Events until `count` of a kind are among them."""
    found, end_s = list[LinkEvent](), time.monotonic() + LONG_S
    while sum(isinstance(event, kind) for event in found) < count:
        assert time.monotonic() < end_s, f"{count} x {kind.__name__} did not come: {found[-3:]}"
        found += link.poll(0.1)
    return found


def test_messages_arrive_as_they_were_sent_and_in_order(broker: Broker, links: Callable[..., MqttLink]) -> None:
    link = links(broker.url, "a", None, ["t/#"])
    assert wait_for(link, LinkUp) == [LinkUp(None, 1)]
    sent = [MqttMessage(f"t/{number}", bytes([number]) * number) for number in range(200)]
    assert all(link.publish(message) for message in sent)
    assert wait_for(link, MqttMessage, 200) == sent


def test_a_payload_of_64_kib_goes_through(broker: Broker, links: Callable[..., MqttLink]) -> None:
    link = links(broker.url, "a", None, ["t"])
    wait_for(link, LinkUp)
    assert link.publish(MqttMessage("t", bytes(65_536)))
    assert [len(one.payload) for one in wait_for(link, MqttMessage) if isinstance(one, MqttMessage)] == [65_536]


def test_without_a_broker_it_says_so_once_and_publishes_nothing(links: Callable[..., MqttLink]) -> None:
    with socket.socket() as taken:  # bound but not listening: nobody else gets it, nobody answers
        taken.bind(("127.0.0.1", 0))
        link = links(f"mqtt://127.0.0.1:{taken.getsockname()[1]}", "a")
        (down,) = wait_for(link, LinkDown)
        assert isinstance(down, LinkDown)
        assert "refused" in down.reason
        assert link.publish(MqttMessage("t", b"")) is False
        assert link.poll(3 * BACKOFF_S[0]) == []


def test_a_killed_broker_is_noticed_and_found_again_with_a_new_will(
    broker: Broker, links: Callable[..., MqttLink]
) -> None:
    numbers = iter(range(100))
    link = links(broker.url, "a", lambda: MqttMessage("gone", b"%d" % next(numbers), 1), ["t"])
    (first,) = wait_for(link, LinkUp)
    broker.kill()
    wait_for(link, LinkDown)
    assert link.publish(MqttMessage("t", b"lost")) is False
    broker.restart()
    (second,) = wait_for(link, LinkUp)
    assert isinstance(first, LinkUp)
    assert isinstance(second, LinkUp)
    assert first.will is not None
    assert second.will is not None
    assert (first.number, second.number) == (1, 2)
    assert int(second.will.payload) > int(first.will.payload)
    assert link.publish(MqttMessage("t", b"heard"))
    assert wait_for(link, MqttMessage) == [MqttMessage("t", b"heard")]


def test_the_will_of_a_broken_connection_is_told_to_others(broker: Broker, links: Callable[..., MqttLink]) -> None:
    watcher = links(broker.url, "watcher", None, ["gone"])
    wait_for(watcher, LinkUp)
    doomed = links(broker.url, "doomed", lambda: MqttMessage("gone", b"7", 1))
    wait_for(doomed, LinkUp)
    usurper = links(broker.url, "doomed")  # the same name: the broker ends the first connection
    wait_for(usurper, LinkUp)
    (told,) = wait_for(watcher, MqttMessage)
    assert isinstance(told, MqttMessage)
    assert told.payload == b"7"
    doomed.close()


def test_leaving_in_order_sends_what_waits_and_drops_the_will(broker: Broker, links: Callable[..., MqttLink]) -> None:
    watcher = links(broker.url, "watcher", None, ["gone"])
    wait_for(watcher, LinkUp)
    link = links(broker.url, "a", lambda: MqttMessage("gone", b"will", 1))
    wait_for(link, LinkUp)
    for number in range(100):
        link.publish(MqttMessage("gone", b"%d" % number, 1))
    link.close()
    link.close()
    assert link.publish(MqttMessage("gone", b"late")) is False
    watcher.publish(MqttMessage("gone", b"what comes next", 1))
    told = wait_for(watcher, MqttMessage, 101)
    numbers = [b"%d" % number for number in range(100)]
    assert [one.payload for one in told if isinstance(one, MqttMessage)] == [*numbers, b"what comes next"]


def test_a_retained_message_waits_for_who_comes_later(broker: Broker, links: Callable[..., MqttLink]) -> None:
    first = links(broker.url, "first", None, ["state"])
    wait_for(first, LinkUp)
    first.publish(MqttMessage("state", b"on", 1, retain=True))
    wait_for(first, MqttMessage)
    later = links(broker.url, "later", None, ["state"])
    (told,) = [one for one in wait_for(later, MqttMessage) if isinstance(one, MqttMessage)]
    assert (told.payload, told.retain) == (b"on", True)


def test_nothing_is_sent_on_a_connection_that_was_not_taken_note_of(
    broker: Broker, links: Callable[..., MqttLink]
) -> None:
    link = links(broker.url, "a", None, ["t"])
    wait_until(lambda: link._up, LONG_S, "a connection")  # pyright: ignore[reportPrivateUsage]  # nobody has polled yet
    assert link.publish(MqttMessage("t", b"before the birth")) is False
    wait_for(link, LinkUp)
    assert link.publish(MqttMessage("t", b"after"))


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00\x05", b"\x30\xff\xff\xff\x7f", b"\xff" * 64, b"\x20\x00"],
)
def test_whoever_answers_wrongly_is_named_and_left(answer: bytes, links: Callable[..., MqttLink]) -> None:
    with listening() as server:
        link = links(f"mqtt://127.0.0.1:{server.getsockname()[1]}", "a", None, ["t"])
        peer, _ = server.accept()
        with peer:
            peer.recv(100)
            peer.sendall(answer)
            with contextlib.suppress(OSError):  # the link may have left already
                peer.shutdown(socket.SHUT_WR)
            (down,) = wait_for(link, LinkDown)
    assert isinstance(down, LinkDown)
    assert down.reason
    link.close()


def test_a_broker_that_says_nothing_does_not_hold_up_close(links: Callable[..., MqttLink]) -> None:
    with listening() as server:
        link = links(f"mqtt://127.0.0.1:{server.getsockname()[1]}", "a")
        (down,) = wait_for(link, LinkDown)
        assert isinstance(down, LinkDown)
        assert "does not answer" in down.reason


def test_a_frozen_broker_is_noticed_by_its_missing_answers(broker: Broker, links: Callable[..., MqttLink]) -> None:
    link = links(broker.url, "a", None, ["t"])
    wait_for(link, LinkUp)
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        wait_for(link, LinkDown)
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    wait_for(link, LinkUp)


def test_a_broker_that_reads_nothing_makes_publish_say_no(links: Callable[..., MqttLink]) -> None:
    with listening() as server:
        link = links(f"mqtt://127.0.0.1:{server.getsockname()[1]}", "a")
        peer, _ = server.accept()
        with peer:
            peer.recv(100)
            peer.sendall(b"\x20\x02\x00\x00")
            wait_for(link, LinkUp)
            taken = 0
            while link.publish(MqttMessage("t", bytes(4096))):
                taken += 1
                assert taken < 100 * MAX_QUEUED
            assert taken >= MAX_QUEUED


def test_who_does_not_poll_makes_the_network_wait(broker: Broker, links: Callable[..., MqttLink]) -> None:
    slow = links(broker.url, "slow", None, ["t"])
    wait_for(slow, LinkUp)
    fast = links(broker.url, "fast")
    wait_for(fast, LinkUp)
    sent = 0
    while sent < 2 * MAX_QUEUED:
        sent += fast.publish(MqttMessage("t", b"x"))
    fast.close()  # all of it has left
    assert len(slow._events) <= MAX_QUEUED + 100  # pyright: ignore[reportPrivateUsage]
    got = wait_for(slow, MqttMessage, MAX_QUEUED)
    assert all(not isinstance(one, LinkDown) for one in got)


def test_urls_are_read() -> None:
    assert parse_address("mqtt://127.0.0.1:20001") == ("127.0.0.1", 20001)
    assert parse_address("mqtt://localhost") == ("localhost", 1883)
    assert parse_address("mqtts://broker.example") == ("broker.example", 8883)
    assert parse_address("mqtt://[::1]:1/") == ("::1", 1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:1883",
        "http://127.0.0.1",
        "ws://127.0.0.1",
        "mqtt://",
        "mqtt://:1883",
        "mqtts://host:0",
        "mqtts://host:65536",
        "mqtts://host:port",
        "mqtts://host/path",
        "mqtts://name:word@host",
        "mqtt://[::1",
    ],
)
def test_a_url_that_is_none_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(Usage, match=r"write mqtts://HOST:PORT, or on this machine mqtt://127\.0\.0\.1:1883"):
        parse_address(url)
