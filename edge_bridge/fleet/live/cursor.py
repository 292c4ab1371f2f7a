"""A place in the events of one run of a host, as text: `RUN-NUMBER`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_CURSOR: Final = re.compile(r"([0-9a-f]{8})-([0-9]{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True)
class EventCursor:
    """`number` is that of the next event; `run` tells a restarted host from the one before."""

    run: str
    number: int

    def __str__(self) -> str:
        return f"{self.run}-{self.number}"


def parse_cursor(text: str) -> EventCursor | None:
    """Parse a cursor; return None for any other text."""
    found = _CURSOR.fullmatch(text)
    return None if found is None else EventCursor(found[1], int(found[2]))
