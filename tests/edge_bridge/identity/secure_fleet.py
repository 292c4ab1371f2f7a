"""A fleet with its authority and a real broker that speaks TLS alone, and clients that try what they may not."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_bridge.identity import initial_setup
from edge_bridge.identity.authority import Authority
from edge_bridge.identity.x509 import CertificateKind
from edge_bridge.mqtt import LinkDown, LinkEvent, LinkUp, MqttLink, MqttMessage
from tests.mosquitto import HOST, TRIES, MosquittoServer, PortTaken, find_port, require_program
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

    from edge_bridge.identity.initial_setup import FleetFolder


@dataclass
class SecureFleet:
    """A set-up fleet; `broker` runs with its files."""

    fleet: FleetFolder
    broker: MosquittoServer
    authority: Authority

    @property
    def host(self) -> Path:
        """The identity folder of the fleet's host."""
        return self.fleet.path / "host"

    @property
    def url(self) -> str:
        return f"mqtts://{HOST}:{self.fleet.port}"

    def make_device(self, name: str, days: float = 30.0) -> Path:
        """Return the identity folder of a device."""
        path = self.broker.folder / "devices" / name
        self.authority.make_identity(path, name, CertificateKind.DEVICE, days=days)
        return path

    def connect(self, identity: Path, *subscriptions: str, client_id: str = "any") -> MqttLink:
        return MqttLink(self.url, client_id, None, subscriptions, identity)


def serve_securely() -> Generator[SecureFleet]:
    """Set a fleet up and serve it until the generator is closed; skip without mosquitto."""
    program = require_program()
    folder = Path(tempfile.mkdtemp(prefix="pulse-secure-"))
    folder.chmod(0o711)  # the broker's user must reach its own folder within
    try:
        made = _start(program, folder)
        try:
            yield made
        finally:
            if made.broker.process is not None:
                made.broker.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(program: str, folder: Path) -> SecureFleet:
    for number in range(TRIES):
        fleet, _ = initial_setup.set_up(folder / f"fleet-{number}", ["127.0.0.1"], find_port(), address=HOST)
        server = MosquittoServer(program, folder, fleet.broker / "mosquitto.conf", fleet.port)
        try:
            server.start()
        except PortTaken:
            continue
        return SecureFleet(fleet, server, Authority(fleet.path))
    pytest.fail(f"mosquitto does not start: {(folder / 'output.log').read_text()[-2000:]}")


def wait_for_up(link: MqttLink) -> None:
    """Wait for the connection; fail with the reason if it is refused."""
    event = _wait_for_event(link)
    assert isinstance(event, LinkUp), event


def read_refusal(link: MqttLink) -> str:
    """Return why the connection was refused or lost."""
    event = _wait_for_event(link)
    assert isinstance(event, LinkDown), event
    return event.reason


def wait_for_message(link: MqttLink, payload: bytes) -> list[MqttMessage]:
    """Return the messages up to the one with this payload."""
    found = list[MqttMessage]()

    def look() -> bool:
        found.extend(event for event in link.poll() if isinstance(event, MqttMessage))
        return any(one.payload == payload for one in found)

    wait_until(look, what=f"the message {payload!r}")
    return found


def refuse(fleet: SecureFleet, identity: Path) -> str:
    """Return why a connection with this identity does not come about."""
    with closing(fleet.connect(identity)) as link:
        return read_refusal(link)


def _wait_for_event(link: MqttLink) -> LinkEvent:
    events = list[LinkEvent]()

    def look() -> bool:
        events.extend(event for event in link.poll() if not isinstance(event, MqttMessage))
        return bool(events)

    wait_until(look, what="the end of the attempt to connect")
    return events[0]
