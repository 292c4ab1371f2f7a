"""Cryptography in one place: Ed25519 keys (RFC 8032) in PEM files, handled only by their owner.

A trust folder and its keys decide what an edge runs: whoever can write there decides it too.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
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
from drivers.regular_file import open_regular, read_regular

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_SUFFIX: Final = ".key"
PUBLIC_SUFFIX: Final = ".pem"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_MAX_PEM: Final = 4096  # bytes
_PEM_BEGIN: Final = b"-----BEGIN"
_FIELD: Final = 2**255 - 19  # RFC 8032, 5.1: the prime of the coordinates
_LOW_ORDER: Final = frozenset(  # y of the points of order 1, 2, 4 and 8: one signature of such a key fits many messages
    {
        0,
        1,
        _FIELD - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)


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
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
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
    """Read the public keys in `folder` by id; raise `BundleRefused` (untrusted_folder).

    Every `*.pem` must be one key that only its owner and group may write, and so must be the folder.
    """
    try:
        _refuse_writable(folder, folder.stat())
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
    with open_regular(path) as file:
        _refuse_writable(path, os.fstat(file.fileno()))
        pem = file.read(_MAX_PEM + 1)
    if b"PRIVATE" in pem:
        raise _make_untrusted_error(str(path), "is a private key", "remove it: a private key never leaves its signer")
    if len(pem) > _MAX_PEM or pem.count(_PEM_BEGIN) > 1:
        raise _make_untrusted_error(str(path), "is more than one key", "write each key to a file of its own")
    try:
        key = load_pem_public_key(pem)
    except Exception as error:  # the library raises errors without a common base class
        raise _make_untrusted_error(str(path), "is not a public key", "remove it or copy it again") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _make_untrusted_error(str(path), "is not an Ed25519 key", "remove it; bundles are signed with Ed25519")
    made = _make_public_key(path.name, key)
    if _is_weak(made.raw):
        raise _make_untrusted_error(str(path), "is a key for which anybody can sign", "remove it")
    return made


def write_public(path: Path, key: PublicKey) -> None:
    """Write a new `.pem` file that only its owner may change; raise `OSError`, also where there is one."""
    _create_file(path, public_pem(key), 0o644)


def _is_weak(raw: bytes) -> bool:
    """Return whether these 32 bytes are a point of low order, or no coordinate in its one form."""
    y = int.from_bytes(raw, "little") & (2**255 - 1)  # the top bit is the sign of x
    return y >= _FIELD or y in _LOW_ORDER


def _refuse_writable(path: Path, about: os.stat_result) -> None:
    """Raise `BundleRefused` if every user of this machine may change what `about` describes."""
    if os.name == "posix" and about.st_mode & stat.S_IWOTH:
        hint = f"run: chmod o-w {shlex.quote(str(path))}"
        raise _make_untrusted_error(str(path), "can be changed by every user", hint)


def public_pem(key: PublicKey) -> bytes:
    """Return the content of the key's `.pem` file."""
    return Ed25519PublicKey.from_public_bytes(key.raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _read_private(path: Path) -> Ed25519PrivateKey:
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            hint = f"run: chmod 600 {path.name}"
            raise Refused("is a private key that others may read", where=str(path), bound="mode 0600", hint=hint)
        pem = read_regular(path, _MAX_PEM)
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
