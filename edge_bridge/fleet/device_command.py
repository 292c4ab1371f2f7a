"""A command to a device with an expiry, as a pure state machine: queued until it is online, done by evidence."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ANSWER: Final = 200
SEND_AGAIN_MS: Final = 10_000  # a command has QoS 0


class CommandKind(StrEnum):
    """What a device can be asked for."""

    REBIRTH = "rebirth"  # send a birth: names, types and the whole status again
    RESEND = "resend"  # send rows again that the device keeps


class CommandState(StrEnum):
    """How far a command is."""

    QUEUED = "queued"
    SENT = "sent"
    DONE = "done"
    EXPIRED = "expired"


OPEN: Final = frozenset({CommandState.QUEUED, CommandState.SENT})


@dataclass(frozen=True, slots=True)
class CommandSight:
    """What is seen of a device; `birth` names its newest birth, empty for none.

    `online`: here, at the host that serves it: no other one may send. `answered`: the command that it answered last.
    """

    online: bool
    birth: str
    answered: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """A command; `birth` is the newest one when it was first sent.

    `request`: the id of the request that made it. `rows`: which to send again, as an acknowledgement names them.
    """

    id: str
    kind: CommandKind
    made_ms: int
    expires_ms: int
    by: str
    state: CommandState = CommandState.QUEUED
    sent_ms: int | None = None
    ended_ms: int | None = None
    birth: str = ""
    request: str = ""
    rows: str = ""
    answer: str = ""  # of the device, in words

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def as_body(self) -> dict[str, Any]:
        return asdict(self)


def parse_command(body: Mapping[str, Any]) -> DeviceCommand:
    """Return the command of `as_body`."""
    fields: dict[str, Any] = {**body, "kind": CommandKind(body["kind"]), "state": CommandState(body["state"])}
    return DeviceCommand(**fields)


def advance_command(command: DeviceCommand, sight: CommandSight, now_ms: int) -> tuple[DeviceCommand, bool]:
    """Return the command after what is seen now, and whether it has to be sent now.

    The device's own answer ends it; a rebirth also ends with a newer birth, since earlier edges do not answer.
    """
    if not command.is_open:
        return command, False
    if command.state is CommandState.SENT and _is_done(command, sight):
        answer = sight.answer[:MAX_ANSWER] if sight.answered == command.id else ""
        return replace(command, state=CommandState.DONE, ended_ms=now_ms, answer=answer), False
    if now_ms >= command.expires_ms:
        return replace(command, state=CommandState.EXPIRED, ended_ms=now_ms), False
    if not sight.online:
        return command, False
    if command.state is CommandState.QUEUED:
        return replace(command, state=CommandState.SENT, sent_ms=now_ms, birth=sight.birth), True
    is_due = command.sent_ms is None or now_ms - command.sent_ms >= SEND_AGAIN_MS
    return (replace(command, sent_ms=now_ms), True) if is_due else (command, False)


def _is_done(command: DeviceCommand, sight: CommandSight) -> bool:
    is_born = command.kind is CommandKind.REBIRTH and sight.birth != command.birth
    return is_born or sight.answered == command.id
