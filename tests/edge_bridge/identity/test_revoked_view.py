"""A pack that is cut off is offline for the fleet at once, and the fleet says why."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.process import FleetHost
from edge_bridge.fleet.store.fleet_reader import EventFilter, FleetReader
from edge_bridge.fleet.why_offline import DeviceEvidence, diagnose
from edge_bridge.identity import broker_control
from edge_bridge.identity.revocation_notice import make_notice
from tests.edge_bridge.fleet.livepack import LivePack
from tests.edge_bridge.fleet.pack import Pack
from tests.edge_bridge.identity.secure_fleet import SecureFleet, wait_for_up
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path


@pytest.fixture
def host(secure: SecureFleet, tmp_path: Path) -> Generator[FleetHost]:
    with closing(FleetHost(secure.url, tmp_path / "fleet.db", read_clocks, identity=secure.host)) as made:
        turn_until(made, lambda: made.is_connected, "the host is online")
        yield made


def turn_until(host: FleetHost, is_done: Callable[[], bool], what: str) -> None:
    def look() -> bool:
        host.turn(0.02)
        return is_done()

    wait_until(look, 60.0, what)


def is_online(host: FleetHost, name: str) -> bool:
    return any(node.node == name and node.online for node in host.view().nodes)


def test_a_revoked_pack_goes_offline_at_once_and_the_fleet_says_why(
    secure: SecureFleet, host: FleetHost, tmp_path: Path
) -> None:
    stolen = LivePack(secure.url, "seen-stolen", identity=secure.make_device("seen-stolen"))
    other = LivePack(secure.url, "seen-other", identity=secure.make_device("seen-other"))
    with closing(stolen), closing(other), closing(FleetReader(tmp_path / "fleet.db")) as reader:

        def read_kinds(name: str) -> dict[str, str]:
            return {one.kind: one.detail for one in reader.read_events(EventFilter(name), None, 50)}

        turn_until(host, lambda: is_online(host, "seen-stolen") and is_online(host, "seen-other"), "both are online")
        secure.authority.revoke("seen-stolen", "stolen")
        broker_control.block(secure.fleet, "seen-stolen", secure.url)
        turn_until(host, lambda: not is_online(host, "seen-stolen"), "the pack is offline")
        turn_until(host, lambda: "revoked" in read_kinds("seen-stolen"), "the event is stored")
        assert read_kinds("seen-stolen")["offline"] == "its certificate was revoked"
        assert is_online(host, "seen-other")
        assert "offline" not in read_kinds("seen-other")
        events = [(one.kind, one.t_ms) for one in reader.read_events(EventFilter("seen-stolen"), None, 50)]
    known = DeviceEvidence(
        read_clocks().ms, is_known=True, is_online=False, host_trouble="", last_ms=None, births_ms=[1], events=events
    )
    assert diagnose(known)[0].cause == "revoked"


def test_a_device_cannot_say_that_another_was_cut_off(secure: SecureFleet, host: FleetHost) -> None:
    forger, victim = secure.make_device("forger"), secure.make_device("victim")
    with (
        closing(LivePack(secure.url, "victim", identity=victim)),
        closing(secure.connect(forger)) as link,
    ):
        turn_until(host, lambda: is_online(host, "victim"), "the pack is online")
        wait_for_up(link)
        link.publish_all([make_notice("victim"), Pack("forger").birth()])
        turn_until(host, lambda: is_online(host, "forger"), "what came later on the same connection is here")
        assert is_online(host, "victim")
