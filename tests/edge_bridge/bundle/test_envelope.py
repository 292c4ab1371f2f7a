"""The DSSE envelope, against the specification's own example."""

from __future__ import annotations

import json

import pytest

from drivers.errors import BundleRefused
from edge_bridge.bundle import canonical_json, envelope
from edge_bridge.bundle.envelope import Envelope, decode_envelope, encode_envelope, pae

ONE = Envelope(b'{"a":1}', "0" * 64, bytes(64))


def test_pae_is_that_of_the_specification() -> None:
    # secure-systems-lab/dsse, protocol.md, test vector
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_pae_counts_octets_not_letters() -> None:
    assert pae("é", "é".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xa9"


def test_an_envelope_comes_back() -> None:
    assert decode_envelope(encode_envelope(ONE)) == ONE


def changed(**fields: object) -> bytes:
    return canonical_json.dump_json(json.loads(encode_envelope(ONE)) | fields)


ROW = json.loads(encode_envelope(ONE))["signatures"][0]


@pytest.mark.parametrize(
    ("octets", "key"),
    [
        (b"", "changed"),
        (b"[]", "changed"),
        (b"[" * 100_000, "changed"),
        (b'{"a":' * 100_000, "changed"),
        (b"9" * 10_000, "changed"),
        (b"\xff\xfe", "changed"),
        (b"NaN", "changed"),
        (encode_envelope(ONE) + b" ", "changed"),
        (encode_envelope(ONE).replace(b":", b": ", 1), "changed"),
        (changed(more=1), "changed"),
        (changed(payload="e30"), "changed"),
        (changed(payload="eyJhIjoxfR=="), "changed"),
        (changed(payload=7), "changed"),
        (changed(payloadType="application/vnd.in-toto+json"), "not_a_bundle"),
        (changed(payloadType=None), "not_a_bundle"),
        (changed(payloadType="\ud800"), "not_a_bundle"),
        (changed(signatures={}), "changed"),
        (changed(signatures=None), "changed"),
        (changed(signatures=[]), "unsigned"),
        (changed(signatures=[ROW, ROW]), "bad_signature"),
        (changed(signatures=[7]), "changed"),
        (changed(signatures=[{"sig": ROW["sig"]}]), "changed"),
        (changed(signatures=[ROW | {"keyid": 7}]), "changed"),
        (changed(signatures=[ROW | {"keyid": "\ud800" * 64}]), "changed"),
        (changed(signatures=[ROW | {"sig": "AAAA"}]), "bad_signature"),
        (changed(signatures=[ROW | {"sig": None}]), "changed"),
        (changed(signatures=[ROW | {"note": ""}]), "changed"),
    ],
)
def test_an_envelope_of_another_form_is_refused(octets: bytes, key: str) -> None:
    with pytest.raises(BundleRefused) as caught:
        decode_envelope(octets)
    assert caught.value.key == key
    str(caught.value).encode()  # can be printed anywhere


def test_the_payload_is_what_was_signed() -> None:
    assert ONE.signed_bytes.endswith(b" 7 " + ONE.payload)
    assert envelope.PAYLOAD_TYPE.encode() in ONE.signed_bytes
