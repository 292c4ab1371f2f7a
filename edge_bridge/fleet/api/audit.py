"""The audit: who changed what, as an append-only chain."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from edge_bridge.fleet.api.context import Context
from edge_bridge.fleet.api.cursors import make_cursor, read_cursor
from edge_bridge.fleet.api.fields import MAX_MS, Cursor, Limit, Ms
from edge_bridge.fleet.audit import audit_log
from edge_bridge.fleet.store.tables import AUDIT

router = APIRouter(tags=["audit"])
_NAMES: Final = tuple(column.name for column in AUDIT.c)


class AuditBody(BaseModel):
    """One change. `hash` is the SHA-256 of the rest as canonical JSON; `prev_hash` that of the entry before."""

    id: int = Field(ge=1)
    t_ms: Ms
    who: str
    action: str
    object: str
    before: str = Field(description="SHA-256 of what was there, or JSON of something small; empty for nothing.")
    after: str
    prev_hash: str
    hash: str


class AuditPage(BaseModel):
    """Entries, the newest first."""

    entries: list[AuditBody]
    next: str | None


class AuditHead(BaseModel):
    """The newest entry, 0 where there is none."""

    id: int = Field(ge=0)
    hash: str


@router.get("/audit", summary="List changes")
def list_audit(context: Context, limit: Limit = 100, cursor: Cursor = None) -> AuditPage:
    """List who changed what, the newest first."""
    before = max(0, min(read_cursor(cursor, "audit", int)[0], MAX_MS)) if cursor else None
    found = context.reader.read_audit(before, limit + 1)
    page = [_make_entry(entry) for entry in found[:limit]]
    return AuditPage(entries=page, next=make_cursor("audit", page[-1].id) if len(found) > limit else None)


@router.get("/audit/head", summary="Read the newest entry's number and hash")
def read_head(context: Context) -> AuditHead:
    """Read what a copy elsewhere should hold: it shows later whether the end of the log was cut off."""
    with context.reader.begin() as connection:
        head = audit_log.read_head(connection)
    return AuditHead(id=head.number, hash=head.hash)


def _make_entry(entry: Any) -> AuditBody:
    return AuditBody(**{name: getattr(entry, name) for name in _NAMES})
