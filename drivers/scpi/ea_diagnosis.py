"""Diagnosis of an EA supply. Alarms are read first, because reading the error queue acknowledges them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from drivers.errors import CommandUnknown, LinkError, LinkRefused
from drivers.scpi import codec
from drivers.scpi import ea_psb10000 as page
from drivers.scpi.ea_status import SUPERVISION_ENDED, EaStatus, status
from drivers.scpi.source import shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.scpi.link import ScpiLink

COMMAND_ERRORS: Final = range(-199, -99)
STATUS: Final = codec.message(page.STATUS.ask())
ERRORS: Final = codec.message(page.ERRORS.ask())
OPERATION: Final = codec.message(page.OPERATION.ask())


class QueryLink(Protocol):
    """A driver that sends a query."""

    def asked(self, link: ScpiLink, message: bytes, count: int = 1, timeout_s: float | None = None) -> bytes: ...


def standing(talk: QueryLink, link: ScpiLink) -> EaStatus:
    """Read the present status; raise `LinkError`."""
    return status(talk.asked(link, STATUS))


def complaints(talk: QueryLink, link: ScpiLink) -> list[str]:
    """Read the alarms, then the error queue, oldest first; raise `LinkError`."""
    alarms = [f"alarm {alarm}" for alarm in standing(talk, link).alarms]
    return [*alarms, *map(str, codec.error_entries(talk.asked(link, ERRORS)))]


def loss(talk: QueryLink, link: ScpiLink) -> str:
    """Return why remote control was lost and what to do, as far as the supply reports it; never raise."""
    try:
        bits = codec.state(talk.asked(link, OPERATION))
    except LinkError:
        bits = 0
    if bits & SUPERVISION_ENDED:
        return "its interface supervision received no message in time; arm again"
    return "release its panel and arm again"


def unanswered(link: ScpiLink, message: bytes, timeout_s: float, tell: Callable[[str], None]) -> LinkError | None:
    """Return the error queue's reason for a query without reply; None if the queue is empty or not readable."""
    try:
        alarms = status(link.ask(STATUS, 1, timeout_s)).alarms
        entries = codec.error_entries(link.ask(ERRORS, 1, timeout_s))
    except LinkError:
        return None
    for alarm in alarms:
        tell(f"alarm acknowledged: {alarm}")
    if not entries:
        return None
    question, reason = shorten(message.decode("ascii").strip()), ", ".join(map(str, entries))
    if entries[-1].number in COMMAND_ERRORS:
        return CommandUnknown(f"does not support {question}: {reason}", where=link.address, hint="check its firmware")
    return LinkRefused(f"refuses {question}: {reason}", where=link.address, hint="check its panel")
