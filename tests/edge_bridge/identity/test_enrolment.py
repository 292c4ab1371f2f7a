"""A device enrols with a token over HTTPS, renews, and is refused where it should be."""

from __future__ import annotations

import base64
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from drivers.errors import LinkRefused, LinkSilent, PulseError, Refused, Usage
from edge_bridge.identity import enrolment, initial_setup, tls, x509
from edge_bridge.identity.authority import Authority
from edge_bridge.identity.claim_token import ClaimToken, parse_token
from edge_bridge.identity.identity_folder import open_identity
from edge_bridge.identity.renewal import CertificateRenewal
from edge_bridge.identity.x509 import CertificateKind
from tests.edge_bridge.identity.enrolment_server import serve_enrolment
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

NAMES = ["127.0.0.1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fleet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(initial_setup, "_choose_user", lambda _path: "somebody")  # type: ignore[misc]  # no broker here
        made, _ = initial_setup.set_up(tmp_path_factory.mktemp("fleet") / "dir", NAMES)
    return made.path


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def server(folder: Path) -> Generator[str]:
    with serve_enrolment(folder) as url:
        yield url


def test_a_device_enrols_once_with_a_key_of_its_own(server: str, authority: Authority, tmp_path: Path) -> None:
    token = str(authority.offer("pack-1"))
    found = enrolment.enrol(tmp_path / "identity", server, token)
    assert found.broker == "mqtts://127.0.0.1:8883"
    identity = open_identity(tmp_path / "identity")
    assert (identity.certificate.name, identity.certificate.kind) == ("pack-1", CertificateKind.DEVICE)
    assert sorted(path.name for path in identity.path.iterdir()) == ["ca.pem", "enrolment.json", "identity.pem"]
    assert {path.stat().st_mode & 0o077 for path in (identity.path, *identity.path.iterdir())} == {0}
    with pytest.raises(LinkRefused, match="the token for pack-1 is not valid: it was used"):
        enrolment.enrol(tmp_path / "thief", server, token)


def test_an_answer_that_was_lost_is_given_again_to_the_same_key(
    server: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = str(authority.offer("pack-lost"))
    with monkeypatch.context() as patch:
        patch.setattr(enrolment, "write_identity", _fail)
        with pytest.raises(OSError, match="No space left"):
            enrolment.enrol(tmp_path, server, token)
    enrolment.enrol(tmp_path, server, token)
    assert open_identity(tmp_path).certificate.name == "pack-lost"
    assert not (tmp_path / "pending.key").exists()


def test_of_two_devices_with_one_token_one_gets_in(server: str, authority: Authority, tmp_path: Path) -> None:
    token, results = str(authority.offer("pack-raced")), list[str]()

    def attempt(name: str) -> None:
        try:
            enrolment.enrol(tmp_path / name, server, token)
        except LinkRefused as error:
            results.append(error.code)
        else:
            results.append("in")

    threads = [threading.Thread(target=attempt, args=(f"d{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["in", "link_refused", "link_refused", "link_refused"]


def test_a_token_ends_with_its_time_and_with_the_next_one(server: str, authority: Authority, tmp_path: Path) -> None:
    past = Authority(authority.folder, lambda: datetime.now(UTC) - timedelta(hours=25))
    old = str(past.offer("pack-2"))
    with pytest.raises(LinkRefused, match="its time is over"):
        enrolment.enrol(tmp_path, server, old)
    first, second = authority.offer("pack-2"), authority.offer("pack-2")
    with pytest.raises(LinkRefused, match="replaced"):
        enrolment.enrol(tmp_path, server, str(first))
    enrolment.enrol(tmp_path, server, str(second))


def test_the_register_holds_no_token(authority: Authority) -> None:
    secret = authority.offer("pack-3").secret.encode()
    files = [path.read_bytes() for path in authority.folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not any(secret in data for data in files)


def test_a_server_in_between_gets_no_token(authority: Authority, folder: Path, tmp_path: Path) -> None:
    token = authority.offer("pack-4")
    elsewhere = ClaimToken(token.node, token.secret, "0" * 64)
    with serve_enrolment(folder) as url, pytest.raises(Refused, match="shows another authority than that of the token"):
        enrolment.enrol(tmp_path / "a", url, str(elsewhere))
    key, other = x509.make_private_key(), x509.make_private_key()
    foreign = x509.make_authority(other, "another", datetime.now(UTC))
    made = x509.issue(
        x509.make_request(key, "api"), CertificateKind.SERVER, foreign, other, datetime.now(UTC), places=NAMES
    )
    (tmp_path / "identity.pem").write_bytes(key + made.pem)
    with (
        serve_enrolment(folder, tmp_path) as url,  # shows the true authority, but does not have its certificate
        pytest.raises(LinkSilent, match="is not from the authority of this fleet"),
    ):
        enrolment.enrol(tmp_path / "b", url, str(token))
    with serve_enrolment(folder) as url:
        enrolment.enrol(tmp_path / "c", url, str(token))  # it was never sent before


def test_a_device_renews_with_a_new_key(server: str, authority: Authority, tmp_path: Path) -> None:
    enrolment.enrol(tmp_path, server, str(authority.offer("pack-5")))
    before = open_identity(tmp_path)
    key = before.read_key()
    assert enrolment.renew(tmp_path) >= before.certificate.not_after
    after = open_identity(tmp_path)
    assert after.certificate.serial != before.certificate.serial
    assert after.read_key() != key


def test_a_revoked_device_does_not_renew(server: str, authority: Authority, tmp_path: Path) -> None:
    enrolment.enrol(tmp_path, server, str(authority.offer("pack-6")))
    authority.revoke("pack-6")
    with pytest.raises(LinkRefused, match="the certificate of pack-6 is revoked"):
        enrolment.renew(tmp_path)


def test_a_failed_renewal_leaves_the_present_certificate(
    server: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment.enrol(tmp_path, server, str(authority.offer("pack-7")))
    before = open_identity(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(enrolment, "write_identity", _fail)
        with pytest.raises(OSError, match="No space left"):
            enrolment.renew(tmp_path)
    assert open_identity(tmp_path) == before


def test_the_edge_renews_when_a_third_of_the_time_is_left(server: str, authority: Authority, tmp_path: Path) -> None:
    enrolment.enrol(tmp_path, server, str(authority.offer("pack-8")))
    end = open_identity(tmp_path).certificate.not_after
    assert not enrolment.is_renewal_due(tmp_path)
    assert enrolment.is_renewal_due(tmp_path, end - timedelta(days=100))
    old = Authority(authority.folder, lambda: datetime.now(UTC) - timedelta(days=20))
    made = old.certify(
        x509.make_request(open_identity(tmp_path).read_key(), "pack-8"), CertificateKind.DEVICE, name="pack-8", days=25
    )
    enrolment.write_identity(tmp_path, authority.certificate, made.pem, open_identity(tmp_path).read_key())
    said = list[str]()
    renewal = CertificateRenewal(tmp_path, said.append, look_s=60.0)
    try:
        wait_until(lambda: said, what="the renewal")
    finally:
        renewal.close()
    assert said[0].startswith("the certificate is renewed until 20")
    assert not enrolment.is_renewal_due(tmp_path)


def test_a_renewal_that_fails_is_told_once(authority: Authority, tmp_path: Path) -> None:
    old = Authority(authority.folder, lambda: datetime.now(UTC) - timedelta(days=20))
    old.make_identity(tmp_path, "pack-9", CertificateKind.DEVICE, days=25)
    enrolment.write_state(tmp_path / "enrolment.json", {"version": 1, "server": "https://127.0.0.1:1", "broker": ""})
    said, looks = list[str](), list[int]()

    class CountingPath(type(Path())):
        """A path whose uses are counted."""

        def read_bytes(self) -> bytes:
            looks.append(1)
            return super().read_bytes()

    renewal = CertificateRenewal(CountingPath(tmp_path), said.append, look_s=0.001)
    try:
        wait_until(lambda: len(looks) > 3, what="several attempts")
    finally:
        renewal.close()
    assert len(said) == 1
    assert "https://127.0.0.1:1: Connection refused" in said[0]


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("the thief", "the request is not signed by the present key"),
        ("another fleet", "the present certificate is of another authority"),
        ("a host", "only devices renew over the network"),
        ("an expired device", "expired on"),
        ("another name", "the request is in the name 'victim', not in 'mallory'"),
    ],
)
def test_who_may_not_renew_is_refused(authority: Authority, tmp_path: Path, who: str, said: str) -> None:
    now = datetime.now(UTC)
    names = {"a host": ("fleet", CertificateKind.HOST)}
    name, kind = names.get(who, ("mallory", CertificateKind.DEVICE))
    late = Authority(authority.folder, lambda: now - timedelta(days=60))
    (late if who == "an expired device" else authority).make_identity(tmp_path, name, kind, days=30)
    found = open_identity(tmp_path)
    key, present = found.read_key(), found.certificate.pem
    if who == "another fleet":
        foreign = x509.make_private_key()
        own = x509.make_authority(foreign, "another", now)
        present = x509.issue(x509.make_request(key, name), kind, own, foreign, now).pem
    request = x509.make_request(x509.make_private_key(), "victim" if who == "another name" else name)
    signature = x509.sign_by_key(x509.make_private_key() if who == "the thief" else key, request)
    with pytest.raises(PulseError, match=said):
        authority.renew(present, request, signature)


@pytest.mark.parametrize("path", ["", "/renewal"])
@pytest.mark.parametrize(
    "fields",
    [
        {"token": "x", "request": "x", "certificate": "x", "signature": "x"},
        {"token": "x", "request": "-----BEGIN CERTIFICATE REQUEST-----", "certificate": "", "signature": "!"},
        {"token": 1, "request": None, "certificate": [], "signature": {}},
        {"token": "\0", "request": "\0", "certificate": "\0", "signature": "\0"},
        {"token": "x" * 10_000, "request": "x" * 100_000, "certificate": "x" * 100_000, "signature": "x" * 100_000},
        {},
    ],
)
def test_garbage_is_answered_with_an_error_of_the_sender(
    server: str, authority: Authority, path: str, fields: dict[str, object]
) -> None:
    answer = httpx.post(
        f"{server}/api/v1/enrolment{path}", json=fields, verify=tls.make_server_trust(pem=authority.certificate)
    )
    assert answer.status_code in (409, 422), answer.text


@pytest.mark.parametrize(
    "server", ["http://fleet.example:8443", "mqtts://127.0.0.1", "https://", "x", "https://h:port", "https://[::1"]
)
def test_only_https_is_asked(server: str, authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(Usage, match=r"write https://HOST:8443"):
        enrolment.enrol(tmp_path, server, str(authority.offer("pack-x")))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "p." + "a" * 32 + "." + "0" * 63, "p." + "A" * 32 + "." + "0" * 64])
def test_what_is_no_token_is_refused_before_anything_is_sent(text: str) -> None:
    with pytest.raises(Usage, match="copy the whole line"):
        parse_token(text)


def test_a_token_does_not_show_its_secret_in_a_log(authority: Authority) -> None:
    token = authority.offer("pack-y")
    assert token.secret not in repr(token)
    assert parse_token(f" {token}\n") == token


def test_the_signature_must_be_base64(server: str, authority: Authority) -> None:
    body = {"certificate": "x", "request": "x", "signature": base64.b64encode(b"x").decode() + "!"}
    trust = tls.make_server_trust(pem=authority.certificate)
    answer = httpx.post(f"{server}/api/v1/enrolment/renewal", json=body, verify=trust)
    assert "base64" in answer.json()["detail"]


def _fail(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")
