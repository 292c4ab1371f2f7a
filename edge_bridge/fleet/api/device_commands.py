"""`/devices/NODE/commands`: ask a device for something, with an expiry."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, model_validator

from edge_bridge.fleet.api.context import Context
from edge_bridge.fleet.api.fields import MAX_MS, Ms, NodePath
from edge_bridge.fleet.api.problems import make_not_found
from edge_bridge.fleet.api.request_log import find_request_id
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.command_book import make_command
from edge_bridge.fleet.device_command import CommandKind, CommandState, DeviceCommand
from edge_bridge.fleet.store.audit_chain import AuditNote
from edge_bridge.sparkplug.acks import format_acks

router = APIRouter(prefix="/devices", tags=["commands"])
MAX_ROWS: Final = 5_000  # that an edge sends again for one command


class KeptRowsBody(BaseModel, extra="forbid"):
    """Rows of one boot that the device may still keep: `completeness` names those that are missing."""

    boot: str = Field(min_length=1, max_length=32, pattern="^[0-9a-f]+$")
    first: int = Field(ge=1, le=MAX_MS)
    last: int = Field(ge=1, le=MAX_MS)

    @model_validator(mode="after")
    def check_span(self) -> KeptRowsBody:
        if not 0 <= self.last - self.first < MAX_ROWS:
            words = f"last is not before first, and a command names up to {MAX_ROWS} rows"
            raise ValueError(words)
        return self

    def describe(self) -> str:
        """Return the rows as an acknowledgement names them."""
        return next(format_acks({self.boot: [(self.first, self.last)]}))


class CommandOrder(BaseModel, extra="forbid"):
    """A command; it waits for a device that is offline until it expires."""

    kind: CommandKind
    rows: KeptRowsBody | None = Field(default=None, description="Of `resend` alone, which needs them.")
    expires_s: int = Field(default=3_600, ge=10, le=7 * 86_400)

    @model_validator(mode="after")
    def check_rows(self) -> CommandOrder:
        if (self.rows is not None) is not (self.kind is CommandKind.RESEND):
            words = "resend names rows, no other command does"
            raise ValueError(words)
        return self


class CommandBody(BaseModel):
    """A command and how far it is."""

    id: str
    kind: CommandKind
    state: CommandState = Field(description="`done` by evidence: the device answered, or a newer birth was stored.")
    request: str = Field(description="The id of the request that made it (`X-Request-ID`).")
    rows: str = Field(description="Rows to send again, `BOOT:FIRST-LAST`; empty for other commands.")
    answer: str = Field(description="What the device answered, in its words.")
    by: str
    made_ms: Ms
    expires_ms: Ms
    sent_ms: Ms | None
    ended_ms: Ms | None


class CommandList(BaseModel):
    """The newest 50 commands of a device, the newest first."""

    commands: list[CommandBody] = Field(max_length=60)


@router.post("/{node}/commands", summary="Queue a command", status_code=HTTPStatus.ACCEPTED)
def queue_command(
    context: Context, person: SignedIn, request: Request, node: NodePath, body: CommandOrder
) -> CommandBody:
    """Queue a command for a device; up to 10 may wait for it."""
    if node not in context.directory.read().devices:
        raise make_not_found(f"a device {node}")
    now_ms = context.now_ms()
    made = make_command(
        body.kind,
        (now_ms, now_ms + 1_000 * body.expires_s),
        person.name,
        request=find_request_id(request.scope),
        rows="" if body.rows is None else body.rows.describe(),
    )
    about = {"command": made.id, "request": made.request} | ({"rows": made.rows} if made.rows else {})
    note = AuditNote(now_ms, person.who, f"command.{made.kind.value}", f"device/{node}", after=json.dumps(about))
    return _make_body(context.commands.add(node, made, note))


@router.get("/{node}/commands", summary="List the commands of a device")
def list_commands(context: Context, node: NodePath) -> CommandList:
    """List the commands of a device, the newest first."""
    return CommandList(commands=[_make_body(one) for one in context.commands.list_commands(node)])


def _make_body(command: DeviceCommand) -> CommandBody:
    return CommandBody(**{name: getattr(command, name) for name in CommandBody.model_fields})
