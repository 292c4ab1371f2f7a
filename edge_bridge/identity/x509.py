"""X.509 in one place: EC P-256 keys, requests, certificates and the revocation list of one authority.

Everything goes in and out as PEM (`bytes`); the common name of a certificate is the name of who holds it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey as PublicCurveKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from drivers.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography.x509.base import CertificateBuilder

AUTHORITY_DAYS: Final = 3650
CERTIFICATE_DAYS: Final = 365
MAX_PEM: Final = 16_384  # bytes
_EARLY: Final = timedelta(hours=1)  # the clock of a device may be late by so much


class CertificateKind(StrEnum):
    """What a certificate is for; the organizational unit of its subject."""

    DEVICE = "device"
    HOST = "host"
    CONTROL = "control"
    SERVER = "server"


@dataclass(frozen=True)
class IssuedCertificate:
    """What a certificate says; times in UTC."""

    name: str
    kind: str
    serial: int
    not_before: datetime
    not_after: datetime
    pem: bytes


def make_private_key() -> bytes:
    """Make a private key (EC P-256, PKCS 8)."""
    return generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_authority(key: bytes, name: str, now: datetime) -> bytes:
    """Make the certificate of an authority that signs itself and nothing below another authority."""
    private = _load_key(key)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _begin(subject, subject, private.public_key(), now, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_make_usage(authority=True), critical=True)
    return builder.sign(private, SHA256()).public_bytes(Encoding.PEM)


def make_request(key: bytes, name: str) -> bytes:
    """Make the request of who holds `key` for a certificate in the name `name`."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(_load_key(key), SHA256())
    return request.public_bytes(Encoding.PEM)


def read_request(pem: bytes) -> str:
    """Return the name that a request is for; raise `Refused` for anything but a signed request for a P-256 key."""
    return _read_name(_load_request(pem).subject)


def issue(
    request: bytes,
    kind: CertificateKind,
    authority: bytes,
    key: bytes,
    now: datetime,
    *,
    days: float = CERTIFICATE_DAYS,
    places: Sequence[str] = (),
) -> IssuedCertificate:
    """Sign a request; the certificate serves a client, or with `places` (names, addresses) a server alone.

    Nothing of the request is taken over but its key and its common name. Raise `Refused`.
    """
    asked, issuer = _load_request(request), _load_certificate(authority)
    units = [
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, kind),
        x509.NameAttribute(NameOID.COMMON_NAME, _read_name(asked.subject)),
    ]
    public = asked.public_key()
    assert isinstance(public, PublicCurveKey)  # noqa: S101  # `_load_request` checked it
    use = ExtendedKeyUsageOID.SERVER_AUTH if places else ExtendedKeyUsageOID.CLIENT_AUTH
    signer = _load_key(key)
    builder = _begin(x509.Name(units), issuer.subject, public, now, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_make_usage(authority=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    if places:
        names = x509.SubjectAlternativeName([_make_place(place) for place in places])
        builder = builder.add_extension(names, critical=False)
    return _describe(builder.sign(signer, SHA256()))


def read_certificate(pem: bytes) -> IssuedCertificate:
    """Return what a certificate says; raise `Refused` for anything else."""
    return _describe(_load_certificate(pem))


def is_issued_by(pem: bytes, authority: bytes) -> bool:
    """Return whether `authority` signed the certificate, whatever its dates."""
    certificate = _load_certificate(pem)
    try:
        certificate.verify_directly_issued_by(_load_certificate(authority))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def matches_key(pem: bytes, key: bytes) -> bool:
    """Return whether the certificate is for this private key."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _load_certificate(pem).public_key().public_bytes(*form) == _load_key(key).public_key().public_bytes(*form)


def key_digest(request: bytes) -> str:
    """Return the hex SHA-256 of the public key that a request is for."""
    public = _load_request(request).public_key()
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def sign_by_key(key: bytes, message: bytes) -> bytes:
    """Sign a message (ECDSA with SHA-256)."""
    return _load_key(key).sign(message, ECDSA(SHA256()))


def is_signed_by(pem: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether the holder of the certificate's key signed the message."""
    public = _load_certificate(pem).public_key()
    if not isinstance(public, PublicCurveKey):
        return False
    try:
        public.verify(signature, message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def make_revocation_list(
    authority: bytes, key: bytes, revoked: Iterable[tuple[int, datetime]], made: datetime, number: int
) -> bytes:
    """Make the list of revoked serial numbers, each with its time; a reader takes the newest by `made` and `number`."""
    issuer = _load_certificate(authority)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.subject)
    builder = builder.last_update(made).next_update(issuer.not_valid_after_utc)
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for serial, since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(_load_key(key), SHA256()).public_bytes(Encoding.PEM)


def fingerprint(pem: bytes) -> str:
    """Return the hex SHA-256 of a certificate, as `openssl x509 -noout -fingerprint -sha256` does, without colons."""
    return hashlib.sha256(_load_certificate(pem).public_bytes(Encoding.DER)).hexdigest()


def _begin(
    subject: x509.Name, issuer: x509.Name, public: PublicCurveKey, now: datetime, days: float
) -> CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - _EARLY).not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _make_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _make_place(place: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(place))
    except ValueError:
        return x509.DNSName(place)


def _describe(certificate: x509.Certificate) -> IssuedCertificate:
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return IssuedCertificate(
        _read_name(certificate.subject),
        str(units[0].value) if units else "",
        certificate.serial_number,
        certificate.not_valid_before_utc.astimezone(UTC),
        certificate.not_valid_after_utc.astimezone(UTC),
        certificate.public_bytes(Encoding.PEM),
    )


def _read_name(subject: x509.Name) -> str:
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1 or not isinstance(names[0].value, str):
        raise Refused("the subject has no common name, or several", key="name", hint="make the request again")
    return names[0].value


def _load_key(pem: bytes) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except Exception as error:  # the library raises errors without a common base class
        raise Refused("is not a private key without a password", hint="restore it from a copy") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise Refused("is not a private key of an elliptic curve", hint="restore it from a copy")
    return key


def _load_certificate(pem: bytes) -> x509.Certificate:
    if len(pem) > MAX_PEM:
        raise Refused("is too large for a certificate", value=len(pem), bound=MAX_PEM, hint="give one certificate")
    try:
        return x509.load_pem_x509_certificate(pem)
    except Exception as error:  # as above
        raise Refused(
            "is not a certificate in PEM form", hint="give a file that begins with BEGIN CERTIFICATE"
        ) from error


def _load_request(pem: bytes) -> x509.CertificateSigningRequest:
    hint = "make one with: edge --enroll, or openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256"
    if len(pem) > MAX_PEM:
        raise Refused("is too large for a certificate request", value=len(pem), bound=MAX_PEM, hint=hint)
    try:
        request = x509.load_pem_x509_csr(pem)
        signed = request.is_signature_valid
        public = request.public_key()
    except Exception as error:  # as above
        raise Refused("is not a certificate request in PEM form", hint=hint) from error
    if not signed:
        raise Refused("is a request that its own key did not sign", hint=hint)
    if not isinstance(public, PublicCurveKey) or not isinstance(public.curve, SECP256R1):
        raise Refused("is a request for another kind of key", bound="EC P-256", hint=hint)
    return request
