"""Builds a snapshot from the sources, and from a snapshot the inputs of twins, estimators and controllers."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from control.ports import CurrentRange
from drivers.channel_names import (
    CHARGE_LIMIT,
    CONTACTOR,
    DISCHARGE_LIMIT,
    PACK_CURRENT,
    SUPPLY_CURRENT,
    cell_current,
    sensed_temperature,
    sensed_voltage,
)
from drivers.errors import describe_error
from drivers.event import DETAIL, KIND, Event, EventKind, Level
from drivers.snapshot import ChannelTable, Columns, Floats, PackReading, Quality, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.ports import Source


class SnapshotBuilder:
    """Builds one table from all sources of a bench; each source fills its own columns."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)
        self.table = ChannelTable(tuple(channel for source in sources for channel in source.channels))
        edges = np.cumsum([0, *(len(source.channels) for source in sources)]).tolist()
        self._spans = tuple(slice(first, end) for first, end in pairwise(edges))
        self._values = np.full(len(self.table), np.nan)
        self._sampled_s = np.full(len(self.table), -np.inf)
        self._quality = np.full(len(self.table), Quality.MISSING, dtype=np.uint8)
        self._broken: set[str] = set()

    def build(self, t_s: float, events: list[Event]) -> Snapshot:
        """Copy the newest values of all sources; a source that raises is not known, and adds one event to `events`."""
        for source, span in zip(self.sources, self._spans, strict=True):
            try:
                source.read(self._values[span], self._sampled_s[span], self._quality[span])
                self._broken.discard(source.name)
            except Exception as error:  # noqa: BLE001  # a driver may fail in any way, the loop may not
                self._values[span], self._sampled_s[span], self._quality[span] = np.nan, -np.inf, Quality.MISSING
                if source.name not in self._broken:
                    text = f"source {source.name} failed: {describe_error(error, 'its driver')}"
                    data = {KIND: EventKind.SOURCE_FAILED, "name": source.name, DETAIL: traceback.format_exc()}
                    events.append(Event(Level.WARNING, "loop", text, data))
                self._broken.add(source.name)
        return Snapshot(self.table, t_s, self._values.copy(), self._sampled_s.copy(), self._quality.copy())


@dataclass(frozen=True)
class Wiring:
    """The channels that the loop reads; tuples have one name per cell.

    `loop_current` is the current that really flows (for twins), `pack_current` the one that the device under test
    measures (for estimators and controllers). `cell_current` is what a cell carries in addition, empty if nothing
    measures it. `contactor` feedback and the device's current limits are None where the bench has none.
    """

    loop_current: str
    pack_current: str
    cell_voltage: tuple[str, ...]
    cell_current: tuple[str, ...]
    cell_temperature: tuple[str, ...]
    contactor: str | None = None
    charge_limit: str | None = None
    discharge_limit: str | None = None

    @staticmethod
    def hil(cells: int, thermistors: int) -> Wiring:
        """Return the names of a hil bench: cell n has the thermistor of its part of the pack."""
        numbers = range(1, cells + 1)
        return Wiring(
            loop_current=SUPPLY_CURRENT,
            pack_current=PACK_CURRENT,
            cell_voltage=tuple(sensed_voltage(n) for n in numbers),
            cell_current=tuple(cell_current(n) for n in numbers),
            cell_temperature=tuple(sensed_temperature((n - 1) * thermistors // cells + 1) for n in numbers),
            contactor=CONTACTOR,
            charge_limit=CHARGE_LIMIT,
            discharge_limit=DISCHARGE_LIMIT,
        )


class PackView:
    """The pack's values of a snapshot, by columns found once; a value beyond its age or range is not known (NaN)."""

    def __init__(self, table: ChannelTable, wiring: Wiring) -> None:
        self._loop_current = table.index(wiring.loop_current)
        self._pack_current = table.index(wiring.pack_current)
        self._voltage, self._temperature = table.indices(wiring.cell_voltage), table.indices(wiring.cell_temperature)
        self._cell_current = table.indices(wiring.cell_current)
        self._currents = np.concatenate([[self._loop_current], self._cell_current]).astype(np.intp)
        self._contactor = None if wiring.contactor is None else table.index(wiring.contactor)
        self._limits: Columns | None = None
        if wiring.charge_limit is not None and wiring.discharge_limit is not None:
            self._limits = table.indices((wiring.charge_limit, wiring.discharge_limit))
        self._no_balancing = np.zeros(len(wiring.cell_voltage))
        self._held_a = np.zeros(1 + len(wiring.cell_current))
        self._required = np.concatenate([[self._pack_current], self._voltage]).astype(np.intp)

    def reading(self, snapshot: Snapshot) -> PackReading:
        """Return the inputs of estimators and controllers."""
        values = snapshot.known
        balancing_a = values[self._cell_current] if self._cell_current.size else self._no_balancing
        current_a = float(values[self._pack_current])
        cells = values[self._voltage], values[self._temperature]
        limits_a = (np.inf, np.inf) if self._limits is None else values[self._limits].tolist()
        return PackReading(snapshot.t_s, current_a, balancing_a, *cells, *limits_a)

    def find_unknown(self, snapshot: Snapshot) -> str:
        """Return why an estimator must hold, empty if it need not: pack current or a cell voltage is not known."""
        return snapshot.doubt(self._required)

    def twin_current(self, snapshot: Snapshot) -> Floats:
        """Return the current of each cell in A: the loop's plus the cell's own, each held while it is not known."""
        now_a = snapshot.known[self._currents]
        np.copyto(self._held_a, now_a, where=np.isfinite(now_a))
        return self._held_a[0] + (self._held_a[1:] if self._cell_current.size else self._no_balancing)

    def allowed(self, snapshot: Snapshot) -> CurrentRange:
        """Return what the device under test allows now: 0 A for an unknown value, no limit if it reports none."""
        if self._limits is None:
            return CurrentRange(np.inf, np.inf)
        charge_a, discharge_a = (max(0.0, a) for a in snapshot.known[self._limits].tolist())  # 0.0 where a is NaN
        return CurrentRange(charge_a, discharge_a)

    def contactor_closed(self, snapshot: Snapshot) -> bool:
        """Whether current may flow at all; feedback that is not known counts as open."""
        return self._contactor is None or bool(snapshot.known[self._contactor] == 1.0)
