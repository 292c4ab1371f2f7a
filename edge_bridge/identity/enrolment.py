"""A device enrols and renews at the fleet's HTTPS server: its key is made here and never leaves this machine."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from drivers.errors import LinkRefused, LinkSilent, Refused, Usage
from drivers.state_file import DamagedFile, MissingFile, read_state, write_bytes, write_state
from edge_bridge.broker_address import is_loopback
from edge_bridge.identity import tls, x509
from edge_bridge.identity.claim_token import parse_token
from edge_bridge.identity.identity_folder import IDENTITY, open_identity, read_private, write_identity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VERSION: Final = 1
PATH: Final = "/api/v1/enrolment"
SETTINGS: Final = "enrolment.json"
PENDING_KEY: Final = "pending.key"  # of a request whose answer has not come
TIMEOUT_S: Final = 10.0
MAX_ANSWER: Final = 1 << 16  # bytes
PORT: Final = 8443


@dataclass(frozen=True)
class Enrolment:
    """Where this device was enrolled, and its broker."""

    server: str
    broker: str


def enrol(folder: Path, server: str, text: str) -> Enrolment:
    """Get a certificate for a token into the identity folder; raise `PulseError`.

    The first contact is not trusted: the server shows its authority, which must have the fingerprint of the token;
    then the token goes over a connection that this authority vouches for.
    """
    token = parse_token(text)
    shown = _ask(server, "GET", "/authority", _trust_nobody())
    authority = str(shown.get("certificate", "")).encode()
    if x509.fingerprint(authority) != token.fingerprint:
        what = f"{server} shows another authority than that of the token"
        raise Refused(what, key="enroll", value=server, hint="check the address; somebody may stand in between")
    key = _take_pending_key(folder)
    request = x509.make_request(key, token.node)
    body = {"token": str(token), "request": request.decode()}
    answer = _ask(server, "POST", "", tls.make_server_trust(pem=authority), body)
    found = _store(folder, server, token.node, authority, key=key, answer=answer)
    (folder / PENDING_KEY).unlink(missing_ok=True)
    return found


def renew(folder: Path) -> datetime:
    """Get a certificate for a new key with the present one; return until when it is valid. Raise `PulseError`."""
    present, settings = open_identity(folder), read_enrolment(folder)
    authority = present.authority.read_bytes()
    key = x509.make_private_key()
    request = x509.make_request(key, present.certificate.name)
    body = {
        "certificate": present.certificate.pem.decode(),
        "request": request.decode(),
        "signature": base64.b64encode(x509.sign_by_key(present.read_key(), request)).decode(),
    }
    answer = _ask(settings.server, "POST", "/renewal", tls.make_server_trust(pem=authority), body)
    _store(folder, settings.server, present.certificate.name, authority, key=key, answer=answer)
    return open_identity(folder).certificate.not_after


def is_renewal_due(folder: Path, now: datetime | None = None) -> bool:
    """Return whether less than a third of the certificate's time is left."""
    certificate = open_identity(folder).certificate
    life = certificate.not_after - certificate.not_before
    return certificate.not_after - (now or datetime.now(UTC)) < life / 3


def is_enrolled(folder: Path) -> bool:
    """Return whether the identity folder has a certificate."""
    return (folder / IDENTITY).exists()


def read_enrolment(folder: Path) -> Enrolment:
    """Return where the device of this identity folder was enrolled; raise `Usage`."""

    def parse(fields: dict[str, Any]) -> Enrolment:
        if fields["version"] != VERSION:
            raise ValueError(f"version {fields['version']}, not {VERSION}")
        return Enrolment(str(fields["server"]), str(fields["broker"]))

    found = read_state(folder / SETTINGS, parse)
    if isinstance(found, MissingFile | DamagedFile):
        what = found.sentence if isinstance(found, DamagedFile) else "this device was not enrolled over the network"
        raise Usage(what, where=str(folder), key="enroll", hint="enrol it: edge --enroll URL --token TOKEN")
    return found


def _store(
    folder: Path, server: str, node: str, authority: bytes, *, key: bytes, answer: Mapping[str, Any]
) -> Enrolment:
    """Check the answer and write it; raise `LinkRefused` for a certificate that is not the one that was asked for."""
    pem = str(answer.get("certificate", "")).encode()
    made = x509.read_certificate(pem)
    if made.name != node or not x509.matches_key(pem, key) or not x509.is_issued_by(pem, authority):
        raise LinkRefused("the server sent a certificate for another device", where=server, hint="ask its operator")
    found = Enrolment(server, str(answer.get("broker", "")))
    write_state(folder / SETTINGS, {"version": VERSION, "server": found.server, "broker": found.broker})
    write_identity(folder, authority, pem, key)
    return found


def _take_pending_key(folder: Path) -> bytes:
    """Return the key of an enrolment that was interrupted, or a new one, kept until the answer is stored."""
    path = folder / PENDING_KEY
    if path.exists():
        return read_private(path)
    key = x509.make_private_key()
    write_bytes(path, key, private=True)
    return key


def _trust_nobody() -> ssl.SSLContext:
    """Make a context for what is public and will be checked by its fingerprint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _ask(
    server: str, method: str, path: str, context: ssl.SSLContext, body: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the JSON object that the server answers; raise `LinkSilent`, `LinkRefused` or `Usage`."""
    connection, host = _connect(server, context)
    try:
        data = None if body is None else json.dumps(body).encode()
        connection.request(method, PATH + path, data, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer: Any = json.loads(response.read(MAX_ANSWER))
    except OSError as error:
        raise LinkSilent(f"{server}: {tls.explain(error, host)}", key="enroll", hint="check the address") from error
    except (http.client.HTTPException, ValueError, RecursionError) as error:
        raise LinkRefused(f"{server} is not the server of a fleet", key="enroll", hint="check the address") from error
    finally:
        connection.close()
    fields = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    if not fields or response.status != http.client.OK:
        what = f"{server} refused: {str(fields.get('detail') or response.status)[:300]}"
        raise LinkRefused(what, key="enroll", hint=str(fields.get("hint") or "ask its operator")[:300])
    return fields


def _connect(server: str, context: ssl.SSLContext) -> tuple[http.client.HTTPConnection, str]:
    hint = f"write https://HOST:{PORT}"
    try:
        parts = urlsplit(server)
        host, port = parts.hostname or "", parts.port or PORT
    except ValueError as error:
        raise Usage(f"{server!r} is not an address", key="enroll", value=server, hint=hint) from error
    if parts.scheme == "https" and host:
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context), host
    if parts.scheme == "http" and is_loopback(host):
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S), host
    raise Usage(f"{server!r} is not the address of an HTTPS server", key="enroll", value=server, hint=hint)
