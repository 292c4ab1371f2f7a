"""Notes of nodes that only go on measuring wait a while, in a large fleet: what they measured is in their rows.

A note is what the store keeps of a node besides its rows. With thousands of nodes a second, to write each note with
each row costs the database as much as the row.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from edge_bridge.fleet.live.news import NEWS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from edge_bridge.fleet.store.records import Batch, NodeRecord

MANY: Final = 1_000  # nodes; of fewer each note is written at once
LATE_S: Final = 5.0


class WrittenNote(NamedTuple):
    """What the last written note told that is not measured, and when it was written, in s."""

    told: tuple[object, ...]
    at_s: float


class LateNotes:
    """The notes that wait, and what was last written of each node; times in s, monotonic."""

    def __init__(self) -> None:
        self._late = dict[str, "NodeRecord"]()
        self._written = dict[str, WrittenNote]()  # by name, in the order of writing

    def choose(self, batch: Batch, now_s: float) -> None:
        """Leave in the batch the notes that are news or due, and add those that waited long enough."""
        urgent = {birth.node for birth in batch.births} | {event.node for event in batch.events}
        has_room = len(self._written) < MANY
        for name, note in [*batch.notes.items()]:
            before = self._written.get(name)
            if has_room or before is None or name in urgent or before.told != _pick(note):
                self._late.pop(name, None)
                self._mark(note, now_s)
            else:
                self._late[name] = batch.notes.pop(name)
        for name in [*self._find_due(now_s)]:
            if (note := self._late.pop(name, None)) is not None:
                batch.notes.setdefault(name, note)
                self._mark(note, now_s)
        self.drop(batch.forgotten)

    def add_all(self, batch: Batch) -> None:
        """Add all that wait to the batch."""
        batch.notes = self._late | batch.notes
        self._late = {}

    def drop(self, nodes: Collection[str]) -> None:
        """Drop what waits of these nodes."""
        for name in nodes:
            self._late.pop(name, None)
            self._written.pop(name, None)

    def _mark(self, note: NodeRecord, now_s: float) -> None:
        self._written.pop(note.node, None)
        self._written[note.node] = WrittenNote(_pick(note), now_s)

    def _find_due(self, now_s: float) -> Iterator[str]:
        old = takewhile(lambda one: now_s - one[1].at_s >= LATE_S, self._written.items())
        return (name for name, _ in old if name in self._late)


def _pick(note: NodeRecord) -> tuple[object, ...]:
    get = note.status.get
    return (note.online, note.group, *[get(name) for name in NEWS])
