"""The edge's link to a real mosquitto, the broker of a real fleet."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge_bridge.mqtt import LinkDown, LinkUp, MqttLink
from tests.mosquitto import MosquittoServer, serve
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="module")
def broker() -> Generator[MosquittoServer]:
    yield from serve()


def test_a_link_comes_back_after_the_broker_was_killed_and_started_again(broker: MosquittoServer) -> None:
    with closing(MqttLink(broker.url, "one")) as link:
        wait_until(lambda: any(isinstance(event, LinkUp) for event in link.poll()), what="the first connection")
        broker.kill()
        wait_until(lambda: any(isinstance(event, LinkDown) for event in link.poll()), what="the loss")
        broker.start()
        wait_until(lambda: any(isinstance(event, LinkUp) for event in link.poll()), what="the second connection")
