"""The folder with what proves who one is: `ca.pem` (the authority) and `identity.pem` (own key and certificate, 0600).

Key and certificate are one file, so that a renewal replaces both at once or neither.
"""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from drivers.errors import Refused, Usage
from drivers.regular_file import read_regular
from drivers.state_file import write_bytes
from edge_bridge.identity import x509

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.identity.x509 import IssuedCertificate

AUTHORITY: Final = "ca.pem"
IDENTITY: Final = "identity.pem"
HOST_FOLDER: Final = "host"  # in the folder of `fleet init`
_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_HINT: Final = "name the folder `host` of `fleet init`, or enrol this device: edge --enroll URL --token TOKEN"


@dataclass(frozen=True)
class IdentityFolder:
    """A complete identity folder."""

    path: Path
    certificate: IssuedCertificate

    @property
    def authority(self) -> Path:
        return self.path / AUTHORITY

    @property
    def file(self) -> Path:
        return self.path / IDENTITY

    def read_key(self) -> bytes:
        return split_identity(read_private(self.file))[0]


def open_identity(path: Path) -> IdentityFolder:
    """Check a folder and return it; `path` may be that of `fleet init` too. Raise `Usage` or `Refused`."""
    if not (path / IDENTITY).exists() and (path / HOST_FOLDER / IDENTITY).exists():
        path = path / HOST_FOLDER
    key, pem = split_identity(read_private(path / IDENTITY))
    authority = _read(path / AUTHORITY)
    try:
        certificate = x509.read_certificate(pem)
        fits, known = x509.matches_key(pem, key), x509.is_issued_by(pem, authority)
    except Refused as error:
        raise Refused(error.what, where=str(path / IDENTITY), hint=_HINT) from error
    if not fits:
        raise Refused("holds a certificate for another key", where=str(path / IDENTITY), hint=_HINT)
    if not known:
        raise Refused(f"is not signed by the authority in {AUTHORITY}", where=str(path / IDENTITY), hint=_HINT)
    return IdentityFolder(path, certificate)


def split_identity(data: bytes) -> tuple[bytes, bytes]:
    """Return the key and the certificate of an identity file."""
    at = max(data.find(_BEGIN), 0)
    return data[:at], data[at:]


def read_private(path: Path) -> bytes:
    """Return a file with a key that only its owner may read; raise `Usage` or `Refused`."""
    if os.name == "posix" and path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        hint = f"run: chmod 600 {shlex.quote(str(path))}"
        raise Refused("is a private key that others may read", where=str(path), bound="mode 0600", hint=hint)
    return _read(path)


def write_identity(path: Path, authority: bytes, certificate: bytes, key: bytes) -> None:
    """Write a folder for its owner alone."""
    write_bytes(path / AUTHORITY, authority, private=True)
    write_bytes(path / IDENTITY, key + certificate, private=True)


def find_trouble(certificate: IssuedCertificate, now: datetime | None = None) -> str:
    """Return why a certificate is not valid now, in words; empty if it is."""
    now = now or datetime.now(UTC)
    if now > certificate.not_after:
        return f"the certificate of {certificate.name} expired on {certificate.not_after:%Y-%m-%d}; renew it"
    if now < certificate.not_before:
        return (
            f"the certificate of {certificate.name} is valid only from {certificate.not_before:%Y-%m-%d}, "
            f"but the clock of this machine says {now:%Y-%m-%d %H:%M} UTC; set the clock"
        )
    return ""


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, x509.MAX_PEM)
    except OSError as error:
        raise Usage(f"cannot be read: {error.strerror}", where=str(path), key="tls", hint=_HINT) from error
