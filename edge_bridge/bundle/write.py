"""The writer of signed bundles: manifest and members in one file; the same input gives the same bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from edge_bridge.bundle import envelope, keys, manifest
from edge_bridge.bundle.archive import pack
from edge_bridge.bundle.envelope import ENVELOPE, Envelope
from edge_bridge.bundle.manifest import FileHash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_bridge.bundle.keys import PublicKey
    from edge_bridge.bundle.manifest import Manifest


def make_signed_bundle(about: Manifest, members: Mapping[str, bytes], private: Path) -> tuple[bytes, PublicKey]:
    """Return the file and the key that signed it; hashes of `members` replace those of `about`.

    Raise `BundleRefused` for content that no bundle may hold, `Refused` or `Usage` for a key that cannot sign.
    """
    hashes = {name: FileHash(hashlib.sha256(data).hexdigest(), len(data)) for name, data in members.items()}
    payload = manifest.encode_manifest(replace(about, files=hashes))
    manifest.decode_manifest(payload)  # do not sign a manifest that no reader accepts
    signer, signature = keys.sign(private, envelope.pae(envelope.PAYLOAD_TYPE, payload))
    data = envelope.encode_envelope(Envelope(payload, signer.id, signature))
    return pack({**members, ENVELOPE: data}), signer
