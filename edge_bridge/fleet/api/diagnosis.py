"""Why a device is offline."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from edge_bridge.fleet.api.context import Context
from edge_bridge.fleet.api.fields import Ms, Name, NodePath
from edge_bridge.fleet.store.fleet_reader import EventFilter
from edge_bridge.fleet.why_offline import DeviceEvidence, diagnose

router = APIRouter(prefix="/devices/{node}", tags=["devices"])
BIRTHS: Final = 20
EVENTS: Final = 50


class FindingBody(BaseModel):
    """A cause by name, and the evidence for it."""

    cause: str = Field(max_length=40)
    evidence: str = Field(max_length=500)


class DiagnosisBody(BaseModel):
    """The findings, the likeliest cause first, and the births that were received, the newest first."""

    node: Name
    online: bool
    findings: list[FindingBody] = Field(min_length=1)
    last_ms: Ms | None
    births_ms: list[Ms] = Field(max_length=BIRTHS)


@router.get("/why-offline", summary="Why is this device offline?")
def explain_offline(context: Context, node: NodePath) -> DiagnosisBody:
    """Collect the evidence; a name that was never seen gets an answer too."""
    device = context.directory.read().devices.get(node)
    births = [birth.t_ms for birth in context.reader.read_births(node, BIRTHS)]
    events = context.reader.read_events(EventFilter(node), None, EVENTS)
    known = DeviceEvidence(
        now_ms=context.now_ms(),
        is_known=device is not None,
        is_online=device is not None and device.online,
        host_trouble=context.host.read_trouble(),
        last_ms=None if device is None else device.last_ms,
        births_ms=births,
        events=[(event.kind, event.t_ms) for event in events],
    )
    findings = [FindingBody(cause=one.cause, evidence=one.evidence[:500]) for one in diagnose(known)]
    return DiagnosisBody(node=node, online=known.is_online, findings=findings, last_ms=known.last_ms, births_ms=births)
