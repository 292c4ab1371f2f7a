"""A new key pair for signing bundles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_bridge.bundle import keys

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The two key files and the key id, which openssl computes likewise."""

    private: Path
    public: Path
    key_id: str


def make_key_pair(folder: Path, name: str) -> KeyPair:
    """Write `NAME.key` and `NAME.pem` to `folder`; raise what `keys.make_key` raises."""
    private, public = keys.make_key(folder, name)
    return KeyPair(private, public, keys.read_public(public).id)
