"""A connection lives as long as anything comes, and as long as this side itself does not read."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from edge_bridge import mqtt, mqtt_events
from edge_bridge.keep_alive import KeepAlive
from edge_bridge.mqtt import LinkDown, LinkUp, MqttLink, MqttMessage
from fixtures.broker import start_broker
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from fixtures.broker import Broker


def test_a_ping_is_due_twice_in_a_period() -> None:
    alive = KeepAlive(4.0, 10.0)
    assert [now_s for now_s in (11.9, 12.0, 12.1, 13.9, 14.0) if alive.is_due(now_s)] == [12.0, 14.0]


def test_silence_ends_it_and_any_byte_does_not() -> None:
    alive = KeepAlive(4.0, 10.0)
    assert not alive.is_lost(16.0)
    assert alive.is_lost(16.1)
    alive.note_received(16.0)
    assert not alive.is_lost(22.0)
    assert alive.is_lost(22.1)


@pytest.fixture
def broker(tmp_path: Path) -> Generator[Broker]:
    made = start_broker(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def _short_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "KEEP_ALIVE_S", 1)


@pytest.mark.live
@pytest.mark.usefixtures("_short_period")
def test_a_stopped_broker_is_noticed(broker: Broker) -> None:
    link, events = MqttLink(broker.url, "a"), list[object]()
    try:
        wait_until(lambda: any(isinstance(event, LinkUp) for event in link.poll(0.1)), 10.0, "the connection")
        os.kill(broker.pid, signal.SIGSTOP)
        wait_until(lambda: events.extend(link.poll(0.1)) or events, 10.0, "the end of the connection")
        assert events == [LinkDown("the broker is silent")]
    finally:
        os.kill(broker.pid, signal.SIGCONT)
        link.close()


@pytest.mark.live
@pytest.mark.usefixtures("_short_period")
def test_a_full_queue_does_not_end_the_connection(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_events, "MAX_QUEUED", 10)
    pings = list[float]()
    is_due = KeepAlive.is_due

    def count_due(alive: KeepAlive, now_s: float) -> bool:
        due = is_due(alive, now_s)
        pings.extend([now_s] * due)
        return due

    link, other = MqttLink(broker.url, "a", None, ["t"]), MqttLink(broker.url, "b")
    try:
        for one in (link, other):
            wait_until(lambda one=one: any(isinstance(event, LinkUp) for event in one.poll(0.1)), 10.0, "a connection")
        for number in range(5_000):
            other.publish(MqttMessage("t", b"%d" % number + bytes(2_000)))
        wait_until(lambda: link.queued >= mqtt_events.MAX_QUEUED, 10.0, "a full queue")
        monkeypatch.setattr(KeepAlive, "is_due", count_due)
        wait_until(lambda: pings and pings[-1] - pings[0] > 4.0, 20.0, "four periods of a full queue")
        found = list[object]()
        wait_until(lambda: found.extend(link.poll(0.1)) or len(found) >= 5_000, 20.0, "all messages")
        assert all(isinstance(event, MqttMessage) for event in found)
    finally:
        link.close()
        other.close()
