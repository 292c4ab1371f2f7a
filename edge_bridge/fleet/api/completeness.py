"""How complete the rows of a device are: produced, stored, named in gaps, missing; and where."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from edge_bridge.fleet.api.context import Context
from edge_bridge.fleet.api.cursors import make_cursor, read_cursor
from edge_bridge.fleet.api.fields import Cursor, Limit, Ms, NodePath
from edge_bridge.fleet.api.rows import require_device
from edge_bridge.fleet.store.fleet_reader import MAX_HOLES
from edge_bridge.ranges import subtract

router = APIRouter(prefix="/devices/{node}", tags=["rows"])
MAX_BOOTS: Final = 100  # whose missing rows are listed
MAX_RANGES: Final = 100  # of missing rows of one boot


class RangeBody(BaseModel):
    """Rows of one boot, from `first` to `last`."""

    boot: str = Field(max_length=32)
    first: int = Field(ge=1)
    last: int = Field(ge=1)


class BootBody(BaseModel):
    """One boot: `produced = stored + named + missing`. `named` rows were evicted by the device and named in a gap."""

    boot: str = Field(max_length=32)
    produced: int = Field(ge=0)
    stored: int = Field(ge=0)
    named: int = Field(ge=0)
    missing: int = Field(ge=0)
    first_ms: Ms | None
    last_ms: Ms | None


class CompletenessBody(BaseModel):
    """The sums over all boots, the newest boots, and the first missing ranges of each."""

    produced: int = Field(ge=0)
    stored: int = Field(ge=0)
    named: int = Field(ge=0)
    missing: int = Field(ge=0)
    boots: list[BootBody] = Field(max_length=MAX_BOOTS)
    missing_rows: list[RangeBody]
    is_whole_list: bool = Field(description="False if there are more boots or ranges than are listed.")


class GapPage(BaseModel):
    """Gaps that the device named, by boot and number."""

    gaps: list[RangeBody]
    next: str | None


@router.get("/completeness", summary="Count the rows")
def read_completeness(context: Context, node: NodePath) -> CompletenessBody:
    """Count the rows of each boot and find those that nothing explains."""
    require_device(context, node)
    found = [
        BootBody(
            boot=boot.boot,
            produced=boot.highest,
            stored=boot.stored,
            named=boot.named,
            missing=max(0, boot.highest - boot.stored - boot.named),
            first_ms=boot.first_ms,
            last_ms=boot.last_ms,
        )
        for boot in context.reader.read_boots(node)
    ]
    newest = found[-MAX_BOOTS:]
    ranges, is_whole = list[RangeBody](), len(newest) == len(found)
    for boot in newest:
        if boot.missing:
            holes = context.reader.read_holes(node, boot.boot, boot.produced)
            gaps = context.reader.read_gaps(node, (boot.boot, 0), MAX_HOLES)
            missing = subtract(holes, [(gap.first, gap.last) for gap in gaps if gap.boot == boot.boot])
            is_whole = is_whole and len(holes) < MAX_HOLES and len(missing) <= MAX_RANGES and len(gaps) < MAX_HOLES
            ranges += [RangeBody(boot=boot.boot, first=first, last=last) for first, last in missing[:MAX_RANGES]]
    sums = {name: sum(getattr(boot, name) for boot in found) for name in ("produced", "stored", "named", "missing")}
    return CompletenessBody(**sums, boots=newest, missing_rows=ranges, is_whole_list=is_whole)


@router.get("/gaps", summary="List the gaps that the device named")
def list_gaps(context: Context, node: NodePath, limit: Limit = 100, cursor: Cursor = None) -> GapPage:
    """List gaps by boot and number."""
    require_device(context, node)
    boot, first = read_cursor(cursor, "gaps", str, int) if cursor else ("", 0)
    found = context.reader.read_gaps(node, (boot, first), limit + 1)
    page = [RangeBody(boot=gap.boot, first=gap.first, last=gap.last) for gap in found[:limit]]
    follows = make_cursor("gaps", page[-1].boot, page[-1].first) if len(found) > limit else None
    return GapPage(gaps=page, next=follows)
