"""What goes into a fleet's store in one transaction, and what comes out of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.metrics import Scalar

REFUSED, FLAGGED = "refused", "flagged"  # kinds of counts
OTHER_GROUP: Final = "other_group"  # why a node is refused that is online under another group
CONFLICT: Final = (REFUSED, "conflict")  # a row arrived again with the same number and other values
ROW_CONFLICT: Final = "row-conflict"  # the event of it, an alarm
RowName: TypeAlias = tuple[str, str, int]  # node, boot, number
MAX_BIRTHS: Final = 100  # births that are kept of one node
MAX_EVENTS: Final = 1_000  # events that are kept of one node
MAX_WAITING_EVENTS: Final = 20_000
MAX_WAITING_BIRTHS: Final = 1_000  # births that wait for a disk that accepts nothing


@dataclass(slots=True, unsafe_hash=True)  # nobody changes one; `frozen` would make each cost three times as much
class NodeRecord:
    """What the store keeps of a node: its status by metric name, the time of its newest row."""

    node: str
    online: bool
    last_ms: int | None
    status: Mapping[str, Scalar]
    group: str = ""  # unknown for a node of an earlier version, until its next birth


@dataclass(frozen=True, slots=True)
class Birth:
    """A birth, and the newest row that it reports; `former` is the group under which the host knew the node."""

    node: str
    t_ms: int
    bd_seq: int
    bundle: str | None
    newest: tuple[str, int] | None
    group: str = ""
    former: str = ""


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """Something that happened to a node; an alarm stays raised until an event whose `clears` names its kind."""

    node: str
    t_ms: int
    kind: str
    severity: str
    detail: str
    is_alarm: bool = False
    clears: tuple[str, ...] = ()


@dataclass
class Batch:
    """All changes of one transaction; `counts` by kind (`refused`, `flagged`) and reason; `t_ms`: when it was made."""

    rows: list[StoredRow] = field(default_factory=list["StoredRow"])
    births: list[Birth] = field(default_factory=list[Birth])
    notes: dict[str, NodeRecord] = field(default_factory=dict[str, NodeRecord])
    events: list[NodeEvent] = field(default_factory=list[NodeEvent])
    forgotten: set[str] = field(default_factory=set[str])  # nodes that lost their place
    counts: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict[tuple[str, str], int](int))
    t_ms: int = 0
    revoked: set[str] = field(default_factory=set[str])  # nodes that were cut off; the events tell it

    def __bool__(self) -> bool:
        return bool(self.rows or self.births or self.notes or self.events or self.forgotten or self.counts)

    @property
    def nodes(self) -> set[str]:
        """Return the nodes that the batch is about."""
        return (
            {row.node for row in self.rows}
            | {birth.node for birth in self.births}
            | {event.node for event in self.events}
            | {*self.notes}
            | self.forgotten
        )

    def drop_nodes(self, nodes: Collection[str]) -> Batch:
        """Return the batch without these nodes."""
        rows = [row for row in self.rows if row.node not in nodes]
        births = [birth for birth in self.births if birth.node not in nodes]
        notes = {node: note for node, note in self.notes.items() if node not in nodes}
        events = [event for event in self.events if event.node not in nodes]
        counts = defaultdict[tuple[str, str], int](int, self.counts)
        return Batch(rows, births, notes, events, self.forgotten - {*nodes}, counts, self.t_ms)

    def add(self, later: Batch) -> None:
        """Add what came later, in its order; of very many births and events only the newest stay."""
        self.t_ms = max(self.t_ms, later.t_ms)
        self.rows += later.rows
        self.births += later.births
        del self.births[:-MAX_WAITING_BIRTHS]
        self.events += later.events
        del self.events[:-MAX_WAITING_EVENTS]
        for node in later.forgotten:
            self.notes.pop(node, None)
        self.notes |= later.notes
        self.forgotten = (self.forgotten | later.forgotten) - self.notes.keys()
        for key, count in later.counts.items():
            self.counts[key] += count


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The result of a committed batch: rows `new` and seen before, and `kept`, which may be acknowledged.

    `strangers` are nodes that are online under another group at another host; nothing of them was stored.
    """

    new: int
    duplicates: int
    conflicts: int
    kept: Mapping[str, Mapping[str, Sequence[int]]]  # numbers by node and boot
    strangers: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """Rows so far, from running counts; `summary` counts the tables themselves."""

    produced: int
    stored: int
    named: int

    @property
    def missing(self) -> int:
        return max(0, self.produced - self.stored - self.named)
