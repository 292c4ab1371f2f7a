"""`/audit`: who did what, each entry linked to the one before by its hash."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from edge_bridge.fleet.api.context import Context
from edge_bridge.fleet.api.fields import MAX_MS, Limit
from edge_bridge.fleet.audit import audit_log

router = APIRouter(prefix="/audit", tags=["audit"])


class AuditBody(BaseModel):
    """One entry."""

    number: int = Field(ge=1)
    t_ms: int = Field(description="ms since 1970 (UTC).")
    who: str = Field(max_length=audit_log.MAX_WORDS)
    action: str = Field(max_length=audit_log.MAX_WORDS)
    object: str = Field(max_length=audit_log.MAX_WORDS)
    before: str | None = Field(description="JSON.")
    after: str | None = Field(description="JSON.")
    prev_hash: str = Field(description="SHA-256 of the entry before.")
    hash: str = Field(description="SHA-256 of this entry.")


class AuditPage(BaseModel):
    """Entries in their order."""

    entries: list[AuditBody]
    next: int | None = Field(description="`after` of the next page, null at the end.")


class AuditHead(BaseModel):
    """The newest entry: keep it elsewhere, so that a log that was cut off shows."""

    number: int = Field(ge=0)
    hash: str


@router.get("", summary="Read the audit log")
def read_audit(
    context: Context,
    after: Annotated[int, Query(ge=0, le=MAX_MS, description="Number of the last entry that is known.")] = 0,
    limit: Limit = 100,
) -> AuditPage:
    """Read the entries behind a number."""
    with context.reader.begin() as connection:
        found = audit_log.read_page(connection, after, limit + 1)
    page = found[:limit]
    following = page[-1].number if len(found) > limit else None
    return AuditPage(entries=[AuditBody(**asdict(one)) for one in page], next=following)


@router.get("/head", summary="Read the newest entry's number and hash")
def read_head(context: Context) -> AuditHead:
    """Read what a copy elsewhere should hold."""
    with context.reader.begin() as connection:
        head = audit_log.read_head(connection)
    return AuditHead(number=head.number, hash=head.hash)
