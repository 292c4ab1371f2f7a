"""One node that floods: what is over its quota is dropped unread, and the other nodes do not wait for it."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.fleet_thread import FleetSession
from edge_bridge.fleet.host import HostApplication, Instant
from edge_bridge.fleet.node_quota import BIRTH_UNITS, MAX_UNITS, TELL_S, UNIT_BYTES, NodeQuotas
from edge_bridge.fleet.store.fleet_reader import EventFilter, FleetReader
from edge_bridge.fleet.store.records import Batch
from edge_bridge.mqtt import MqttLink, MqttMessage
from tests import mosquitto
from tests.edge_bridge.fleet.livepack import LivePack
from tests.edge_bridge.fleet.pack import START_MS, Pack
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

DATA = "spBv1.0/pulsebms/NDATA/{}"


def make_messages(node: str, count: int, size: int = 100) -> list[MqttMessage]:
    return [MqttMessage(DATA.format(node), bytes(size))] * count


def test_what_is_over_is_dropped_until_the_window_ends_and_others_are_admitted() -> None:
    quotas = NodeQuotas()
    mixed = make_messages("a", MAX_UNITS) + make_messages("b", 3) + make_messages("a", 5)
    assert quotas.admit(mixed, 0.0) == mixed[: MAX_UNITS + 3]
    assert quotas.admit(make_messages("a", 1), 0.9) == []
    assert quotas.admit(make_messages("a", 1), 1.0) == make_messages("a", 1)


@pytest.mark.parametrize(
    ("message", "most"),
    [
        (MqttMessage(DATA.format("a"), bytes(10 * UNIT_BYTES)), MAX_UNITS // 11),
        (MqttMessage("spBv1.0/pulsebms/NBIRTH/a", bytes(100)), MAX_UNITS // BIRTH_UNITS),
    ],
    ids=["large payloads", "births"],
)
def test_what_costs_more_counts_for_more(message: MqttMessage, most: int) -> None:
    assert len(NodeQuotas().admit([message] * MAX_UNITS, 0.0)) == most


def test_a_flood_is_counted_and_told_once_a_minute_of_known_nodes_alone() -> None:
    quotas = NodeQuotas()
    told = list[str]()
    for now_s in (0.0, 1.0, TELL_S):
        batch = Batch()
        for node in ("known", "stranger"):
            quotas.admit(make_messages(node, MAX_UNITS + 7), now_s)
        quotas.report(batch, {"known"}, START_MS)
        assert dict(batch.counts) == {("refused", "quota"): 14}
        told += [f"{event.node} {event.kind}" for event in batch.events]
    assert told == ["known quota"] * 2
    empty = Batch()
    quotas.report(empty, {"known"}, START_MS)
    assert not empty


def test_after_a_flood_the_host_asks_for_a_birth_and_goes_on() -> None:
    host, pack = HostApplication("pulsebms", "fleet"), Pack()
    host.handle_messages(
        [pack.birth(), *(pack.row(number) for number in range(1, MAX_UNITS + 9))], Instant(START_MS, 0), 0
    )
    batch, _ = host.drain()
    assert len(batch.rows) == MAX_UNITS
    later = Instant(START_MS + 1_500, 1.5)
    host.handle_messages([pack.row(MAX_UNITS + 10)], later, 0)
    batch, outgoing = host.drain()
    assert (len(batch.rows), [message.topic for message in outgoing]) == (0, ["spBv1.0/pulsebms/NCMD/pack-1"])
    host.handle_messages([pack.birth(), pack.row(MAX_UNITS + 1)], later, 0)
    assert len(host.drain()[0].rows) == 1


@pytest.fixture
def broker() -> Generator[mosquitto.MosquittoServer]:
    yield from mosquitto.serve()


class FloodingNode:
    """A node that sends as fast as its connection takes it, and a birth now and then, until it is closed."""

    def __init__(self, url: str) -> None:
        self.sent = 0
        self._closing = threading.Event()
        self._link = MqttLink(url, "edge-flood", None, ())
        self._thread = threading.Thread(target=self._run, name="flood")
        self._thread.start()

    def _run(self) -> None:
        pack, number = Pack("flood"), 0
        while not self._closing.is_set():
            burst = [pack.birth()]
            for _ in range(400):
                number += 1
                burst.append(pack.row(number))
            self.sent += self._link.publish_all(burst)
            for _ in self._link.poll(0.0):
                pass

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._link.close()


@pytest.mark.live
def test_twenty_nodes_get_all_rows_acknowledged_beside_one_that_floods(
    broker: mosquitto.MosquittoServer, tmp_path: Path
) -> None:
    db = tmp_path / "fleet.db"
    with ExitStack() as undo:
        session = undo.enter_context(closing(FleetSession(broker.url, db)))
        wait_until(lambda: session.snapshot().connected, 60.0, "the fleet is online")
        reader = undo.enter_context(closing(FleetReader(db)))
        flood = undo.enter_context(closing(FloodingNode(broker.url)))
        wait_until(lambda: session.snapshot().refused.get("quota", 0) > 0, 60.0, "the flood is over its quota")
        packs = [undo.enter_context(closing(LivePack(broker.url, f"calm-{number}"))) for number in range(20)]
        for _ in range(3):
            for pack in packs:
                pack.produce(20)
            wait_until(lambda: not any(pack.outbox for pack in packs), 60.0, "the rows of the others are acknowledged")

        def count_rows() -> dict[str, int]:
            return {node.node: node.rows for node in session.snapshot().nodes}

        wait_until(lambda: [count_rows().get(f"calm-{number}") for number in range(20)] == [60] * 20, 60.0, "the view")
        assert reader.read_events(EventFilter("flood", "quota"), None, 9)
        assert count_rows()["flood"] < flood.sent
