"""The signature around a manifest: a DSSE envelope (secure-systems-lab, protocol and envelope v1.0.2), as pure bytes.

DSSE lets a key id be any hint and an envelope have many signatures. Here it has one, its key id names the key, and
the envelope has one fixed form, so that no byte of it can change unnoticed.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final, cast

from drivers.errors import BundleRefused
from edge_bridge.bundle import canonical_json

ENVELOPE: Final = "envelope.json"
PAYLOAD_TYPE: Final = "application/vnd.pulsebms.bundle+json"
SIGNATURE_BYTES: Final = 64  # RFC 8032
KEY_ID: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Envelope:
    """The signed payload, the id of its key and the signature."""

    payload: bytes
    keyid: str
    signature: bytes

    @property
    def signed_bytes(self) -> bytes:
        return pae(PAYLOAD_TYPE, self.payload)


def pae(kind: str, body: bytes) -> bytes:
    """Make the pre-authentication encoding, which DSSE signs instead of the bare body."""
    named = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(named), named, len(body), body)


def encode_envelope(envelope: Envelope) -> bytes:
    """Write the member `envelope.json`."""
    signature = {"keyid": envelope.keyid, "sig": _encode_base64(envelope.signature)}
    body = {"payload": _encode_base64(envelope.payload), "payloadType": PAYLOAD_TYPE, "signatures": [signature]}
    return canonical_json.dump_json(body)


def decode_envelope(data: bytes) -> Envelope:
    """Read the member `envelope.json`; raise `BundleRefused` (changed, not_a_bundle, unsigned, bad_signature)."""
    try:
        parsed: Any = canonical_json.parse_json(data)
    except ValueError as error:
        raise _make_changed_error(f"it cannot be read: {error}") from error
    if not isinstance(parsed, dict):
        raise _make_changed_error("it is not a JSON object")
    fields = cast("dict[str, Any]", parsed)
    kind = fields.get("payloadType")
    if kind != PAYLOAD_TYPE:
        raise BundleRefused(
            f"is not a bundle: its envelope contains {ascii(kind)[:80]}",
            key="not_a_bundle", value=ascii(kind)[:80], bound=PAYLOAD_TYPE, hint="name a bundle file",
        )  # fmt: skip
    envelope = _parse_envelope(fields)
    if encode_envelope(envelope) != data:
        raise _make_changed_error("it is not in the form of a bundle's envelope")
    return envelope


def _parse_envelope(fields: dict[str, Any]) -> Envelope:
    signatures: Any = fields.get("signatures")
    if not isinstance(signatures, list):
        raise _make_changed_error("its signatures are not a list")
    rows = cast("list[Any]", signatures)
    if not rows:
        raise BundleRefused("is not signed", key="unsigned", hint="install only what the validation team signed")
    if len(rows) > 1:
        what = f"has {len(rows)} signatures, a bundle has one"
        raise BundleRefused(what, key="bad_signature", value=len(rows), bound=1, hint="build it again")
    try:
        keyid, signature = rows[0]["keyid"], _decode_base64(rows[0]["sig"])
        payload = _decode_base64(fields["payload"])
    except (KeyError, TypeError, ValueError) as error:
        raise _make_changed_error(f"a part of it is missing or is not base64 ({type(error).__name__})") from error
    if not (isinstance(keyid, str) and KEY_ID.fullmatch(keyid)):
        raise _make_changed_error("its key id is not a SHA-256")
    if len(signature) != SIGNATURE_BYTES:
        what = f"has a signature of {len(signature)} bytes, Ed25519 has {SIGNATURE_BYTES}"
        raise BundleRefused(
            what, key="bad_signature", value=len(signature), bound=SIGNATURE_BYTES, hint="build it again"
        )
    return Envelope(payload, keyid, signature)


def _encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode_base64(text: Any) -> bytes:
    """Decode base64; raise `ValueError` for text that is not base64, `TypeError` for a value that is not text."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _make_changed_error(why: str) -> BundleRefused:
    return BundleRefused(f"was changed: envelope: {why}", key="changed", hint="copy it again from where it was built")
