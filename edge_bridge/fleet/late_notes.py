"""Notes of nodes that only go on measuring wait a while, in a large fleet: what they measured is in their rows.

A note is what the store keeps of a node besides its rows. With thousands of nodes a second, to write each note with
each row costs the database as much as the row.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from edge_bridge.fleet.row_status import read_told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from edge_bridge.fleet.store.records import Batch, NodeRecord
    from edge_bridge.metrics import Scalar

MANY: Final = 1_000  # nodes; of fewer each note is written at once
LATE_S: Final = 5.0


class WrittenNote(NamedTuple):
    """What the last written note told that is not measured, and when it was written, in s."""

    online: bool
    group: str
    told: tuple[Scalar, ...]
    at_s: float

    def is_news(self, note: NodeRecord) -> bool:
        """Return whether a later note tells more than what is measured."""
        told = read_told(note.status)
        return not (
            note.online == self.online and note.group == self.group and (told is self.told or told == self.told)
        )


class LateNotes:
    """The notes that wait, and what was last written of each node; times in s, monotonic."""

    def __init__(self) -> None:
        self._late = dict[str, "NodeRecord"]()
        self._written = dict[str, WrittenNote]()  # by name, in the order of writing

    def choose(self, batch: Batch, now_s: float) -> None:
        """Leave in the batch the notes that are news or due, and add those that waited long enough."""
        urgent = {birth.node for birth in batch.births} | {event.node for event in batch.events}
        has_room = len(self._written) < MANY
        notes, batch.notes = batch.notes, {}
        for name, note in notes.items():
            before = self._written.get(name)
            if has_room or before is None or name in urgent or before.is_news(note):
                self._late.pop(name, None)
                self._mark(note, now_s)
                batch.notes[name] = note
            else:
                self._late[name] = note
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
        self._written[note.node] = WrittenNote(note.online, note.group, read_told(note.status), now_s)

    def _find_due(self, now_s: float) -> Iterator[str]:
        old = takewhile(lambda one: now_s - one[1].at_s >= LATE_S, self._written.items())
        return (name for name, _ in old if name in self._late)
