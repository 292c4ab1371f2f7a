"""One connection for several shards: each hears its own groups and every STATE."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from drivers.errors import Usage
from edge_bridge.fleet.shard_links import ShardLinks
from edge_bridge.identity.revocation_notice import FILTER, make_notice
from edge_bridge.mqtt import LinkDown, LinkUp, MqttLink, MqttMessage
from fixtures.broker import start_broker
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from edge_bridge.fleet.shard_links import ShardLink
    from edge_bridge.mqtt_events import LinkEvent
    from fixtures.broker import Broker

pytestmark = pytest.mark.live
STATE = "spBv1.0/STATE/fleet"
OFFLINE = MqttMessage(STATE, b"offline", qos=1)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Generator[Broker]:
    started = start_broker(tmp_path_factory.mktemp("broker"))
    yield started
    started.stop()


@pytest.fixture
def other(broker: Broker) -> Generator[MqttLink]:
    with closing(MqttLink(broker.url, "other", None, ["spBv1.0/+/NCMD/+", STATE])) as link:
        wait_until(lambda: any(isinstance(event, LinkUp) for event in link.poll()), what="the other client")
        yield link


def make_links(broker: Broker) -> ShardLinks:
    return ShardLinks(broker.url, "host", lambda: OFFLINE)


def topic(group: str, kind: str = "NDATA") -> str:
    return f"spBv1.0/{group}/{kind}/pack-1"


def wait_for(link: ShardLink | MqttLink, is_it: Callable[[LinkEvent], bool], what: str) -> list[LinkEvent]:
    found = list["LinkEvent"]()

    def look() -> bool:
        found.extend(link.poll())
        return any(map(is_it, found))

    wait_until(look, what=what)
    return found


def wait_for_up(*parts: ShardLink) -> list[LinkEvent]:
    early = [list["LinkEvent"](), *(part.poll() for part in parts[1:])]  # they join before the connection is made
    found = list["LinkEvent"]()
    for part, events in zip(parts, early, strict=True):
        is_up = any(isinstance(event, LinkUp) for event in events)
        found += events if is_up else events + wait_for(part, lambda event: isinstance(event, LinkUp), "a connection")
    return found


def read_payloads(events: list[LinkEvent]) -> list[bytes]:
    return [event.payload for event in events if isinstance(event, MqttMessage)]


def is_last(event: LinkEvent) -> bool:
    return isinstance(event, MqttMessage) and event.payload == b"last"


def test_each_shard_hears_its_groups_and_every_state(broker: Broker, other: MqttLink) -> None:
    links = make_links(broker)
    with (
        closing(links.open([STATE, "spBv1.0/north/+/+", "spBv1.0/west/+/+", FILTER])) as one,
        closing(links.open([STATE, "spBv1.0/south/+/+", FILTER])) as two,
    ):
        assert wait_for_up(one, two) == [LinkUp(OFFLINE, 1)] * 2
        for group in ("north", "south", "west", "east", "north", "south"):
            other.publish(MqttMessage(topic(group), group.encode()))
        other.publish_all([make_notice("pack-1"), MqttMessage(STATE, b"last")])
        heard = [read_payloads(wait_for(part, is_last, "STATE")) for part in (one, two)]
        assert heard == [[b"north", b"west", b"north", b"revoked", b"last"], [b"south", b"south", b"revoked", b"last"]]


def test_a_shard_that_comes_renews_the_connection_and_nothing_is_sent_before_its_owner_knows(
    broker: Broker, other: MqttLink
) -> None:
    links = make_links(broker)
    with closing(links.open([STATE, "spBv1.0/north/+/+"])) as one:
        wait_for_up(one)
        with closing(links.open([STATE, "spBv1.0/south/+/+", FILTER])) as two:
            heard = wait_for(one, lambda event: isinstance(event, LinkUp), "the next connection")
            assert [type(event) for event in heard] == [LinkDown, LinkUp]
            assert (one.is_up, two.is_up) == (True, False)
            assert not two.publish(MqttMessage(topic("south", "NCMD"), b"too early"))
            wait_for_up(two)
            assert two.publish(MqttMessage(topic("south", "NCMD"), b"last"))
            (told,) = wait_for(other, is_last, "the command")
            assert isinstance(told, MqttMessage)
        heard = wait_for(one, lambda event: isinstance(event, LinkUp), "the connection without the other shard")
        assert [type(event) for event in heard] == [LinkDown, LinkUp]
        assert one.publish(MqttMessage(topic("north", "NCMD"), b"last"))
        wait_for(other, is_last, "the command")


def test_what_the_last_shard_published_is_sent_before_the_connection_ends(broker: Broker, other: MqttLink) -> None:
    links = make_links(broker)
    one = links.open([STATE, "spBv1.0/north/+/+"])
    wait_for_up(one)
    for number in range(500):
        one.publish(MqttMessage(topic("north", "NCMD"), b"%d" % number))
    one.publish(MqttMessage(topic("north", "NCMD"), b"last"))
    one.close()
    assert not one.is_up
    assert links.link is None
    heard = wait_for(other, is_last, "the last command")
    assert len(heard) == 501  # and no will


def test_a_host_without_a_shard_has_no_connection_and_an_address_is_checked_at_once(broker: Broker) -> None:
    links = make_links(broker)
    links.update(0.0)
    assert links.link is None
    with pytest.raises(Usage, match="needs the certificate"):
        ShardLinks("mqtts://127.0.0.1:8883", "host", lambda: OFFLINE)
