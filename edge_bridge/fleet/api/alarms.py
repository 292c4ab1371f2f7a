"""Events of the devices, and alarms: events that stay raised until their opposite, and that somebody acknowledges."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from edge_bridge.fleet.api.context import Context
from edge_bridge.fleet.api.cursors import make_cursor, read_cursor
from edge_bridge.fleet.api.fields import Cursor, Limit, Ms, Name, NameQuery
from edge_bridge.fleet.api.problems import ProblemRaised, make_not_found
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.api.visible import find_visible_nodes, require_device
from edge_bridge.fleet.event_words import find_words
from edge_bridge.fleet.people.roles import FleetAction
from edge_bridge.fleet.store.audit_chain import AuditNote, hash_content
from edge_bridge.fleet.store.fleet_reader import EventFilter

router = APIRouter(tags=["events"])
MAX_ID: Final = (1 << 53) - 1
_NAMES: Final = ("id", "node", "t_ms", "kind", "severity", "detail", "cleared_ms")
_BY: Final = ("acknowledged_ms", "acknowledged_by", "note")


class Severity(StrEnum):
    """How much attention an event needs."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class EventBody(BaseModel):
    """Something that happened to a device; `is_alarm`: it stays raised until `cleared_ms`."""

    id: int = Field(ge=1)
    node: Name
    t_ms: Ms
    kind: str = Field(max_length=40, description="For instance offline, online, reboot, tripped, gap, bms-fault.")
    severity: Severity
    detail: str
    happened: str = Field(description="What this kind of event means, in a sentence.")
    advice: str = Field(description="What to do, in a sentence; empty for a kind of another version.")
    is_alarm: bool
    cleared_ms: Ms | None
    acknowledged_ms: Ms | None
    acknowledged_by: str | None
    note: str | None


class EventPage(BaseModel):
    """Events, the newest first."""

    events: list[EventBody]
    next: str | None


class AcknowledgementBody(BaseModel):
    """What somebody says who has seen an alarm."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(default="", max_length=500, pattern=r"^[^\x00]*$")


KindQuery = NameQuery


@router.get("/events", summary="List events")
def list_events(
    context: Context,
    person: SignedIn,
    *,
    node: NameQuery = None,
    kind: KindQuery = None,
    severity: Severity | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> EventPage:
    """List events of all devices or of one, the newest first."""
    return _read_page(
        context, EventFilter(node, kind, severity, nodes=find_visible_nodes(context, person)), limit, cursor
    )


@router.get("/alarms", summary="List alarms")
def list_alarms(
    context: Context,
    person: SignedIn,
    *,
    node: NameQuery = None,
    raised: bool | None = True,
    acknowledged: bool | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> EventPage:
    """List alarms, the newest first; those that are raised if nothing else is asked for."""
    nodes = find_visible_nodes(context, person)
    wanted = EventFilter(node, is_alarm=True, is_raised=raised, is_acknowledged=acknowledged, nodes=nodes)
    return _read_page(context, wanted, limit, cursor)


@router.post("/alarms/{alarm}/acknowledge", summary="Acknowledge an alarm")
def acknowledge_alarm(
    context: Context, person: SignedIn, alarm: Annotated[int, Path(ge=1, le=MAX_ID)], body: AcknowledgementBody
) -> EventBody:
    """Acknowledge an alarm once; it stays raised until its opposite."""
    node = context.reader.read_alarm_node(alarm)
    if node is None:
        raise make_not_found(f"an alarm {alarm}")
    require_device(context, person, FleetAction.ACKNOWLEDGE, node)
    note = AuditNote(context.now_ms(), person.who, "alarm.acknowledge", f"alarm/{alarm}", after=hash_content(body.note))
    found = context.writer.acknowledge(alarm, body.note, note)
    if found is not None:
        return _make_event(found)
    raise ProblemRaised(HTTPStatus.CONFLICT, "acknowledged", f"alarm {alarm} is acknowledged already")


def _read_page(context: Context, wanted: EventFilter, limit: int, cursor: str | None) -> EventPage:
    before = read_cursor(cursor, "events", int)[0] if cursor else None
    if before is not None and not 1 <= before <= MAX_ID:
        raise ProblemRaised(HTTPStatus.BAD_REQUEST, "cursor", "the cursor is not one of this list")
    found = context.reader.read_events(wanted, before, limit + 1)
    page = [_make_event(row) for row in found[:limit]]
    return EventPage(events=page, next=make_cursor("events", page[-1].id) if len(found) > limit else None)


def _make_event(row: Any) -> EventBody:
    names = (*_NAMES, *_BY)
    words = find_words(row.kind)
    return EventBody(
        **{name: getattr(row, name) for name in names},
        is_alarm=bool(row.is_alarm),
        happened=words.happened,
        advice=words.advice,
    )
