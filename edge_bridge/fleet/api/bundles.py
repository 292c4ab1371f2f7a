"""`/bundles`: the bundles that a fleet can roll out, each verified with its trusted keys."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from edge_bridge.bundle.archive import MAX_BYTES
from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.cursors import make_cursor, read_cursor
from edge_bridge.fleet.api.fields import SHA256_PATTERN, Cursor, Limit, Ms
from edge_bridge.fleet.api.problems import ProblemRaised, make_not_found
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.documents.document import MAX_FOUND, FleetDocument
from edge_bridge.fleet.store.audit_chain import AuditNote

router = APIRouter(prefix="/bundles", tags=["bundles"])
_BODY = {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
Sha256Path = Annotated[
    str, Path(min_length=64, max_length=64, pattern=SHA256_PATTERN, description="SHA-256 of the file.")
]
Words = Annotated[str, Field(max_length=200)]


class UploadedBundle(BaseModel):
    """A bundle: what its signed manifest says, who signed it, who uploaded it."""

    sha256: str = Field(min_length=64, max_length=64)
    name: Words
    serial: int
    made: Words
    expires: Words
    evidence: Words = Field(description="SIM, HIL or PACK.")
    run: Words
    pack_type: Words
    signer: Words = Field(description="Id of the trusted key and its file.")
    uploaded_by: Words
    uploaded_ms: Ms
    size: int = Field(ge=0, description="Bytes.")


class UploadedBundlePage(BaseModel):
    """A page of bundles, by their hash."""

    bundles: list[UploadedBundle]
    next: str | None


class UploadedBundleDetails(UploadedBundle):
    """A bundle with its members about evidence, as they were signed."""

    evidence_member: dict[str, Any]
    certificate: dict[str, Any] | None = Field(description="The certification's record, null without one.")


@router.post("", summary="Upload a bundle", status_code=HTTPStatus.CREATED, openapi_extra={"requestBody": _BODY})
async def upload_bundle(context: Context, person: SignedIn, request: Request, response: Response) -> UploadedBundle:
    """Verify and store a bundle of up to 8 MiB; one that is there already stays as it is."""
    data = await request.body()
    if not 0 < len(data) <= MAX_BYTES:
        raise ProblemRaised(HTTPStatus.UNPROCESSABLE_ENTITY, "no-bundle", f"a bundle has 1 to {MAX_BYTES} bytes")
    found = await run_in_threadpool(_add, context, data, person.who)
    response.headers["Location"] = f"/api/v1/bundles/{found.key}"
    return _make_entry(found)


@router.get("", summary="List bundles")
def list_bundles(context: Context, limit: Limit = 100, cursor: Cursor = None) -> UploadedBundlePage:
    """List bundles, by their hash."""
    after = read_cursor(cursor, "bundles", str)[0] if cursor else ""
    found = context.library.list_bundles(after[:64], min(limit + 1, MAX_FOUND))
    page = [_make_entry(one) for one in found[:limit]]
    has_more = len(found) > limit or len(found) == MAX_FOUND
    return UploadedBundlePage(bundles=page, next=make_cursor("bundles", page[-1].sha256) if has_more else None)


@router.get("/{sha256}", summary="Read a bundle and its evidence")
def read_bundle(context: Context, sha256: Sha256Path) -> UploadedBundleDetails:
    """Read a bundle and its evidence."""
    found = context.library.find(sha256)
    if found is None:
        raise make_not_found(f"a bundle {sha256[:12]}")
    evidence, certificate = context.library.read_evidence(sha256)
    return UploadedBundleDetails(
        **_make_entry(found).model_dump(),
        evidence_member=json.loads(evidence),
        certificate=None if certificate is None else json.loads(certificate),
    )


def _add(context: ApiContext, data: bytes, who: str) -> FleetDocument:
    now_ms = context.now_ms()
    found = context.library.verify(data, now_ms)
    note = AuditNote(now_ms, who, "bundle.upload", f"bundle/{found.sha256}", after=found.sha256)
    return context.library.add(found, data, who, note)


def _make_entry(found: FleetDocument) -> UploadedBundle:
    names = UploadedBundle.model_fields.keys() - {"sha256"}
    return UploadedBundle(sha256=found.key, **{name: found.body[name] for name in names})
