"""`/enrolment`: a device gets its certificate for a token, and renews it with the present one.

No account is needed: the token, or the signature of the present key, is what proves the right to it.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from drivers.errors import Refused
from edge_bridge.identity import x509
from edge_bridge.identity.authority import Authority
from edge_bridge.identity.claim_token import MAX_TOKEN, parse_token
from edge_bridge.identity.initial_setup import read_fleet_folder

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.identity.x509 import IssuedCertificate

Pem = Annotated[str, Field(min_length=1, max_length=x509.MAX_PEM)]


class AuthorityBody(BaseModel):
    """The fleet's authority; who asks compares the fingerprint with that of its token."""

    certificate: Pem
    fingerprint: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the certificate.")


class EnrolmentRequest(BaseModel):
    """A request for a certificate, with the token of `fleet enroll`."""

    token: str = Field(min_length=1, max_length=MAX_TOKEN)
    request: Pem = Field(description="Certificate request (PKCS 10, PEM) in the name of the node, EC P-256.")


class RenewalRequest(BaseModel):
    """A request for a certificate, signed with the key of the present one."""

    certificate: Pem
    request: Pem
    signature: str = Field(max_length=200, description="ECDSA with SHA-256 over the bytes of `request`, base64.")


class EnrolmentBody(BaseModel):
    """A device's certificate, and where its broker is."""

    node: str
    certificate: Pem
    authority: Pem
    broker: str
    expires_ms: int


def make_enrolment_router(folder: Path) -> APIRouter:
    """Make the routes for the folder of `fleet init`; raise `Usage` for another. The app answers every `PulseError`."""
    fleet, authority = read_fleet_folder(folder), Authority(folder)
    router = APIRouter(prefix="/enrolment", tags=["enrolment"])

    def answer(made: IssuedCertificate) -> EnrolmentBody:
        return EnrolmentBody(
            node=made.name,
            certificate=made.pem.decode(),
            authority=authority.certificate.decode(),
            broker=fleet.broker_url,
            expires_ms=round(1_000 * made.not_after.timestamp()),
        )

    @router.get("/authority")
    def read_authority() -> AuthorityBody:
        """Return the certificate of the fleet's authority."""
        return AuthorityBody(certificate=authority.certificate.decode(), fingerprint=authority.fingerprint)

    @router.post("")
    def enrol(body: EnrolmentRequest) -> EnrolmentBody:
        """Enrol a device; a token serves one key, for a limited time."""
        return answer(authority.enrol(parse_token(body.token), body.request.encode()))

    @router.post("/renewal")
    def renew(body: RenewalRequest) -> EnrolmentBody:
        """Renew the certificate of a device before it expires."""
        try:
            signature = base64.b64decode(body.signature, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused("the signature is not base64", key="signature", hint="encode it again") from error
        return answer(authority.renew(body.certificate.encode(), body.request.encode(), signature))

    _ = read_authority, enrol, renew  # the router has them
    return router
