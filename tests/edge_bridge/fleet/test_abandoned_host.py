"""A host whose lease has run out ends at once; a search for rows holds up neither commits nor turns."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from drivers.errors import StoreFailed
from edge_bridge.fleet.process import FleetHost
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.sqlite_store import SqliteStore
from edge_bridge.mqtt import LinkUp
from edge_bridge.sparkplug import wire
from edge_bridge.sparkplug.payload import DataType, SparkplugMetric
from tests.edge_bridge.fleet.pack import BOOT, Desk, Pack, asked
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from edge_bridge.fleet.store.records import Batch, CommitResult
    from edge_bridge.mqtt_events import LinkEvent
    from edge_bridge.mqtt_frames import MqttMessage
    from edge_bridge.ranges import Range


class FakeLink:
    """A connection that hears `events` and keeps what is sent."""

    is_up, queued, queued_bytes = True, 0, 0

    def __init__(self) -> None:
        self.events, self.sent = list["LinkEvent"]([LinkUp(None, 1)]), list["MqttMessage"]()

    @property
    def has_events(self) -> bool:
        return bool(self.events)

    def poll(self, wait_s: float = 0.0) -> list[LinkEvent]:
        del wait_s
        found, self.events = self.events, []
        return found

    def publish(self, message: MqttMessage) -> bool:
        return self.publish_all([message]) == 1

    def publish_all(self, messages: Sequence[MqttMessage]) -> int:
        self.sent += messages
        return len(messages)

    def close(self) -> None:
        self.is_up = False


class SlowStore(SqliteStore):
    """A store whose commits and searches end only when they may."""

    def __init__(self, path: Path) -> None:
        self.may_commit, self.may_search = threading.Event(), threading.Event()
        self.commits, self.searches, self.is_closed, self.fails = 0, 0, False, False
        super().__init__(path)

    def commit(self, batch: Batch) -> CommitResult:
        self.commits += 1
        self.may_commit.wait()
        return super().commit(batch)

    def find_missing(self, node: str, kept: Mapping[str, Sequence[Range]]) -> dict[str, list[Range]]:
        self.searches += 1
        if self.fails:
            raise StoreFailed("the server does not answer")
        self.may_search.wait()
        return super().find_missing(node, kept)

    def close(self) -> None:
        super().close()
        self.is_closed = True


class SlowHost:
    """A shard of a host on a slow store."""

    def __init__(self, path: Path) -> None:
        self.link, self.store, self.pack = FakeLink(), SlowStore(path), Pack()
        self.fleet = FleetHost(
            "mqtt://127.0.0.1:9",
            path,
            lambda: Desk.START,
            open_link=lambda _: self.link,
            open_store=lambda _: self.store,
        )

    def hear(self, *messages: MqttMessage) -> None:
        self.link.events += messages
        self.fleet.turn(0.0)

    def acknowledgements(self) -> int:
        return sum(b"Outbox/Acknowledged" in message.payload for message in self.link.sent)

    def release(self) -> None:
        self.store.may_commit.set()
        self.store.may_search.set()


@pytest.fixture
def slow(tmp_path: Path) -> Generator[SlowHost]:
    made = SlowHost(tmp_path / "fleet.db")
    yield made
    made.release()
    if not made.store.is_closed:
        made.fleet.close()


def test_an_abandoned_host_returns_at_once_and_commits_nothing_that_waits(slow: SlowHost, tmp_path: Path) -> None:
    slow.hear(slow.pack.birth(), slow.pack.row(1))
    wait_until(lambda: slow.store.commits == 1, what="the commit that hangs")
    slow.hear(slow.pack.row(2))
    slow.fleet.abandon()
    assert not slow.link.is_up
    assert not slow.store.is_closed  # the commit still uses it
    slow.release()
    wait_until(lambda: slow.store.is_closed, what="the end of the commit")
    assert (slow.store.commits, slow.acknowledgements()) == (1, 0)
    with closing(open_store(tmp_path / "fleet.db")) as store:
        assert asked(store, "SELECT seq FROM row") == [(1,)]


def test_a_turn_of_a_shard_does_not_wait_for_a_commit(slow: SlowHost) -> None:
    for number in range(1, 6):
        slow.hear(*([slow.pack.birth()] if number == 1 else []), slow.pack.row(number))
    assert slow.store.commits == 1
    slow.release()

    def turn() -> bool:
        slow.hear()
        return slow.fleet.view().totals.stored == 5

    wait_until(turn, what="the commits")
    assert slow.acknowledgements() == 2  # of the first batch, and of all that came meanwhile


def make_keeping_birth(pack: Pack, kept: str) -> MqttMessage:
    """A birth of a pack that keeps these acknowledged rows."""
    birth = pack.birth()
    payload = wire.decode(birth.payload)
    told = SparkplugMetric("Outbox/Kept", None, DataType.STRING, f"{BOOT}:{kept}", payload.timestamp_ms)
    return replace(birth, payload=wire.encode(replace(payload, metrics=(*payload.metrics, told))))


def test_a_search_that_hangs_holds_up_no_commit(slow: SlowHost) -> None:
    slow.store.may_commit.set()
    slow.hear(make_keeping_birth(slow.pack, "1-9"))
    wait_until(lambda: bool(slow.hear() or slow.store.searches), what="the search that hangs")
    slow.hear(slow.pack.row(10))
    wait_until(lambda: bool(slow.hear() or slow.acknowledgements()), what="the commit of a row")
    slow.hear(make_keeping_birth(slow.pack, "1-5"))  # what was searched for is old now
    slow.store.may_search.set()
    wait_until(lambda: bool(slow.hear() or slow.fleet.view().flagged.get("resend_asked")), what="the request")
    asked_for = [message.payload for message in slow.link.sent if b"Outbox/Resend" in message.payload]
    assert len(asked_for) == 1
    assert f"{BOOT}:1-5".encode() in asked_for[0]
    assert slow.store.searches == 2


def test_a_search_that_fails_is_told_and_tried_again(slow: SlowHost) -> None:
    slow.release()
    slow.store.fails = True
    slow.hear(make_keeping_birth(slow.pack, "1-9"))
    wait_until(lambda: "looked for" in (slow.hear() or slow.fleet.view().trouble), what="the trouble")
    slow.store.fails = False
    wait_until(lambda: bool(slow.hear() or slow.fleet.view().flagged.get("resend_asked")), what="the request")
    assert slow.fleet.view().trouble == ""
