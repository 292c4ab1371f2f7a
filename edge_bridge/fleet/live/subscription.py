"""One subscription of a client: which events it wants, and how far it has read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edge_bridge.fleet.live.ring import RowEvent, StateEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_bridge.fleet.live.ring import EventRing, FleetEvent

MOST: Final = 2_000  # events that one message covers
BEHIND: Final = 5_000  # a client that has not read so many events gets the newest row of each device instead


@dataclass(slots=True)
class EventBatch:
    """The events of one message; `missed` were in the ring no more, `skipped` rows gave way to newer ones."""

    rows: list[RowEvent] = field(default_factory=list[RowEvent])
    states: list[StateEvent] = field(default_factory=list[StateEvent])
    skipped: int = 0
    missed: int = 0
    missed_from: int = 0
    is_slow: bool = False  # rows were skipped because the client reads too slowly

    def __bool__(self) -> bool:
        return bool(self.rows or self.states or self.missed)


@dataclass(slots=True)
class LiveSubscription:
    """What a client asked for; it holds a place in the ring and no events, so a slow client costs no memory."""

    id: str
    wanted: frozenset[str] | None  # None: all
    columns: tuple[int, ...] | None  # None: all
    period_s: float  # at most one row of a device in this time; 0: every row
    position: int
    exact_until: int  # what is resumed comes whole, however far behind
    due_s: float = float("-inf")
    devices: frozenset[str] | None = field(init=False)  # those wanted that the client may see; None: all

    def __post_init__(self) -> None:
        self.devices = self.wanted

    def limit(self, visible: frozenset[str] | None) -> frozenset[str] | None:
        """Limit it to what the client may see; return the devices that come in by that, None for all."""
        before, wanted = self.devices, self.wanted
        self.devices = wanted if visible is None else visible if wanted is None else wanted & visible
        if before is None:
            return frozenset()
        return None if self.devices is None else self.devices - before

    def read(self, ring: EventRing, now_s: float) -> EventBatch:
        """Return the next events and move on; an empty batch if none is due."""
        batch = EventBatch()
        if self.position < ring.oldest:
            batch.missed, batch.missed_from = ring.oldest - self.position, self.position
            self.position = ring.oldest
        if self.position >= ring.end or now_s < self.due_s:
            return batch
        is_exact = self.position < self.exact_until
        batch.is_slow = not is_exact and ring.end - self.position > BEHIND
        end = ring.end if batch.is_slow or self.period_s else min(ring.end, self.position + MOST)
        wanted = self._select(ring.read(self.position, end))
        self.position, self.due_s = end, now_s + self.period_s
        if batch.is_slow or self.period_s:
            _keep_newest(wanted, batch)
        else:
            for event in wanted:
                if isinstance(event, RowEvent):
                    batch.rows.append(event)
                else:
                    batch.states.append(event)
        batch.is_slow = batch.is_slow and batch.skipped > 0
        return batch

    def wait_s(self, ring: EventRing, now_s: float) -> float | None:
        """Return how long until something may be due, None if nothing is there."""
        if self.position >= ring.end:
            return None
        return max(0.0, self.due_s - now_s)

    def _select(self, events: Iterable[FleetEvent]) -> Iterable[FleetEvent]:
        devices = self.devices
        return events if devices is None else (event for event in events if event.node in devices)


def _keep_newest(events: Iterable[FleetEvent], batch: EventBatch) -> None:
    """Keep the newest row and the newest state of each device; a resent row is never the newest if a live one is."""
    rows, states = dict[str, RowEvent](), dict[str, StateEvent]()
    for event in events:
        if isinstance(event, StateEvent):
            states[event.node] = event
            continue
        before = rows.get(event.node)
        if before is not None:
            batch.skipped += 1
            if event.row.historical and not before.row.historical:
                continue
        rows[event.node] = event
    batch.rows, batch.states = list(rows.values()), list(states.values())


def pick_columns(names: Sequence[str], known: Sequence[str]) -> tuple[int, ...]:
    """Return the places of the named columns; raise `ValueError` with the name that is unknown."""
    for name in names:
        if name not in known:
            raise ValueError(name)
    return tuple(known.index(name) for name in names)
