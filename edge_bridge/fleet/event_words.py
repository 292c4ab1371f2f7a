"""What each kind of event means to a person: what happened, and what to do. One sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_bridge.fleet import events
from edge_bridge.fleet.store.records import ROW_CONFLICT

NOTHING: Final = "Nothing needs to be done."


@dataclass(frozen=True, slots=True)
class EventWords:
    """`happened` and `advice` of a kind; the detail of an event says the rest."""

    happened: str
    advice: str


EVENT_WORDS: Final[dict[str, EventWords]] = {
    events.OFFLINE: EventWords(
        "The pack is offline.", "Open the pack: “Why is it offline?” lists the causes. It keeps its rows meanwhile."
    ),
    events.ONLINE: EventWords("The pack is online.", NOTHING),
    events.REBOOT: EventWords("The edge started again.", "If it starts again and again, read the log of the edge."),
    events.TRIPPED: EventWords(
        "The gate tripped; the edge asks the BMS to open the contactors.",
        "Go to the pack or call who is there; find the cause before somebody resets the trip.",
    ),
    events.HELD: EventWords("The gate holds the last allowed command.", "If it stays held, look at the reason."),
    events.ALLOWED: EventWords("The gate allows commands again.", NOTHING),
    events.BMS_FAULT: EventWords(
        "The BMS reports a fault.", "Look the fault up in the manual of the BMS; do not reset it before you know why."
    ),
    events.BMS_OK: EventWords("The BMS reports no fault any more.", NOTHING),
    events.GAP: EventWords(
        "The edge evicted rows that it could not send in time.",
        "They are lost. If it happens again, mend the connection or give the outbox more room.",
    ),
    events.CLOCK_WRONG: EventWords(
        "The clock of the edge is wrong.", "Set its clock: the times of its rows cannot be used until then."
    ),
    events.CLOCK_RIGHT: EventWords("The clock of the edge is right again.", NOTHING),
    events.BUNDLE_FAILED: EventWords(
        "The pack did not take the bundle; the one before runs.", "Read the reason, mend the bundle and send it again."
    ),
    events.BUNDLE_HEALTHY: EventWords("The new bundle runs and has proved healthy.", NOTHING),
    events.BUNDLE_STATE: EventWords("The pack takes a bundle, step by step.", NOTHING),
    events.REVOKED: EventWords(
        "The certificate of the pack was revoked, and its connection was cut.",
        "If this was not intended, enrol the pack again.",
    ),
    events.QUOTA: EventWords(
        "The pack sends more than its quota.",
        "Look why: a wrong rate, or rows of a long outage. Nothing is lost: the edge sends it again.",
    ),
    ROW_CONFLICT: EventWords(
        "Rows came again under their number with other values; the first ones stay.",
        "Two edges may use one name, or an outbox was copied: find out which, then acknowledge.",
    ),
    events.COMMAND_ANSWERED: EventWords("The edge answered a command.", NOTHING),
}


def find_words(kind: str) -> EventWords:
    """Return the words of a kind; for one of another version its name, as words."""
    return EVENT_WORDS.get(kind) or EventWords(f"{kind.replace('-', ' ')}.".capitalize(), "")
