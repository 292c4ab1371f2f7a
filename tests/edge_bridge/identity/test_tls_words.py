"""What a link says about a broker that it cannot trust, in words that tell what to do."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from edge_bridge.identity import x509
from edge_bridge.identity.identity_folder import write_identity
from edge_bridge.identity.x509 import CertificateKind
from edge_bridge.mqtt import MqttLink
from tests.edge_bridge.identity.secure_fleet import read_refusal
from tests.mosquitto import HOST, find_port

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

NOW = datetime.now(UTC)
KEY, OTHER_KEY = x509.make_private_key(), x509.make_private_key()
AUTHORITY = x509.make_authority(KEY, "fleet", NOW - timedelta(days=100))


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    write_identity(tmp_path / "own", AUTHORITY, *_make("pack", NOW))
    return tmp_path / "own"


def _make(
    name: str, now: datetime, *places: str, key: bytes = KEY, authority: bytes = AUTHORITY
) -> tuple[bytes, bytes]:
    own = x509.make_private_key()
    kind = CertificateKind.SERVER if places else CertificateKind.DEVICE
    return x509.issue(x509.make_request(own, name), kind, authority, key, now, days=30, places=places).pem, own


@contextmanager
def serve(path: Path, made: tuple[bytes, bytes] | None) -> Generator[str]:
    """Answer each connection with a handshake, or without TLS with an HTTP error."""
    context = None
    if made is not None:
        path.write_bytes(made[1] + made[0])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
    with socket.create_server((HOST, find_port())) as listener:
        thread = threading.Thread(target=_answer, args=(listener, context))
        thread.start()
        try:
            yield f"mqtts://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            if context is None:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                continue
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                continue


@pytest.mark.parametrize(
    ("days", "places", "said"),
    [
        (-60, ("127.0.0.1",), "has expired, or the clock of this machine"),
        (60, ("127.0.0.1",), "is not valid yet: the clock of this machine"),
        (0, ("broker.example", "10.0.0.5"), "the certificate of the broker is not for 127.0.0.1; use a name"),
    ],
)
def test_a_broker_with_a_wrong_certificate(
    identity: Path, tmp_path: Path, days: int, places: tuple[str, ...], said: str
) -> None:
    made = _make("broker", NOW + timedelta(days=days), *places)
    with serve(tmp_path / "server.pem", made) as url, closing(MqttLink(url, "a", None, (), identity)) as link:
        assert said in read_refusal(link)


def test_a_broker_of_another_authority(identity: Path, tmp_path: Path) -> None:
    other = x509.make_authority(OTHER_KEY, "fleet", NOW)  # even one of the same name
    made = _make("broker", NOW, "127.0.0.1", key=OTHER_KEY, authority=other)
    with serve(tmp_path / "server.pem", made) as url, closing(MqttLink(url, "a", None, (), identity)) as link:
        assert "is not from the authority of this fleet" in read_refusal(link)


def test_a_device_that_poses_as_the_broker(identity: Path, tmp_path: Path) -> None:
    made = _make("pack-7", NOW)
    with serve(tmp_path / "server.pem", made) as url, closing(MqttLink(url, "a", None, (), identity)) as link:
        assert "is not accepted: unsuitable certificate purpose" in read_refusal(link)


def test_what_does_not_speak_tls(identity: Path, tmp_path: Path) -> None:
    with serve(tmp_path / "server.pem", None) as url, closing(MqttLink(url, "a", None, (), identity)) as link:
        assert read_refusal(link) == "what answers there does not speak TLS; use the port of mqtts (8883)"


def test_nobody_there(identity: Path) -> None:
    with closing(MqttLink("mqtts://127.0.0.1:1", "a", None, (), identity)) as link:
        assert read_refusal(link) == "Connection refused"
