"""The verbs of the secure set-up, in the order of the guide, on a real broker."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import Usage
from edge_bridge.identity import initial_setup, tls, x509
from edge_bridge.identity.identity_folder import open_identity
from tests.edge_bridge.fleet.livepack import LivePack
from tests.edge_bridge.identity.enrolment_server import serve_enrolment
from tests.edge_bridge.identity.secure_fleet import SecureFleet, refuse, wait_for_up
from tests.waiting import wait_until
from tests.workbench.own_cli import run_here
from workbench.compose.edge_identity import choose_identity, enrol_once
from workbench.report import Exit

if TYPE_CHECKING:
    from pathlib import Path


def run(*words: object) -> dict[str, Any]:
    """Run a verb below `fleet`; return its object."""
    done = run_here("fleet", *words, "--json")
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_from_init_to_rows_that_are_stored(secure: SecureFleet, tmp_path: Path) -> None:
    token = run("enroll", "pack-1", "--dir", secure.fleet.path)["token"]
    own, said = tmp_path / "state" / "identity", list[str]()
    with serve_enrolment(secure.fleet.path) as server:
        enrol_once(own, server, token, said.append)
        enrol_once(own, server, token, said.append)  # the same command starts the edge again
    assert said == ["enrolled as pack-1"]
    broker, identity, node = choose_identity("", None, own, "")
    assert (broker, identity, node) == (secure.url, own, "pack-1")
    with closing(LivePack(broker, node, identity=identity)) as pack:
        pack.produce(20)
        found = run("--tls", secure.fleet.path, "--db", tmp_path / "fleet.db", "--duration", 3)
        wait_until(lambda: not pack.outbox, what="the last acknowledgement")
    assert (found["stored"], found["duplicates"], found["missing"]) == (20, 0, 0)


def test_init_tells_what_to_do_next_and_changes_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initial_setup, "_choose_user", lambda _path: "somebody")  # type: ignore[misc]  # no broker here
    first = run_here("fleet", "init", tmp_path / "dir", "--name", "broker.example")
    assert first.returncode == Exit.OK
    assert f"mosquitto -c {tmp_path}/dir/broker/mosquitto.conf" in first.stdout
    second = run_here("fleet", "init", tmp_path / "dir")
    assert second.returncode == Exit.OK
    assert "nothing is changed" in second.stdout


def test_a_device_without_a_network_gets_a_certificate_for_its_request(secure: SecureFleet, tmp_path: Path) -> None:
    key = x509.make_private_key()
    (tmp_path / "request.pem").write_bytes(x509.make_request(key, "field-1"))
    words = ("field-1", "--dir", secure.fleet.path, "--out", tmp_path / "out", "--request", tmp_path / "request.pem")
    run("certify", *words)
    made = tmp_path / "out"
    assert sorted(path.name for path in made.iterdir()) == ["ca.pem", "certificate.pem"]
    (made / "identity.pem").touch(mode=0o600)
    (made / "identity.pem").write_bytes(key + (made / "certificate.pem").read_bytes())
    with closing(secure.connect(made)) as link:
        wait_for_up(link)
    other = run_here("fleet", "certify", "field-2", *words[1:4], tmp_path / "other", *words[5:])
    assert other.returncode == Exit.CHECK_FAILED
    assert "the request is in the name 'field-1', not in 'field-2'" in other.stdout + other.stderr


def test_revoke_and_identities(secure: SecureFleet, tmp_path: Path) -> None:
    run("certify", "pack-9", "--dir", secure.fleet.path, "--out", tmp_path / "pack-9")
    with closing(secure.connect(tmp_path / "pack-9")) as link:
        wait_for_up(link)
        found = run("revoke", "pack-9", "--dir", secure.fleet.path, "--reason", "stolen")
        assert (found["certificates"], found["cut"], found["reloaded"]) == (1, True, True)
    assert refuse(secure, tmp_path / "pack-9") == tls.explain_reason("CERTIFICATE_REVOKED")
    listed = run("identities", "pack-9", "--dir", secure.fleet.path)["identities"]
    assert [(one["state"], one["reason"]) for one in listed] == [("revoked", "stolen")]
    run("enroll", "pack-9", "--dir", secure.fleet.path)
    secure.authority.make_identity(tmp_path / "new", "pack-9", x509.CertificateKind.DEVICE)
    with closing(secure.connect(tmp_path / "new")) as link:
        wait_for_up(link)


def test_an_edge_takes_the_name_of_its_certificate(secure: SecureFleet, tmp_path: Path) -> None:
    device = secure.make_device("pack-3")
    assert choose_identity(secure.url, device, tmp_path, "") == (secure.url, device, "pack-3")
    with pytest.raises(Usage, match="the certificate of this device is for pack-3, not for pack-4"):
        choose_identity(secure.url, device, tmp_path, "pack-4")
    with pytest.raises(Usage, match="Missing option '--broker'"):
        choose_identity("", None, tmp_path, "")
    assert choose_identity("mqtt://localhost", None, tmp_path, "") == ("mqtt://localhost", None, "pack")


def test_the_built_in_broker_says_what_it_is(tmp_path: Path) -> None:
    done = run_here("fleet", "--broker", "local", "--db", tmp_path / "fleet.db", "--duration", "1")
    assert done.returncode == Exit.OK, done.stderr
    assert "without TLS, for up to 1 000 connections, loopback only" in done.stdout


def test_a_fleet_does_not_speak_plainly_over_the_network(tmp_path: Path) -> None:
    done = run_here("fleet", "--broker", "mqtt://broker.example", "--db", tmp_path / "fleet.db")
    assert done.returncode == Exit.BAD_INPUT
    assert "would send everything unprotected over the network; use mqtts://" in done.stdout + done.stderr
    assert not (tmp_path / "fleet.db").exists()


def test_a_second_hosts_identity(secure: SecureFleet, tmp_path: Path) -> None:
    run("certify", "fleet-3", "--host", "--dir", secure.fleet.path, "--out", tmp_path / "fleet-3")
    assert open_identity(tmp_path / "fleet-3").certificate.kind == x509.CertificateKind.HOST
    done = run_here("fleet", "--tls", tmp_path / "fleet-3", "--db", tmp_path / "fleet.db")
    assert done.returncode == Exit.BAD_INPUT
    assert "names no broker; add --broker mqtts://HOST:PORT" in done.stdout + done.stderr
