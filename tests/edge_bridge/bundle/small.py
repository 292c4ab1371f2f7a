"""Small bundles in the right form, and archives that no tool of ours would write."""

from __future__ import annotations

import json
import struct
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from drivers.timestamps import format_utc
from edge_bridge.bundle import canonical_json, envelope, keys
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.manifest import REQUIRED_MEMBERS, Manifest
from edge_bridge.bundle.write import make_signed_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXPIRES = datetime(2027, 3, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def about(serial: int = 5, evidence: str = "HIL", name: str = "pack") -> Manifest:
    times = (format_utc(MADE), format_utc(EXPIRES))
    return Manifest(name, serial, *times, evidence, "run", {"estimator": "EKF"}, {"numpy": "2"}, {}, "24s12p")


def members() -> dict[str, bytes]:
    """One of each that a bundle needs; what they say is nothing that the verification of the signature reads."""
    return {name: f"{name} of a small bundle".encode() for name in REQUIRED_MEMBERS}


def small(private: Path, serial: int = 5, evidence: str = "HIL", name: str = "pack") -> bytes:
    return make_signed_bundle(about(serial, evidence, name), members(), private)[0]


def signed(private: Path, payload: bytes, kind: str = envelope.PAYLOAD_TYPE) -> dict[str, Any]:
    """A DSSE envelope around any payload of any kind, as JSON values."""
    signer, signature = keys.sign(private, envelope.pae(kind, payload))
    row = {"keyid": signer.id, "sig": envelope._encode_base64(signature)}  # pyright: ignore[reportPrivateUsage]
    return {"payload": envelope._encode_base64(payload), "payloadType": kind, "signatures": [row]}  # pyright: ignore[reportPrivateUsage]


def with_envelope(data: bytes, octets: bytes) -> bytes:
    """The bundle with another envelope, in an archive that is in order."""
    return forged(sorted((unpack(data) | {envelope.ENVELOPE: octets}).items()))


def with_manifest(data: bytes, private: Path, changes: dict[str, Any], without: Sequence[str] = ()) -> bytes:
    """The bundle with other values in its manifest, or without some, signed anew."""
    payload = envelope.decode_envelope(unpack(data)[envelope.ENVELOPE]).payload
    said = {key: value for key, value in (json.loads(payload) | changes).items() if key not in without}
    return with_envelope(data, canonical_json.dump_json(signed(private, canonical_json.dump_json(said))))


def forged(entries: Sequence[tuple[str, bytes]], **odd: Any) -> bytes:
    """An archive of any entries in any order (APPNOTE 4.3), written here on its own.

    `odd`: `method`, `size` (of the first entry, as declared), `extra`, `comment`, `tail`.
    """
    method, extra, comment = odd.get("method", 0), odd.get("extra", b""), odd.get("comment", b"")
    body, directory = b"", b""
    for number, (name, octets) in enumerate(entries):
        size = odd["size"] if "size" in odd and number == 0 else len(octets)
        head = struct.pack("<HHHHHIII", 20, 0, method, 0, 0x21, zlib.crc32(octets), size, size)
        encoded, offset = name.encode(), len(body)
        body += b"PK\x03\x04" + head + struct.pack("<HH", len(encoded), len(extra)) + encoded + extra + octets
        rest = struct.pack("<HHHHHII", len(encoded), 0, 0, 0, 0, 0, offset)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + head + rest + encoded
    counts = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), len(body), len(comment))
    return body + directory + b"PK\x05\x06" + counts + comment + odd.get("tail", b"")
