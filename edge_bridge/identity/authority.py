"""The authority of one fleet: it makes certificates, gives them for tokens, renews and revokes them.

Its folder is that of `fleet init`; a method may be called in any thread and beside another program.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from drivers.errors import Refused, Usage
from edge_bridge.identity import x509
from edge_bridge.identity.claim_token import LIFE_S, make_token
from edge_bridge.identity.identity_folder import AUTHORITY, find_trouble, read_private, write_identity
from edge_bridge.identity.register import Register
from edge_bridge.identity.x509 import CertificateKind
from edge_bridge.sparkplug import topics
from edge_bridge.sparkplug.payload import PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge_bridge.identity.claim_token import ClaimToken
    from edge_bridge.identity.register import RegisterEntry
    from edge_bridge.identity.x509 import IssuedCertificate

FOLDER: Final = "authority"
KEY: Final = "ca.key"
REGISTER: Final = "register.sqlite"
LIST_BACKDATED_S: Final = 3600.0  # the next list, seconds later, must be newer and still not of the future


def read_utc() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


class Authority:
    """The open authority in the folder of `fleet init`."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = read_utc) -> None:
        """Raise `Usage` or `Refused` for a folder without an authority."""
        self.folder, self._now = folder, now
        key = folder / FOLDER / KEY
        if not key.is_file():
            raise Usage("holds no authority", where=str(folder), key="dir", hint=f"make one: fleet init {folder}")
        read_private(key)

    @property
    def certificate(self) -> bytes:
        """The authority's own certificate."""
        return (self.folder / FOLDER / AUTHORITY).read_bytes()

    @property
    def fingerprint(self) -> str:
        return x509.fingerprint(self.certificate)

    def list_certificates(self, name: str = "") -> list[RegisterEntry]:
        """Return what was issued in a name, or in all."""
        with closing(self._open()) as register:
            return register.list_certificates(name)

    def certify(
        self,
        request: bytes,
        kind: CertificateKind,
        *,
        name: str = "",
        days: float = x509.CERTIFICATE_DAYS,
        places: Sequence[str] = (),
    ) -> IssuedCertificate:
        """Sign a request, which must be in `name` if one is given; raise `Refused`."""
        asked = check_identity_name(x509.read_request(request))
        if name and asked != name:
            what = f"the request is in the name {asked[:60]!r}, not in {name!r}"
            raise Refused(what, key="name", value=asked[:60], bound=name, hint="make the request in this name")
        with closing(self._open()) as register:
            self._check_kind(register, asked, kind)
            now = self._now()
            made = x509.issue(request, kind, self.certificate, self._read_key(), now, days=days, places=places)
            register.add_certificate(made, now.timestamp())
        return made

    def make_identity(
        self,
        path: Path,
        name: str,
        kind: CertificateKind,
        *,
        places: Sequence[str] = (),
        days: float = x509.CERTIFICATE_DAYS,
    ) -> IssuedCertificate:
        """Make a key and its certificate in the identity folder `path`; one that is there is replaced."""
        key = x509.make_private_key()
        made = self.certify(x509.make_request(key, name), kind, places=places, days=days)
        write_identity(path, self.certificate, made.pem, key)
        return made

    def offer(self, node: str, life_s: float = LIFE_S) -> ClaimToken:
        """Make a token with which a device of this name may enrol once; an earlier one ends."""
        token, now_s = make_token(check_identity_name(node), self.fingerprint), self._now().timestamp()
        with closing(self._open()) as register:
            self._check_kind(register, node, CertificateKind.DEVICE)
            register.add_token(token, now_s + life_s, now_s)
        return token

    def enrol(self, token: ClaimToken, request: bytes) -> IssuedCertificate:
        """Give a device its certificate for its token; raise `Refused`. A bad request does not use the token up.

        The same key may ask again while the token lives: the answer may have been lost.
        """
        if x509.read_request(request) != token.node:
            raise Refused("the request is not in the name of the token", key="name", hint="enrol with the edge's verb")
        with closing(self._open()) as register:
            register.use_token(token, x509.key_digest(request), self._now().timestamp())
        return self.certify(request, CertificateKind.DEVICE, name=token.node)

    def renew(self, present: bytes, request: bytes, signature: bytes) -> IssuedCertificate:
        """Renew the certificate of a device that signed the request with its present key; raise `Refused`."""
        known = x509.read_certificate(present)
        if not x509.is_issued_by(present, self.certificate):
            raise Refused("the present certificate is of another authority", key="certificate", hint="enrol again")
        if not x509.is_signed_by(present, request, signature):
            raise Refused("the request is not signed by the present key", key="signature", hint="enrol again")
        if trouble := find_trouble(known, self._now()):
            raise Refused(trouble, key="certificate", hint=f"enrol again: fleet enroll {known.name}")
        if known.kind != CertificateKind.DEVICE:
            raise Refused("only devices renew over the network", key="kind", hint="run: fleet init DIR --renew")
        with closing(self._open()) as register:
            if register.is_revoked(known.serial):
                what = f"the certificate of {known.name} is revoked"
                raise Refused(what, key="certificate", hint=f"enrol again: fleet enroll {known.name}")
        return self.certify(request, CertificateKind.DEVICE, name=known.name)

    def revoke(self, name: str, reason: str = "") -> int:
        """Revoke all certificates and tokens in a name; return how many certificates; raise `Usage` for none."""
        with closing(self._open()) as register:
            if not register.list_certificates(name):
                hint = "look with: fleet identities"
                raise Usage(f"no certificate was issued to {name}", key="node", value=name, hint=hint)
            return register.revoke(name, self._now().timestamp(), reason)

    def publish_revocations(self, write: Callable[[bytes], None]) -> None:
        """Hand a list to `write` that is newer than all before; of two at once the last one written has everything."""
        since_s = self._now().timestamp() - LIST_BACKDATED_S
        with closing(self._open()) as register, register.next_list(since_s) as (number, made_s, entries):
            made = datetime.fromtimestamp(made_s, UTC)
            revoked = [(one.serial, datetime.fromtimestamp(one.revoked_s or made_s, UTC)) for one in entries]
            write(x509.make_revocation_list(self.certificate, self._read_key(), revoked, made, number))

    def _check_kind(self, register: Register, name: str, kind: CertificateKind) -> None:
        """Raise `Refused` if the name belongs to another kind: its certificate would have the other's rights."""
        others = {one.kind for one in register.list_certificates(name)} - {kind}
        if others:
            what = f"{name} is the name of a {others.pop()} of this fleet"
            raise Refused(what, key="name", value=name, hint="choose another name")

    def _read_key(self) -> bytes:
        return read_private(self.folder / FOLDER / KEY)

    def _open(self) -> Register:
        return Register(self.folder / FOLDER / REGISTER)


def check_identity_name(name: str) -> str:
    """Return a name that a topic can contain, so that the broker can compare both; raise `Usage`."""
    try:
        return topics.check_name(name, "node")
    except PayloadError as error:
        raise Usage(error.what, key="node", value=name[:60], hint="choose another name") from error
