"""What a device may do at the real broker, tried by devices that want more."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from edge_bridge.identity import initial_setup, tls, x509
from edge_bridge.identity.authority import Authority
from edge_bridge.identity.identity_folder import write_identity
from edge_bridge.identity.x509 import CertificateKind
from edge_bridge.mqtt import MqttLink, MqttMessage
from tests.edge_bridge.identity.secure_fleet import SecureFleet, read_refusal, refuse, wait_for_message, wait_for_up

if TYPE_CHECKING:
    from pathlib import Path

ALL = "spBv1.0/#"


def publish(link: MqttLink, topic: str, payload: bytes) -> None:
    assert link.publish(MqttMessage(topic, payload, qos=1))


def pass_by(secure: SecureFleet, topic: str, *, sender: str = "thief") -> list[str]:
    """Let a device publish to `topic`, then as itself; return the topics that the host received."""
    with (
        closing(secure.connect(secure.host, ALL)) as host,
        closing(secure.connect(secure.make_device(sender))) as device,
    ):
        wait_for_up(host)
        wait_for_up(device)
        publish(device, topic, b"forged")
        publish(device, f"spBv1.0/pulsebms/NDATA/{sender}", b"own")
        return [one.topic for one in wait_for_message(host, b"own")]


@pytest.mark.parametrize("kind", ["NBIRTH", "NDATA", "NDEATH"])
def test_a_device_publishes_as_itself(secure: SecureFleet, kind: str) -> None:
    own = f"spBv1.0/pulsebms/{kind}/thief"
    assert own in pass_by(secure, own)


@pytest.mark.parametrize(
    "topic",
    [
        "spBv1.0/pulsebms/NBIRTH/victim",
        "spBv1.0/pulsebms/NDATA/victim",
        "spBv1.0/pulsebms/NDEATH/victim",
        "spBv1.0/pulsebms/NDATA/thief/victim",
        "spBv1.0/pulsebms/NDATA/THIEF",
        "spBv1.0/pulsebms/DDATA/thief",
        "spBv1.0/STATE/fleet",
        "spBv1.0/STATE/thief",
        "elsewhere/thief",
    ],
)
def test_a_device_publishes_as_nobody_else(secure: SecureFleet, topic: str) -> None:
    assert pass_by(secure, topic) == ["spBv1.0/pulsebms/NDATA/thief"]


@pytest.mark.parametrize("victim", ["victim", "thief"])
def test_a_device_sends_no_command_and_so_no_acknowledgement(secure: SecureFleet, victim: str) -> None:
    command = f"spBv1.0/pulsebms/NCMD/{victim}"
    with (
        closing(secure.connect(secure.make_device("thief"))) as thief,
        closing(secure.connect(secure.make_device("victim"), command, "spBv1.0/STATE/+")) as device,
        closing(secure.connect(secure.host)) as host,
    ):
        for link in (thief, device, host):
            wait_for_up(link)
        publish(thief, command, b"forged")
        with closing(secure.connect(secure.make_device("other"), "spBv1.0/pulsebms/NCMD/other")) as marker:
            wait_for_up(marker)  # the broker has handled what came before
        publish(host, "spBv1.0/pulsebms/NCMD/victim" if victim == "victim" else "spBv1.0/STATE/fleet", b"true")
        assert [one.payload for one in wait_for_message(device, b"true")] == [b"true"]


@pytest.mark.parametrize("topics", [("spBv1.0/pulsebms/NCMD/victim",), (ALL,), ("#",), ("$share/g/spBv1.0/+/NCMD/+",)])
def test_a_device_reads_nothing_of_another(secure: SecureFleet, topics: tuple[str, ...]) -> None:
    own = "spBv1.0/pulsebms/NCMD/thief"
    with (
        closing(secure.connect(secure.make_device("thief"), own, *topics)) as thief,
        closing(secure.connect(secure.host)) as host,
        closing(secure.connect(secure.make_device("victim"))) as victim,
    ):
        for link in (thief, host, victim):
            wait_for_up(link)
        publish(victim, "spBv1.0/pulsebms/NDATA/victim", b"of the victim")
        publish(host, "spBv1.0/pulsebms/NCMD/victim", b"for the victim")
        with closing(secure.connect(secure.make_device("other"))) as marker:
            wait_for_up(marker)
        publish(host, own, b"for the thief")
        assert {one.topic for one in wait_for_message(thief, b"for the thief")} == {own}


def test_a_device_reads_neither_the_brokers_state_nor_its_control(secure: SecureFleet) -> None:
    own, control = "spBv1.0/pulsebms/NCMD/thief", "$CONTROL/dynamic-security/v1"
    device = secure.make_device("thief")
    with (
        closing(secure.connect(secure.host)) as host,
        closing(secure.connect(device, own, "$SYS/#", f"{control}/#")) as thief,
    ):
        wait_for_up(host)
        wait_for_up(thief)
        publish(thief, control, b'{"commands":[{"command":"createClient","username":"mallory","password":"x"}]}')
        publish(thief, "spBv1.0/pulsebms/NDATA/thief", b"x")
        publish(host, own, b"for the thief")
        assert [one.topic for one in wait_for_message(thief, b"for the thief")] == [own]
    assert "mallory" not in (secure.fleet.broker / "dynamic-security.json").read_text()


@pytest.mark.parametrize("node", ["thief", "victim"])
def test_the_last_will_of_a_device_is_for_itself_only(secure: SecureFleet, node: str) -> None:
    will = MqttMessage(f"spBv1.0/pulsebms/NDEATH/{node}", b"will", qos=1)
    device = secure.make_device("thief")
    with closing(secure.connect(secure.host, ALL)) as host:
        wait_for_up(host)
        with closing(MqttLink(secure.url, "any", lambda: will, (), device)) as thief:
            wait_for_up(thief)
            kill_connection(secure, device)
        with closing(secure.connect(device)) as again:
            wait_for_up(again)
            publish(again, "spBv1.0/pulsebms/NDATA/thief", b"own")
            topics = {one.topic for one in wait_for_message(host, b"own")}
    assert (will.topic in topics) == (node == "thief")


def test_a_device_takes_over_no_connection_by_its_client_id(secure: SecureFleet) -> None:
    own = "spBv1.0/pulsebms/NCMD/victim"
    with (
        closing(secure.connect(secure.make_device("victim"), own, client_id="edge-pulsebms-victim")) as victim,
        closing(secure.connect(secure.host)) as host,
    ):
        wait_for_up(victim)
        wait_for_up(host)
        with closing(secure.connect(secure.make_device("thief"), client_id="edge-pulsebms-victim")) as thief:
            wait_for_up(thief)
            publish(host, own, b"still here")
            wait_for_message(victim, b"still here")
            assert victim.is_up


def test_the_host_has_the_rights_of_a_host_and_no_control(secure: SecureFleet) -> None:
    state = "spBv1.0/STATE/fleet"
    with (
        closing(secure.connect(secure.make_device("victim"), "spBv1.0/+/NCMD/victim", state)) as device,
        closing(secure.connect(secure.host, "spBv1.0/pulsebms/+/+", "$CONTROL/#")) as host,
    ):
        wait_for_up(device)
        wait_for_up(host)
        publish(host, "$CONTROL/dynamic-security/v1", b'{"commands":[{"command":"listClients"}]}')
        publish(host, state, b"online")
        publish(host, "spBv1.0/pulsebms/NCMD/victim", b"command")
        publish(device, "spBv1.0/pulsebms/NDATA/victim", b"row")
        assert [one.payload for one in wait_for_message(device, b"command")] == [b"online", b"command"]
        assert [one.payload for one in wait_for_message(host, b"row")] == [b"row"]


def test_nobody_without_a_certificate_gets_in(secure: SecureFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    context = tls.make_server_trust(secure.host / "ca.pem")
    context.sslsocket_class = tls.VerdictSocket
    monkeypatch.setattr(tls, "make_client_context", Mock(return_value=context))
    assert refuse(secure, secure.host) == tls.explain_reason("CERTIFICATE_REQUIRED")


def test_what_is_said_about_an_expired_certificate(secure: SecureFleet, tmp_path: Path) -> None:
    late = Authority(secure.fleet.path, lambda: datetime.now(UTC) - timedelta(days=40))
    late.make_identity(tmp_path / "old", "old", CertificateKind.DEVICE, days=30)
    assert "the certificate of old expired on " in refuse(secure, tmp_path / "old")


def test_the_broker_refuses_an_expired_certificate_too(
    secure: SecureFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Authority(secure.fleet.path, lambda: datetime.now(UTC) - timedelta(days=40))
    late.make_identity(tmp_path / "old", "old", CertificateKind.DEVICE, days=30)
    monkeypatch.setattr(tls, "find_own_trouble", Mock(return_value=""))  # as if its own clock were wrong
    assert refuse(secure, tmp_path / "old") == tls.explain_reason("CERTIFICATE_EXPIRED")


def test_a_certificate_of_another_fleet_is_refused(
    secure: SecureFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, other_key = x509.make_private_key(), x509.make_private_key()
    other = x509.make_authority(other_key, "another", datetime.now(UTC))
    made = x509.issue(x509.make_request(key, "fleet"), CertificateKind.HOST, other, other_key, datetime.now(UTC))
    write_identity(tmp_path / "foreign", other, made.pem, key)
    assert "is not from the authority of this fleet" in refuse(secure, tmp_path / "foreign")
    context = tls.make_client_context(tmp_path / "foreign")
    context.load_verify_locations(secure.host / "ca.pem")
    monkeypatch.setattr(tls, "make_client_context", Mock(return_value=context))  # trusts the broker all the same
    assert refuse(secure, tmp_path / "foreign") == tls.explain_reason("UNKNOWN_CA")


def test_a_certificate_for_a_server_is_none_for_a_client(secure: SecureFleet) -> None:
    assert refuse(secure, secure.fleet.path / "api") == tls.explain_reason("UNSUPPORTED_CERTIFICATE")


def test_without_tls_the_broker_does_not_answer(secure: SecureFleet) -> None:
    with closing(MqttLink(secure.url.replace("mqtts", "mqtt"), "any")) as link:
        assert read_refusal(link)


def test_tls_1_1_is_refused(secure: SecureFleet) -> None:
    program = shutil.which("openssl") or pytest.skip("no openssl is installed (Debian: apt install openssl)")
    words = [program, "s_client", "-connect", f"127.0.0.1:{secure.fleet.port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
    answer = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    assert answer.returncode != 0
    assert b"alert protocol version" in answer.stderr


def test_a_second_host_needs_an_identity_of_its_own(secure: SecureFleet, tmp_path: Path) -> None:
    initial_setup.add_host(secure.authority, secure.fleet, "fleet-2", tmp_path / "fleet-2")
    secure.broker.reload()
    with (
        closing(secure.connect(secure.host, ALL)) as first,
        closing(secure.connect(tmp_path / "fleet-2", ALL)) as second,
        closing(secure.connect(secure.make_device("victim"))) as device,
    ):
        for link in (first, second, device):
            wait_for_up(link)
        publish(device, "spBv1.0/pulsebms/NDATA/victim", b"row")
        wait_for_message(first, b"row")
        wait_for_message(second, b"row")


def kill_connection(secure: SecureFleet, identity: Path) -> None:
    """Take the connection of a device over with its own name: the broker sends the will of the former one."""
    with closing(secure.connect(identity)) as link:
        wait_for_up(link)
