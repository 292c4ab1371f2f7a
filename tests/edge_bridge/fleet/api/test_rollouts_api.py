"""Bundles and rollouts by API: verified, proposed, approved by another person, driven over a restart, reverted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import Refused
from edge_bridge.bundle import keys
from edge_bridge.bundle.verify import verify_signed
from edge_bridge.fleet.bundle_transfer import hash_bundle
from edge_bridge.fleet.people.roles import FleetRole
from edge_bridge.fleet.rollout import DeviceSight
from edge_bridge.fleet.rollout_book import RolloutBook
from edge_bridge.fleet.rollout_driver import RolloutDriver
from edge_bridge.fleet.store.audit_chain import AuditNote
from tests.edge_bridge.bundle.small import small
from tests.edge_bridge.fleet.api.people import PeopleApi, serve_people

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

NOW = datetime.fromtimestamp(1_800_000_000, UTC)
OCTETS = {"Content-Type": "application/octet-stream"}


class Bench:
    """An API with two bundles, people, and packs that tell what the test says."""

    def __init__(self, api: PeopleApi, key: Path, trust: Path) -> None:
        self.api, self.key, self.context = api, key, api.app.state.context
        self.bundles = {serial: self.add(serial) for serial in (5, 6)}
        for name, role in (("ann", FleetRole.OPERATOR), ("bob", FleetRole.APPROVER), ("cy", FleetRole.APPROVER)):
            api.add(name, role)
        api.add("nora", FleetRole.APPROVER, "north")
        self.sessions = {name: api.begin_session(name) for name in ("ann", "bob", "cy", "nora")}
        self.seen = dict[str, DeviceSight]()
        self.sent = list[tuple[str, str]]()
        self.senders = list[tuple[str, str]]()
        self.served = dict[str, str]()
        self.is_busy = False
        self.trust = trust

    def add(self, serial: int) -> str:
        data = small(self.key, serial)
        found = verify_signed(data, self.key.parent.parent / "trust", now=NOW)
        self.context.library.add(found, data, "test", AuditNote(0, "test", "bundle.upload", "bundle"))
        return found.sha256

    def ask(self, who: str, method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = self.api.ask(method, path, self.sessions[who], **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    def propose(self, who: str = "ann", status: int = 201, **choice: Any) -> Any:
        body = {"bundle": self.bundles[6], "devices": ["pack-1", "pack-2"], "canary": ["pack-1"], "soak_s": 60} | choice
        return self.ask(who, "POST", "/rollouts", status, json=body)

    def start_driver(self, host: str = "") -> RolloutDriver:
        """Start the driver of a host; of several, each serves the devices that `served` says."""

        def send(data: bytes, node: str) -> None:
            if self.is_busy:
                raise Refused("busy")
            self.sent.append((node, hash_bundle(data)))
            self.senders.append((host, node))

        context = self.context
        return RolloutDriver(
            RolloutBook(context.documents) if host else context.rollouts,
            lambda: self.seen,
            context.library.read,
            send,
            context.now_ms,
            serves=lambda node: not host or self.served.get(node) == host,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Generator[Bench]:
    private, public = keys.make_key(tmp_path / "keys", "release")
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / public.name).write_bytes(public.read_bytes())
    with serve_people(tmp_path, trust=tmp_path / "trust") as api:
        yield Bench(api, private, tmp_path / "trust")


def test_only_a_bundle_that_verifies_is_taken(bench: Bench) -> None:
    data = small(bench.key, 7)
    assert bench.ask("ann", "POST", "/bundles", 422, content=data, headers=OCTETS)["type"].endswith("bundle-refused")
    for wrong in (b"", b"no bundle", data[:-1], data.replace(b"EKF", b"XKF", 1)):
        bench.ask("ann", "POST", "/bundles", 422, content=wrong, headers=OCTETS)
    listed = bench.ask("ann", "GET", "/bundles")["bundles"]
    assert sorted(one["serial"] for one in listed) == [5, 6]
    page = bench.ask("ann", "GET", "/bundles", params={"limit": 1})
    rest = bench.ask("ann", "GET", "/bundles", params={"limit": 1, "cursor": page["next"]})
    assert [page["bundles"][0], rest["bundles"][0], rest["next"]] == [*listed, None]


def test_nobody_approves_what_the_same_person_proposed(bench: Bench) -> None:
    made = bench.propose("bob")
    path = f"/rollouts/{made['id']}/approve"
    assert bench.ask("bob", "POST", path, 403)["type"].endswith("second-person")
    bench.ask("ann", "POST", path, 403)
    bench.ask("nora", "POST", path, 403)
    assert bench.ask("cy", "POST", path)["approved_by"] == "cy"
    assert bench.ask("cy", "POST", path, 409)["type"].endswith("rollout-runs")
    entries = [(one.who, one.action) for one in bench.context.reader.read_audit(None, 10)]
    assert entries[:2] == [("cy", "rollout.approve"), ("bob", "rollout.propose")]


def test_a_rollout_is_for_devices_that_the_person_may_change(bench: Bench) -> None:
    bench.propose("nora", 403)
    made = bench.propose("nora", devices=None, site="north", canary=1)
    assert [one["node"] for one in made["devices"]] == ["pack-1"]
    bench.propose("ann", 422, site="north")
    bench.propose("ann", 422, devices=["never-seen"])
    bench.propose("ann", 422, canary=["never-seen"])
    bench.propose("ann", 422, devices=None, site="none", canary=1)
    bench.propose("ann", 404, bundle="0" * 64)
    assert bench.ask("nora", "GET", "/rollouts")["rollouts"][0]["id"] == made["id"]


def test_a_rollout_runs_over_a_restart_and_goes_back(bench: Bench) -> None:
    old, new = bench.bundles[5], bench.bundles[6]
    before = DeviceSight(online=True, running=old)
    bench.seen = {"pack-1": before, "pack-2": before}
    made = bench.propose()
    path = f"/rollouts/{made['id']}"
    driver = bench.start_driver()
    driver.turn()
    assert bench.sent == [], "nothing is sent before it is approved"
    bench.ask("cy", "POST", f"{path}/approve")
    bench.is_busy = True
    driver.turn()
    assert bench.sent == []
    bench.is_busy = False
    driver.turn()
    driver.turn()
    assert bench.sent == [("pack-1", new)]
    driver = bench.start_driver()
    driver.turn()
    assert bench.sent == [("pack-1", new)] * 2, "after a restart it is sent again"
    bench.seen["pack-1"] = DeviceSight(online=True, running=new, desired=new, state="healthy")
    driver.turn()
    assert bench.ask("ann", "GET", path)["phase"] == "soak"
    bench.api.advance(60_000)
    bench.ask("ann", "POST", f"{path}/pause")
    driver.turn()
    assert len(bench.sent) == 2
    bench.ask("bob", "POST", f"{path}/resume")
    driver.turn()
    assert bench.sent[2:] == [("pack-2", new)]
    bench.seen["pack-2"] = DeviceSight(online=True, running=old, desired=new, state="reverted", reason="no row")
    driver.turn()
    halted = bench.ask("ann", "GET", path)
    assert (halted["phase"], halted["reason"]) == ("halted", "pack-2: reverted: no row")
    assert "serial 5" in halted["no_way_back"]
    bench.ask("ann", "POST", f"{path}/revert", 409, json={})
    newer = bench.add(8)
    bench.ask("ann", "POST", f"{path}/revert", json={"bundle": newer})
    driver.turn()
    assert set(bench.sent[3:]) == {("pack-1", newer), ("pack-2", newer)}
    bench.seen = dict.fromkeys(bench.seen, DeviceSight(online=True, running=newer))
    driver.turn()
    assert bench.ask("ann", "GET", path)["phase"] == "reverted"


def test_a_proposal_is_withdrawn_and_never_begins(bench: Bench) -> None:
    path = f"/rollouts/{bench.propose()['id']}"
    assert bench.ask("ann", "POST", f"{path}/revert", json={})["phase"] == "withdrawn"
    bench.ask("cy", "POST", f"{path}/approve", 409)
    bench.ask("ann", "GET", "/rollouts/000000000000", 404)


def test_two_hosts_move_one_rollout_and_each_device_gets_it_once(bench: Bench) -> None:
    """Both serve one database: the canary's group is at the first host, the other device's at the second."""
    before = DeviceSight(online=True, running=bench.bundles[5])
    bench.seen = {"pack-1": before, "pack-2": before}
    bench.served = {"pack-1": "one", "pack-2": "two"}
    path = f"/rollouts/{bench.propose(soak_s=0)['id']}"
    bench.ask("cy", "POST", f"{path}/approve")
    drivers = [bench.start_driver("two"), bench.start_driver("one")]
    turn_all(drivers)
    turn_all(drivers)
    assert bench.senders == [("one", "pack-1")]
    bench.served["pack-1"] = "two"
    turn_all(drivers)
    turn_all(drivers)
    assert bench.senders[1:] == [("two", "pack-1")], "its group has moved: the new host goes on at once"
    bench.seen["pack-1"] = DeviceSight(True, bench.bundles[6], bench.bundles[6], "healthy")  # noqa: FBT003  # online
    for _ in range(3):
        turn_all(drivers)
    assert bench.senders[2:] == [("two", "pack-2")]
    bench.seen["pack-2"] = bench.seen["pack-1"]
    turn_all(drivers)
    assert bench.ask("ann", "GET", path)["phase"] == "done"


def turn_all(drivers: list[RolloutDriver]) -> None:
    for driver in drivers:
        driver._listed_s = float("-inf")  # pyright: ignore[reportPrivateUsage]  # look at the database now
        driver.turn()


def test_a_rollout_that_has_ended_is_removed_and_the_audit_keeps_it(bench: Bench) -> None:
    path = f"/rollouts/{bench.propose()['id']}"
    bench.ask("bob", "DELETE", path, 409)
    bench.ask("ann", "POST", f"{path}/revert", json={})
    bench.ask("nora", "DELETE", path, 403)
    bench.ask("ann", "DELETE", path, 403)
    assert bench.api.ask("DELETE", path, bench.sessions["bob"]).status_code == 204
    bench.ask("bob", "GET", path, 404)
    bench.ask("bob", "DELETE", path, 404)
    newest = bench.context.reader.read_audit(None, 1)[0]
    assert (newest.action, newest.object) == ("rollout.remove", path[1:].replace("rollouts", "rollout"))
    assert json.loads(newest.before) == {"phase": "withdrawn", "bundle": bench.bundles[6], "devices": 2}
