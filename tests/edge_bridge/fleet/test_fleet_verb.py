"""The verb `fleet` on a real broker: killed, refused, with a defect, beside another one."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from edge_bridge.fleet.fleet_thread import FleetSession
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
