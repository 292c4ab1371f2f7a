"""The fleet on a real broker, as a window holds it."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import PulseError, StoreFailed, Usage
from edge_bridge.fleet.fleet_thread import FleetSession
from edge_bridge.mqtt import LinkUp, MqttLink, MqttMessage
from fixtures.broker import start_broker
from tests.edge_bridge.fleet.livepack import LivePack
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from fixtures.broker import Broker

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[3]
LONG_S = 60.0


def until(done: Callable[[], bool], what: str) -> None:
    wait_until(done, LONG_S, what, every_s=0.02)


@pytest.fixture
def broker(tmp_path: Path) -> Generator[Broker]:
    made = start_broker(tmp_path / "broker")
    yield made
    made.stop()


@pytest.fixture
def session(broker: Broker, tmp_path: Path) -> Generator[FleetSession]:
    made = FleetSession(broker.url, tmp_path / "fleet.db")
    until(lambda: made.snapshot().connected, "the fleet is there")  # or it never hears the birth of a silent pack
    yield made
    made.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "fleet"]


def stored(session: FleetSession) -> int:
    return session.snapshot().totals.stored


def test_a_pack_is_seen_and_its_rows_are_stored_and_acknowledged(broker: Broker, session: FleetSession) -> None:
    with closing(LivePack(broker.url)) as pack:
        pack.produce(300)
        until(lambda: not pack.outbox, "all rows acknowledged")
        until(lambda: stored(session) == 300, "all rows shown")
        (node,) = session.snapshot().nodes
        assert (node.node, node.online, node.bundle, node.rows) == ("pack-1", True, "00" * 32, 300)
        assert session.snapshot().totals.missing == 0
    until(lambda: not session.snapshot().nodes[0].online, "the pack has left")


@pytest.mark.timed
def test_a_pack_that_is_cut_off_is_shown_to_be_gone(broker: Broker, session: FleetSession) -> None:
    with closing(LivePack(broker.url)) as pack:
        until(lambda: bool(session.snapshot().nodes), "the pack is there")
        usurper = MqttLink(broker.url, "edge-pack-1")  # takes its place at the broker, which tells its will
        until(lambda: any(isinstance(event, LinkUp) for event in usurper.poll()), "the usurper is there")
        usurper.close()
        until(lambda: pack.pack.bd_seq > 0 and session.snapshot().nodes[0].online, "and is back by itself")


def test_a_killed_broker_is_outlived(broker: Broker, session: FleetSession) -> None:
    with closing(LivePack(broker.url)) as pack:
        pack.produce(50)
        until(lambda: stored(session) == 50, "rows before")
        broker.kill()
        until(lambda: not session.snapshot().connected, "the broker is missed")
        assert not session.snapshot().nodes[0].online
        pack.produce(50)
        broker.restart()
        until(lambda: stored(session) == 100, "rows after")
        view = session.snapshot()
        assert view.connected
        assert view.nodes[0].online
        assert view.outage_s > 0.0


def test_a_fleet_that_starts_without_a_broker_goes_on_when_there_is_one(broker: Broker, tmp_path: Path) -> None:
    broker.kill()
    with closing(FleetSession(broker.url, tmp_path / "fleet.db")) as session:
        until(lambda: "refused" in session.snapshot().trouble, "the reason is told")
        broker.restart()
        until(lambda: session.snapshot().connected, "connected")
        assert session.snapshot().outage_s == 0.0


def test_a_bundle_is_sent_and_followed_to_its_end(broker: Broker, session: FleetSession, tmp_path: Path) -> None:
    bundle = tmp_path / "new.bundle"
    bundle.write_bytes(os.urandom(150_000))
    with closing(LivePack(broker.url)) as pack:
        until(lambda: bool(session.snapshot().nodes), "the pack is there")
        session.send_bundle(bundle, "pack-1")
        until(lambda: (found := session.progress("pack-1")) is not None and found.is_over, "the bundle's end")
        assert pack.received == bundle.read_bytes()
        progress = session.progress("pack-1")
        assert progress is not None
        assert (progress.state, progress.received, progress.size) == ("healthy", 150_000, 150_000)
        until(lambda: session.snapshot().nodes[0].bundle == progress.sha256, "the running bundle is told")


def test_a_bundle_goes_on_after_the_broker_was_killed(broker: Broker, session: FleetSession, tmp_path: Path) -> None:
    bundle = tmp_path / "new.bundle"
    bundle.write_bytes(os.urandom(3_000_000))
    with closing(LivePack(broker.url)) as pack:
        until(lambda: bool(session.snapshot().nodes), "the pack is there")
        session.send_bundle(bundle, "pack-1")
        until(lambda: len(pack.received) > 100_000, "some of it arrives")
        broker.kill()
        broker.restart()
        until(lambda: (found := session.progress("pack-1")) is not None and found.is_over, "the bundle's end")
        assert pack.received == bundle.read_bytes()


def test_what_cannot_be_sent_is_refused_at_once(session: FleetSession, tmp_path: Path) -> None:
    bundle = tmp_path / "new.bundle"
    bundle.write_bytes(b"x")
    with pytest.raises(Usage, match="no message of a node pack-7 has been received; start an edge first"):
        session.send_bundle(bundle, "pack-7")
    with pytest.raises(Usage, match="cannot be read"):
        session.send_bundle(tmp_path / "nowhere", "pack-7")


def test_a_session_is_refused_what_makes_no_sense(broker: Broker, tmp_path: Path) -> None:
    for url, db, group in (
        ("http://x", tmp_path / "a.db", "pulsebms"),
        (broker.url, tmp_path / "nowhere" / "a.db", "pulsebms"),
        (broker.url, tmp_path / "a.db", "a/b"),
    ):
        with pytest.raises(Usage):
            FleetSession(url, db, group=group)
    FleetSession(broker.url, tmp_path / "a.db").close()  # nothing was left locked


def test_a_full_disk_is_told_and_nothing_is_acknowledged(
    broker: Broker, session: FleetSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_bridge.fleet.store.sqlite_store import SqliteStore  # noqa: PLC0415  # only here

    with closing(LivePack(broker.url)) as pack:
        pack.produce(10)
        until(lambda: stored(session) == 10, "rows before")
        take = SqliteStore.commit

        def full(store: SqliteStore, batch: Any) -> Any:
            raise StoreFailed("database or disk is full")

        monkeypatch.setattr(SqliteStore, "commit", full)
        pack.produce(10)
        until(lambda: "disk is full" in session.snapshot().trouble, "the disk is told")
        assert len(pack.outbox) == 10
        monkeypatch.setattr(SqliteStore, "commit", take)
        until(lambda: stored(session) == 20, "rows after")
        assert session.snapshot().trouble == ""


def test_a_defect_in_the_fleets_thread_is_told_and_not_hidden(
    broker: Broker, session: FleetSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("edge_bridge.fleet.host.HostApplication.drain", broken)

    def failed() -> bool:
        try:
            session.snapshot()
        except PulseError as error:
            return "a defect" in str(error)
        return False

    until(failed, "the failure is raised")
    monkeypatch.undo()


def test_a_stranger_on_the_broker_is_counted_and_harms_nobody(broker: Broker, session: FleetSession) -> None:
    stranger = MqttLink(broker.url, "stranger")
    until(lambda: any(isinstance(event, LinkUp) for event in stranger.poll()), "the stranger is there")
    with closing(LivePack(broker.url)) as pack:
        for octets in (b"", b"\xff" * 50, bytes(70_000)):
            for kind in ("NBIRTH", "NDEATH", "NDATA", "DDATA"):  # the last one is none of a node: it does not arrive
                stranger.publish(MqttMessage(f"spBv1.0/pulsebms/{kind}/stranger", octets))
            stranger.publish(MqttMessage("spBv1.0/pulsebms/NDATA/a stranger", octets))
        stranger.publish(MqttMessage("spBv1.0/STATE/fleet", b'{"online": false, "timestamp": 0}', 1, retain=True))
        pack.produce(20)
        until(lambda: stored(session) == 20, "the pack's rows")
        until(lambda: session.snapshot().refused.get("topic") == 3, "strange topics")
        refused = session.snapshot().refused
        assert (refused["oversized"], refused["no_birth"]) == (2, 3)  # data before a birth are not decoded
    stranger.close()
