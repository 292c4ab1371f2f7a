"""Limit of repeated events: the first ones pass, then one a window says how many more there were.

A source that is late every second turn makes 3 000 events a minute; all that they say stands in the first ones.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from drivers.event import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Callable

Alike: TypeAlias = "tuple[str, str, str]"  # level, source, text without measured values

BURST: Final = 5  # events that are alike and pass in one window
WINDOW_S: Final = 10.0
REPEATS: Final = "repeats"  # in the data of the summary: how many events it stands for
UNLIMITED: Final = frozenset(
    {EventKind.TRIPPED, EventKind.RESET, EventKind.LANE_ACTIVE, EventKind.OFF_NOT_ACKNOWLEDGED}
)
_VALUE: Final = re.compile(r"(?<![\w/])[-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?")  # 12.5, never the 07 of cell_07


@dataclass(slots=True)
class _Group:
    """Events that are alike, since `began_s`; `newest` is the last that was held back."""

    began_s: float
    passed: int = 0
    held: int = 0
    newest: Event | None = None


class EventLimiter:
    """Passes events on to `keep`; may be called from several threads."""

    def __init__(self, keep: Callable[[Event], None], clock: Callable[[], float]) -> None:
        """`clock` returns s."""
        self._keep, self._clock = keep, clock
        self._groups: dict[Alike, _Group] = {}
        self._lock = threading.Lock()

    @property
    def groups(self) -> int:
        """How many groups are remembered."""
        return len(self._groups)

    def add(self, event: Event) -> None:
        """Keep the event, or count it if there were enough of its kind."""
        with self._lock:
            if event.kind not in UNLIMITED:
                group = self._groups.setdefault(_find_alike(event), _Group(self._clock()))
                if group.passed >= BURST:
                    group.held, group.newest = group.held + 1, event
                    return
                group.passed += 1
            self._keep(event)

    def report(self, *, at_end: bool = False) -> None:
        """Keep a summary for each group whose window has passed, or for each `at_end`; call it a few times a second."""
        now_s = self._clock()
        with self._lock:
            for alike, group in list(self._groups.items()):
                if not (at_end or now_s - group.began_s >= WINDOW_S):
                    continue
                if group.newest is None:
                    del self._groups[alike]
                    continue
                text = f"{group.held} more in {now_s - group.began_s:.0f} s, the newest: {group.newest.text}"
                self._keep(replace(group.newest, text=text, data={**group.newest.data, REPEATS: group.held}))
                # the next window passes none: a flood that goes on has one summary a window
                self._groups[alike] = _Group(now_s, passed=BURST)


def _find_alike(event: Event) -> Alike:
    return event.level, event.source, _VALUE.sub("#", event.text)
