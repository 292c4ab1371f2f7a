"""A stolen pack: its connection is cut, and nothing that it has lets it in again, whatever happens to the broker."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BrokerMissing, Refused, Usage
from edge_bridge.identity import broker_control, initial_setup, tls
from edge_bridge.mqtt import MqttMessage
from tests.edge_bridge.identity.secure_fleet import (
    SecureFleet,
    read_refusal,
    refuse,
    serve_securely,
    wait_for_message,
    wait_for_up,
)

if TYPE_CHECKING:
    from collections.abc import Generator

REVOKED = tls.explain_reason("CERTIFICATE_REVOKED")


@pytest.fixture(scope="module")
def own() -> Generator[SecureFleet]:
    """A fleet whose broker these tests restart."""
    yield from serve_securely()


def revoke(secure: SecureFleet, node: str) -> None:
    secure.authority.revoke(node, "stolen")
    initial_setup.write_revocation_list(secure.authority, secure.fleet)
    assert broker_control.reload_files(secure.fleet)
    broker_control.block(secure.fleet, node, secure.url)


def test_revocation_cuts_an_open_connection_and_keeps_the_device_out(own: SecureFleet) -> None:
    stolen, other = own.make_device("stolen"), own.make_device("other")
    with closing(own.connect(stolen)) as thief, closing(own.connect(other, "spBv1.0/pulsebms/NCMD/other")) as link:
        wait_for_up(thief)
        wait_for_up(link)
        revoke(own, "stolen")
        assert read_refusal(thief) == "the connection was lost"
        assert refuse(own, stolen) == REVOKED
        with closing(own.connect(own.host)) as host:
            wait_for_up(host)
            host.publish(MqttMessage("spBv1.0/pulsebms/NCMD/other", b"still here"))
            wait_for_message(link, b"still here")


def test_two_revocations_in_the_same_second_both_hold(own: SecureFleet) -> None:
    devices = {name: own.make_device(name) for name in ("first", "second", "third")}
    for name, device in devices.items():
        revoke(own, name)
        assert refuse(own, device) == REVOKED


def test_a_revocation_holds_after_the_broker_was_killed(own: SecureFleet) -> None:
    stolen = own.make_device("killed")
    revoke(own, "killed")
    own.broker.kill()
    own.broker.start()
    assert refuse(own, stolen) == REVOKED


def test_a_blocked_device_has_no_rights_even_where_the_list_was_not_read(own: SecureFleet) -> None:
    blocked = own.make_device("blocked")
    broker_control.block(own.fleet, "blocked", own.url)
    with closing(own.connect(blocked)) as thief, closing(own.connect(own.host, "spBv1.0/#")) as host:
        wait_for_up(thief)
        wait_for_up(host)
        thief.publish(MqttMessage("spBv1.0/pulsebms/NDATA/blocked", b"forged", qos=1))
        with closing(own.connect(own.make_device("marker"))) as marker:
            wait_for_up(marker)
            marker.publish(MqttMessage("spBv1.0/pulsebms/NDATA/marker", b"own", qos=1))
            assert [one.topic for one in wait_for_message(host, b"own")] == ["spBv1.0/pulsebms/NDATA/marker"]


def test_a_device_that_is_enrolled_again_has_its_rights_again_and_the_old_certificate_has_none(
    own: SecureFleet,
) -> None:
    old = own.make_device("again")
    revoke(own, "again")
    broker_control.unblock(own.fleet, "again", own.url)
    kept = old.rename(old.with_name("kept"))
    new = own.make_device("again")
    assert refuse(own, kept) == REVOKED
    with closing(own.connect(new)) as link, closing(own.connect(own.host, "spBv1.0/#")) as host:
        wait_for_up(link)
        wait_for_up(host)
        link.publish(MqttMessage("spBv1.0/pulsebms/NDATA/again", b"row", qos=1))
        wait_for_message(host, b"row")


def test_revoking_twice_is_no_error(own: SecureFleet) -> None:
    own.make_device("twice")
    revoke(own, "twice")
    revoke(own, "twice")


def test_without_a_broker_the_revocation_holds_from_its_next_start(own: SecureFleet) -> None:
    stolen = own.make_device("later")
    own.broker.kill()
    try:
        own.authority.revoke("later", "stolen")
        initial_setup.write_revocation_list(own.authority, own.fleet)
        assert not broker_control.reload_files(own.fleet)
        with pytest.raises(BrokerMissing, match="start the broker of this fleet"):
            broker_control.block(own.fleet, "later", own.url, answer_s=0.5)
    finally:
        own.broker.start()
    assert refuse(own, stolen) == REVOKED


def test_who_was_never_certified_cannot_be_revoked(own: SecureFleet) -> None:
    with pytest.raises(Usage, match="no certificate was issued to nobody"):
        own.authority.revoke("nobody")


def test_a_device_gets_no_name_of_a_host(own: SecureFleet) -> None:
    for name in ("fleet", "control", "api", "broker"):
        with pytest.raises(Refused, match=f"{name} is the name of a "):
            own.authority.offer(name)


def test_renewed_servers_are_used_without_a_restart(own: SecureFleet) -> None:
    device = own.make_device("steady")
    with closing(own.connect(device)) as link:
        wait_for_up(link)
        initial_setup.renew(own.fleet.path)
        assert broker_control.reload_files(own.fleet)
        with closing(own.connect(own.host)) as host:
            wait_for_up(host)
        assert link.is_up
