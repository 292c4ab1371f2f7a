"""Every parser that meets the network, fed with valid input that was damaged: it reads it or refuses it in its words.

The short form runs always, the long one with `make soak`.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.errors import PulseError
from edge_bridge.bundle import archive, envelope
from edge_bridge.edge.node import EdgeNode, NodeNames
from edge_bridge.fleet import commands
from edge_bridge.identity import x509
from edge_bridge.identity.claim_token import make_token, parse_token
from edge_bridge.identity.x509 import CertificateKind
from edge_bridge.mqtt import MqttMessage
from edge_bridge.sparkplug import acks, topics, wire
from edge_bridge.sparkplug.payload import PayloadError
from tests.edge_bridge.fleet.pack import Pack

if TYPE_CHECKING:
    from collections.abc import Callable

SOAK_EXAMPLES: Final = int(os.environ.get("PULSEBMS_FUZZ_EXAMPLES", "100000"))
QUICK: Final = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    database=None,
)
LONG: Final = settings(QUICK, max_examples=SOAK_EXAMPLES)

NOW: Final = datetime.now(UTC)
KEY: Final = x509.make_private_key()
AUTHORITY: Final = x509.make_authority(KEY, "fleet", NOW)
REQUEST: Final = x509.make_request(KEY, "pack-1")
CERTIFICATE: Final = x509.issue(REQUEST, CertificateKind.DEVICE, AUTHORITY, KEY, NOW).pem
NAMES: Final = NodeNames("pulsebms", "pack-1", "fleet")
STATE: Final = json.dumps({"online": True, "timestamp": 1_700_000_000_000}).encode()


def as_text(parse: Callable[[str], Any]) -> Callable[[bytes], Any]:
    return lambda data: parse(data.decode(errors="surrogateescape"))


def take_state(data: bytes) -> None:
    EdgeNode(NAMES, 0).handle(MqttMessage("spBv1.0/STATE/fleet", data))


def take_command(data: bytes) -> None:
    EdgeNode(NAMES, 0).handle(MqttMessage("spBv1.0/pulsebms/NCMD/pack-1", data))


def take_certificate(data: bytes) -> None:
    x509.read_certificate(data)
    x509.is_issued_by(data, AUTHORITY)
    x509.is_signed_by(data, b"message", b"signature")


PARSERS: Final[dict[str, tuple[Callable[[bytes], Any], bytes]]] = {
    "topic": (as_text(topics.parse_topic), b"spBv1.0/pulsebms/NDATA/pack-1"),
    "payload": (wire.decode, Pack().birth().payload),
    "state at the host": (commands.parse_state, STATE),
    "state at the edge": (take_state, STATE),
    "command at the edge": (take_command, Pack().birth().payload),
    "acknowledgement": (as_text(acks.parse_acks), b"0123456789abcdef:1-40,57,60-61;00ff:7"),
    "bundle archive": (archive.unpack, archive.pack({"a.json": b"{}", "b/c.txt": b"text"})),
    "bundle envelope": (envelope.decode_envelope, b'{"payload": "e30=", "payloadType": "x", "signatures": []}'),
    "token": (as_text(parse_token), str(make_token("pack-1", "0" * 64)).encode()),
    "certificate request": (x509.read_request, REQUEST),
    "certificate": (take_certificate, CERTIFICATE),
}


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    """The seed with up to four runs of bytes replaced, cut out or doubled; now and then something else altogether."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(start + draw(st.integers(0, 8)), len(data))
        data[start:end] = draw(st.one_of(st.binary(max_size=8), st.just(bytes(data[start:end]) * 2)))
    return bytes(data)


def feed(name: str, data: bytes) -> None:
    try:
        PARSERS[name][0](data)
    except (PayloadError, PulseError) as error:
        assert str(error)  # noqa: PT017  # any other error fails the test by itself


@pytest.mark.parametrize("name", PARSERS)
def test_the_undamaged_input_is_read(name: str) -> None:
    if name not in ("bundle envelope", "command at the edge"):  # these two need more than a parser
        PARSERS[name][0](PARSERS[name][1])


@pytest.mark.parametrize("name", PARSERS)
@QUICK
@given(data=st.data())
def test_damaged_input_is_read_or_refused(name: str, data: st.DataObject) -> None:
    feed(name, data.draw(damaged(PARSERS[name][1])))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", PARSERS)
@LONG
@given(data=st.data())
def test_damaged_input_is_read_or_refused_for_long(name: str, data: st.DataObject) -> None:
    feed(name, data.draw(damaged(PARSERS[name][1])))
