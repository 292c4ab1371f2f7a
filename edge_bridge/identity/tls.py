"""TLS of a client: the context from its identity folder, and its failures in words."""

from __future__ import annotations

import select
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from drivers.errors import Refused
from edge_bridge.identity.identity_folder import find_trouble, open_identity

if TYPE_CHECKING:
    from pathlib import Path

VERDICT_S: Final = 1.0  # a server that says nothing accepts
# X509_V_ERR_* of OpenSSL (x509_vfy.h)
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_SELF_SIGNED: Final = frozenset({18, 19, 20, 21})
_WRONG_NAME: Final = frozenset({62, 64})
_WORDS: Final = {  # of `SSLError.reason`: what the broker said, or did not
    "CERTIFICATE_EXPIRED": "the broker says that the certificate of this machine has expired; renew it",
    "CERTIFICATE_REVOKED": "the broker says that the certificate of this machine is revoked; enrol it again",
    "UNKNOWN_CA": "the broker does not know the authority of this machine's certificate; enrol it at this fleet",
    "BAD_CERTIFICATE": "the broker does not accept the certificate of this machine; enrol it again",
    "UNSUPPORTED_CERTIFICATE": "the certificate of this machine is not one of a client; name another folder with --tls",
    "CERTIFICATE_UNKNOWN": "the broker does not accept the certificate of this machine; enrol it again",
    "CERTIFICATE_REQUIRED": "the broker requires a certificate; name the folder of this machine's with --tls",
    "HANDSHAKE_FAILURE": "the broker requires a certificate, or shares no cipher with this machine",
    "WRONG_VERSION_NUMBER": "what answers there does not speak TLS; use the port of mqtts (8883)",
    "PROTOCOL_VERSION": "the broker offers no version of TLS from 1.2 on",
    "UNSUPPORTED_PROTOCOL": "the broker offers no version of TLS from 1.2 on",
    "UNEXPECTED_EOF_WHILE_READING": "the broker closed the connection during the handshake of TLS",
}
_ALERTS: Final = ("SSLV3_ALERT_", "TLSV1_ALERT_", "TLSV13_ALERT_")


class VerdictSocket(ssl.SSLSocket):
    """A socket that waits for the server's verdict on the own certificate before anything is sent.

    In TLS 1.3 it comes after the handshake: an alert, or a session ticket. An alert that meets data on its way would be
    lost, and with it the reason.
    """

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  # as in `ssl`
        try:
            super().do_handshake(block)
            self._await_verdict()
        except BaseException:
            self.close()  # nobody else knows of it yet
            raise

    def _await_verdict(self) -> None:
        if self.version() != "TLSv1.3" or not select.select([self], [], [], VERDICT_S)[0]:
            return
        before_s = self.gettimeout()
        self.settimeout(0.0)
        with suppress(ssl.SSLWantReadError):
            self.recv(1)  # handles the ticket, or raises the alert
        self.settimeout(before_s)


def make_client_context(folder: Path) -> ssl.SSLContext:
    """Make the context: TLS 1.2 or later, the fleet's authority alone, names verified, own certificate shown.

    Raise `Usage` or `Refused` for a folder that is not complete.
    """
    identity = open_identity(folder)
    context = make_server_trust(identity.authority)
    try:
        context.load_cert_chain(identity.file)
        context.sslsocket_class = VerdictSocket
    except (ssl.SSLError, OSError) as error:
        raise Refused("cannot be used for TLS", where=str(identity.path), hint="enrol this machine again") from error
    return context


def make_server_trust(authority: Path | None = None, *, pem: bytes = b"") -> ssl.SSLContext:
    """Make a context that trusts the servers of one authority (a file, or its PEM) and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=authority, cadata=pem.decode() or None)
    except (ssl.SSLError, ValueError) as error:
        raise Refused(
            "is not the certificate of an authority", where=str(authority or ""), hint="copy it again"
        ) from error
    return context


def find_own_trouble(folder: Path) -> str:
    """Return why the certificate in `folder` cannot serve now, in words; empty if it can."""
    return find_trouble(open_identity(folder).certificate)


def explain(error: OSError, host: str) -> str:
    """Return the reason of a failed connection in words; `host` is the name that was dialled."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _explain_verification(error, host)
    if isinstance(error, ssl.SSLError):
        return explain_reason(error.reason or "") or f"TLS failed: {error.reason or error}"
    return error.strerror or str(error)


def explain_reason(code: str) -> str:
    """Return the words for a reason code of OpenSSL, empty for an unknown one."""
    for prefix in _ALERTS:
        code = code.removeprefix(prefix)
    return _WORDS.get(code, "")


def _explain_verification(error: ssl.SSLCertVerificationError, host: str) -> str:
    code, now = error.verify_code, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    if code == _EXPIRED:
        return f"the certificate of {host} has expired, or the clock of this machine ({now}) is wrong"
    if code == _NOT_YET_VALID:
        return (
            f"the certificate of {host} is not valid yet: the clock of this machine ({now}) is probably wrong; set it"
        )
    if code in _SELF_SIGNED:
        return f"the certificate of {host} is not from the authority of this fleet; check the address"
    if code in _WRONG_NAME:
        return f"the certificate of the broker is not for {host}; use a name that `fleet init --name` was given"
    return f"the certificate of {host} is not accepted: {error.verify_message}"
