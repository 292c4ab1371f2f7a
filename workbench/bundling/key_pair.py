"""A key pair for signing bundles."""

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
    is_new: bool = True


def find_key_pair(folder: Path, name: str) -> KeyPair | None:
    """Return the pair of `NAME.key` and `NAME.pem` in `folder`; None unless both are there and belong together."""
    private, public = folder / f"{name}{keys.PRIVATE_SUFFIX}", folder / f"{name}{keys.PUBLIC_SUFFIX}"
    if not (private.is_file() and public.is_file()):
        return None
    signer, _ = keys.sign(private, b"")
    key_id = keys.read_public(public).id
    return KeyPair(private, public, key_id, is_new=False) if signer.id == key_id else None


def make_key_pair(folder: Path, name: str) -> KeyPair:
    """Write `NAME.key` and `NAME.pem` to `folder`; raise what `keys.make_key` raises."""
    private, public = keys.make_key(folder, name)
    return KeyPair(private, public, keys.read_public(public).id)
