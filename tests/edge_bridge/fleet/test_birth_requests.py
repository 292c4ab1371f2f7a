"""A host that comes back asks its nodes for births at a pace that leaves it time for their rows."""

from __future__ import annotations

from edge_bridge.fleet.birth_requests import BIRTHS_PER_S, MAX_AT_ONCE, REBIRTH_S
from edge_bridge.fleet.host import HostApplication, Instant
from edge_bridge.fleet.store.records import NodeRecord
from edge_bridge.mqtt import MqttMessage
from edge_bridge.sparkplug.topics import MessageKind, Topic

START_MS = 1_790_000_000_000


def instant(mono_s: float) -> Instant:
    return Instant(START_MS + round(1_000 * mono_s), mono_s)


def make_host(nodes: int) -> HostApplication:
    known = [
        NodeRecord(f"pack-{number}", online=False, last_ms=None, status={}, group="pulsebms") for number in range(nodes)
    ]
    return HostApplication("pulsebms", "fleet", known)


def asked(host: HostApplication) -> list[str]:
    """The nodes that were asked since the last call."""
    _, outgoing = host.drain()
    return [message.topic.rpartition("/")[2] for message in outgoing if "/NCMD/" in message.topic]


def test_all_nodes_are_asked_in_their_order_at_the_pace() -> None:
    host, now_s = make_host(3_000), 10.0
    host.handle_connected(0, instant(now_s))
    found = asked(host)
    assert len(found) == MAX_AT_ONCE
    while len(found) < 3_000:
        now_s += 0.1
        host.request_due_births(instant(now_s))
        some = asked(host)
        assert 0 < len(some) <= 0.1 * BIRTHS_PER_S + 1
        found += some
    assert found == list(host.nodes)
    assert now_s <= 10.0 + 2_000 / BIRTHS_PER_S + 0.2


def test_one_that_was_asked_a_moment_ago_keeps_its_turn() -> None:
    host = make_host(2)
    host.handle_connected(0, instant(10.0))
    host.handle_disconnected()
    host.handle_connected(0, instant(10.0 + REBIRTH_S / 2.0))
    assert asked(host) == ["pack-0", "pack-1"]
    host.request_due_births(instant(10.0 + REBIRTH_S))
    assert asked(host) == ["pack-0", "pack-1"]


def test_invented_names_do_not_keep_a_node_from_being_asked() -> None:
    host = make_host(1)
    topics = [Topic("pulsebms", MessageKind.NDATA, f"invented-{number}") for number in range(5_000)]
    host.handle_messages([MqttMessage(str(topic), b"") for topic in topics], instant(10.0), 0)
    host.handle_connected(0, instant(10.0))
    assert "pack-0" in asked(host)
