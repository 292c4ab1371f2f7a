"""Cryptography in one place: Ed25519 keys (RFC 8032) in PEM files, handled only by their owner."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from drivers.errors import BundleRefused, Refused, Usage

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_SUFFIX: Final = ".key"
PUBLIC_SUFFIX: Final = ".pem"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_MAX_PEM: Final = 4096  # bytes


@dataclass(frozen=True)
class PublicKey:
    """A public key: `name` of its file, `der` its SubjectPublicKeyInfo (RFC 8410), `raw` 32 bytes."""

    name: str
    der: bytes
    raw: bytes

    @property
    def id(self) -> str:
        return key_id(self)


def make_key(folder: Path, name: str) -> tuple[Path, Path]:
    """Create a pair in `folder`: private (PKCS 8, 0600), public; raise `Usage` for a bad name, `Refused` if there."""
    if not _NAME.fullmatch(name):
        bound = "letters, digits, '.', '-', '_', up to 60"
        raise Usage(f"{name!r} is not a valid key name", key="name", value=name, bound=bound, hint=f"use {bound}")
    private, public = folder / f"{name}{PRIVATE_SUFFIX}", folder / f"{name}{PUBLIC_SUFFIX}"
    for path in (private, public):
        if path.exists():
            raise Refused("exists already", where=str(path), hint="a key is never replaced; choose another name")
    key = Ed25519PrivateKey.generate()
    folder.mkdir(parents=True, exist_ok=True)
    _create_file(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    _create_file(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    return private, public


def key_id(key: PublicKey) -> str:
    """Return the hex SHA-256 of the key's DER, as `openssl pkey -pubin -in FILE -outform DER | sha256sum` does."""
    return hashlib.sha256(key.der).hexdigest()


def sign(private: Path, message: bytes) -> tuple[PublicKey, bytes]:
    """Return the key and the signature (64 bytes); raise `Refused` for no private key, or one that others may read."""
    key = _read_private(private)
    return _make_public_key(private.stem, key.public_key()), key.sign(message)


def verify_signature(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Return whether `signature` is `key`'s over `message`."""
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def read_trusted(folder: Path) -> dict[str, PublicKey]:
    """Read the public keys in `folder` by id; raise `BundleRefused` (untrusted_folder) if a `*.pem` is not one."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == PUBLIC_SUFFIX)
        keys = [read_public(path) for path in paths]
    except OSError as error:
        raise _make_untrusted_error(
            str(folder), f"cannot be read: {error.strerror}", "name the folder of trusted keys"
        ) from error
    if not keys:
        raise _make_untrusted_error(str(folder), "holds no public key (*.pem)", "copy the signer's .pem file there")
    return {key.id: key for key in keys}


def read_public(path: Path) -> PublicKey:
    """Read one public key; raise `OSError`, and `BundleRefused` (untrusted_folder) for a file that is not one."""
    with path.open("rb") as file:
        pem = file.read(_MAX_PEM)
    if b"PRIVATE" in pem:
        raise _make_untrusted_error(str(path), "is a private key", "remove it: a private key never leaves its signer")
    try:
        key = load_pem_public_key(pem)
    except Exception as error:  # the library raises errors without a common base class
        raise _make_untrusted_error(str(path), "is not a public key", "remove it or copy it again") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _make_untrusted_error(str(path), "is not an Ed25519 key", "remove it; bundles are signed with Ed25519")
    return _make_public_key(path.name, key)


def public_pem(key: PublicKey) -> bytes:
    """Return the content of the key's `.pem` file."""
    return Ed25519PublicKey.from_public_bytes(key.raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _read_private(path: Path) -> Ed25519PrivateKey:
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            hint = f"run: chmod 600 {path.name}"
            raise Refused("is a private key that others may read", where=str(path), bound="mode 0600", hint=hint)
        with path.open("rb") as file:
            pem = file.read(_MAX_PEM)
    except OSError as error:
        raise Usage(f"cannot be read: {error.strerror}", where=str(path), hint="name a private key file") from error
    try:
        key = load_pem_private_key(pem, password=None)
    except Exception as error:  # as above
        hint = "make one with: python main.py bundle key"
        raise Refused("is not a private key without a password", where=str(path), hint=hint) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused("is not an Ed25519 key", where=str(path), hint="make one with: python main.py bundle key")
    return key


def _make_public_key(name: str, key: Ed25519PublicKey) -> PublicKey:
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(name, der, key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _create_file(path: Path, data: bytes, mode: int) -> None:
    """Create a file that has `mode` from the start."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)


def _make_untrusted_error(where: str, what: str, hint: str) -> BundleRefused:
    return BundleRefused(what, where=where, key="untrusted_folder", hint=hint)
