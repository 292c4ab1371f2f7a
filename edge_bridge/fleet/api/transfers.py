"""`/devices/NODE/bundles`: send a bundle to one device; the live overview reports how far it is."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from edge_bridge.fleet.api.context import Context
from edge_bridge.fleet.api.fields import NodePath
from edge_bridge.fleet.api.problems import ProblemRaised, make_not_found
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.bundle_transfer import MAX_BYTES, hash_bundle
from edge_bridge.fleet.store.audit_chain import AuditNote

if TYPE_CHECKING:
    from edge_bridge.fleet.host_requests import HostRequests


class TransferBody(BaseModel):
    """A bundle that will be sent."""

    node: str = Field(max_length=200)
    sha256: str = Field(min_length=64, max_length=64)
    size: int = Field(ge=1, le=MAX_BYTES)


def make_transfer_router(requests: HostRequests) -> APIRouter:
    """Make the router; the host's thread does what `requests` hold."""
    router = APIRouter(prefix="/devices", tags=["bundles"])
    body = {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}

    @router.post(
        "/{node}/bundles",
        summary="Send a bundle to one device",
        status_code=HTTPStatus.ACCEPTED,
        openapi_extra={"requestBody": body},
    )
    async def send_bundle(context: Context, person: SignedIn, node: NodePath, request: Request) -> TransferBody:
        """Send the bytes of a bundle, in place of a transfer that runs; the device verifies it with its own keys."""
        data = await request.body()
        if not 0 < len(data) <= MAX_BYTES:
            raise ProblemRaised(HTTPStatus.UNPROCESSABLE_ENTITY, "no-bundle", f"a bundle has 1 to {MAX_BYTES} bytes")
        if node not in context.directory.read().devices:
            raise make_not_found(f"a device {node}")
        if not context.host.has_node(node):
            hint = "ask the other hosts of this fleet, or wait until the device is online"
            raise ProblemRaised(HTTPStatus.CONFLICT, "not-served", f"this host does not serve {node} now", hint)
        digest = hash_bundle(data)
        note = AuditNote(context.now_ms(), person.who, "bundle.send", f"device/{node}", after=digest)
        await run_in_threadpool(context.writer.append, note)
        requests.send_bundle(data, node)
        return TransferBody(node=node, sha256=digest, size=len(data))

    return router
