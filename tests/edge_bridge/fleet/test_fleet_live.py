"""The fleet on a real broker, as a window holds it and as the verb runs it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from drivers.errors import PulseError, StoreFailed, Usage
from edge_bridge.fleet.fleet_thread import FleetSession
from edge_bridge.mqtt import LinkUp, MqttLink, MqttMessage
from fixtures.broker import start_broker
from tests.edge_bridge.fleet.livepack import LivePack
from tests.waiting import wait_until
from tests.workbench.own_cli import run_here

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from fixtures.broker import Broker
    from tests.postgres import PostgresServer

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


class Verb:
    """`fleet` as a process."""

    def __init__(self, url: str, db: Path, *more: str, store: str = "") -> None:
        where = ("--store", store) if store else ("--db", str(db))
        command = [sys.executable, str(ROOT / "main.py"), "fleet", "--broker", url, *where, "--json", *more]
        self._errors = (db.parent / "stderr.txt").open("ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._errors, cwd=ROOT)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.kill()

    def end(self, *, ask: bool = True) -> tuple[int, dict[str, Any]]:
        """Exit status and JSON body, after SIGTERM or when it ends by itself."""
        if ask:
            self.process.send_signal(signal.SIGTERM)
        told, _ = self.process.communicate(timeout=LONG_S)
        self._errors.close()
        return self.process.returncode, json.loads(told)


def test_produced_is_stored_after_sigkill_of_broker_and_fleet(broker: Broker, tmp_path: Path) -> None:
    db = tmp_path / "fleet.db"
    with closing(LivePack(broker.url)) as pack:
        for disaster in ("fleet", "broker", "fleet"):
            with Verb(broker.url, db) as verb:
                pack.produce(200)
                until(lambda: len(pack.outbox) < 150, "some rows acknowledged")
                pack.produce(300)
                if disaster == "broker":
                    broker.kill()
                    pack.produce(100)
                    broker.restart()
                    until(lambda: not pack.outbox, "all rows acknowledged")
                verb.kill()
        pack.produce(100)
        with Verb(broker.url, db) as verb:
            until(lambda: not pack.outbox, "all rows acknowledged")
            status, body = verb.end()
    assert status == 0
    assert (body["produced"], body["stored"], body["duplicates"], body["missing"]) == (1700, 1700, 0, 0)
    (node,) = body["nodes"]
    assert (node["node"], node["rows"], node["bundle"]) == ("pack-1", 1700, "00" * 32)
    database = sqlite3.connect(db)
    found = [seq for (seq,) in database.execute("SELECT seq FROM row")]
    database.close()
    assert len(found) == 1700
    assert set(found) == set(range(1, 1701))


def test_nothing_acknowledged_is_lost_from_postgresql_after_sigkill_of_the_fleet(
    broker: Broker, server: PostgresServer, tmp_path: Path
) -> None:
    store = server.make_database()
    with closing(LivePack(broker.url)) as pack:
        for _ in range(2):
            with Verb(broker.url, tmp_path / "x", store=store) as verb:
                pack.produce(300)
                until(lambda: len(pack.outbox) < 250, "some rows acknowledged")
                pack.produce(300)
                verb.kill()
        with Verb(broker.url, tmp_path / "x", store=store) as verb:
            until(lambda: not pack.outbox, "all rows acknowledged")
            status, body = verb.end()
    assert status == 0
    assert (body["produced"], body["stored"], body["duplicates"], body["missing"]) == (1200, 1200, 0, 0)


@pytest.mark.parametrize(("defect", "status"), [("double-row", 1), ("lose-row", 0)])
def test_a_defect_of_the_fleet_is_found(broker: Broker, tmp_path: Path, defect: str, status: int) -> None:
    with closing(LivePack(broker.url)) as pack:
        pack.produce(40)
        with Verb(broker.url, tmp_path / "fleet.db", "--inject-defect", defect) as verb:
            until(lambda: not pack.outbox, "all rows acknowledged")
            ended, body = verb.end()
    assert ended == status
    assert (body["duplicates"], body["missing"]) == ((1, 0) if defect == "double-row" else (0, 1))


@pytest.mark.parametrize(("refuses", "status"), [("", 0), ("signed by a stranger", 1)])
def test_the_verb_sends_a_bundle_and_ends_with_it(broker: Broker, tmp_path: Path, refuses: str, status: int) -> None:
    bundle = tmp_path / "new.bundle"
    bundle.write_bytes(os.urandom(40_000))
    more = ("--send", str(bundle), "--to", "pack-1")
    with closing(LivePack(broker.url, refuses=refuses)), Verb(broker.url, tmp_path / "fleet.db", *more) as verb:
        ended, body = verb.end(ask=False)
    assert ended == status
    assert body["ok"] is not bool(status)
    assert body["sent"]["sha256"] == hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert (body["sent"]["state"], body["sent"]["reason"]) == ("refused" if refuses else "healthy", refuses)


def test_the_verb_brings_a_broker_along(tmp_path: Path) -> None:
    with Verb("local", tmp_path / "fleet.db", "--duration", "1") as verb:
        status, body = verb.end(ask=False)
    assert (status, body["ok"], body["produced"], body["nodes"]) == (0, True, 0, [])
    assert "broker   mqtt://127.0.0.1:" in (tmp_path / "stderr.txt").read_text()


def test_a_second_host_does_not_start_beside_one_that_is_online(broker: Broker, tmp_path: Path) -> None:
    with closing(FleetSession(broker.url, tmp_path / "first.db")) as first:
        until(lambda: first.snapshot().connected, "the first host is online")
        with Verb(broker.url, tmp_path / "second.db") as verb:
            status, body = verb.end(ask=False)
        assert (status, body["error"]["code"]) == (3, "other_host")
        assert "--take-over" in body["error"]["hint"]
        assert first.snapshot().trouble == ""  # nobody reported it offline
        with Verb(broker.url, tmp_path / "third.db", "--host", "spare", "--duration", "1") as other_id:
            assert other_id.end(ask=False)[0] == 0
        with Verb(broker.url, tmp_path / "second.db", "--take-over") as verb:
            until(lambda: "is online too" in first.snapshot().trouble, "the first host notices the second")
            assert verb.end()[0] == 0


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        (["--send", "README.md"], 2, "usage"),
        (["--send", "nowhere", "--to", "pack-1"], 2, "usage"),
        (["--inject-defect", "nonsense"], 2, "usage"),
        (["--group", "a/b"], 2, "usage"),
        (["--broker", "local:7"], 2, "usage"),
        (["--broker", "mqtts://host"], 2, "usage"),
        (["--broker", "mqtt://127.0.0.1:9", "--duration", "1"], 3, "broker_missing"),
    ],
)
def test_the_verb_says_what_makes_no_sense(tmp_path: Path, more: list[str], status: int, code: str) -> None:
    nobody, db = "mqtt://127.0.0.1:9", tmp_path / "fleet.db"
    done = run_here("fleet", "--broker", nobody, "--db", db, "--json", *more, folder=ROOT)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (status, code)
    assert error["hint"]
