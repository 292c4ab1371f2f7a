"""`/devices/NODE/commands`: ask a device for something, with an expiry."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, Field

from edge_bridge.fleet.api.context import Context
from edge_bridge.fleet.api.fields import Ms, NodePath
from edge_bridge.fleet.api.problems import make_not_found
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.device_command import CommandKind, CommandState, DeviceCommand
from edge_bridge.fleet.store.audit_chain import AuditNote

router = APIRouter(prefix="/devices", tags=["commands"])


class CommandOrder(BaseModel, extra="forbid"):
    """A command; it waits for a device that is offline until it expires."""

    kind: CommandKind
    expires_s: int = Field(default=3_600, ge=10, le=7 * 86_400)


class CommandBody(BaseModel):
    """A command and how far it is."""

    id: str
    kind: CommandKind
    state: CommandState = Field(description="`done` by evidence: a rebirth is done when a newer birth was stored.")
    by: str
    made_ms: Ms
    expires_ms: Ms
    sent_ms: Ms | None
    ended_ms: Ms | None


class CommandList(BaseModel):
    """The newest 50 commands of a device, the newest first."""

    commands: list[CommandBody] = Field(max_length=60)


@router.post("/{node}/commands", summary="Queue a command", status_code=HTTPStatus.ACCEPTED)
def queue_command(context: Context, person: SignedIn, node: NodePath, body: CommandOrder) -> CommandBody:
    """Queue a command for a device; up to 10 may wait for it."""
    if node not in context.directory.read().devices:
        raise make_not_found(f"a device {node}")
    now_ms = context.now_ms()
    note = AuditNote(now_ms, person.who, f"command.{body.kind.value}", f"device/{node}")
    made = context.commands.add(node, body.kind, (now_ms, now_ms + 1_000 * body.expires_s), person.name, note)
    return _make_body(made)


@router.get("/{node}/commands", summary="List the commands of a device")
def list_commands(context: Context, node: NodePath) -> CommandList:
    """List the commands of a device, the newest first."""
    return CommandList(commands=[_make_body(one) for one in context.commands.list_commands(node)])


def _make_body(command: DeviceCommand) -> CommandBody:
    return CommandBody(**{name: getattr(command, name) for name in CommandBody.model_fields})
