"""The device's fault and its place as channels, if the device reports them by flags instead of a number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.channel_names import BMS_FAULT, BMS_FAULT_CELL
from drivers.snapshot import Channel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.canbus.device_behaviour import FaultRow
    from drivers.snapshot import Bytes, Floats

NO_FAULT: Final = "NONE"


def derive_fault_channels(mapped: Sequence[Channel], faults: Sequence[FaultRow]) -> tuple[Channel, ...]:
    """Return the channels that `FaultChannels` fills: the fault if `faults` declare it, the place if no signal has it.

    They are valid as long as the oldest value from which they are derived.
    """
    age_s = {channel.name: channel.max_age_s for channel in mapped}
    used = [*(flag for row in faults for flag in row.flags), *(row.place for row in faults if row.place is not None)]
    most_s = max((age_s[name] for name in used), default=age_s.get(BMS_FAULT, 0.0))
    fault = (Channel(BMS_FAULT, "1", 0.0, float(len(faults)), most_s),) if faults else ()
    place = (
        (Channel(BMS_FAULT_CELL, "1", 0.0, 1e3, most_s),)
        if BMS_FAULT_CELL not in age_s and (faults or BMS_FAULT in age_s)
        else ()
    )
    return (*fault, *place)


def fault_words(faults: Sequence[FaultRow]) -> dict[int, str]:
    """Return the name of each number of the derived fault."""
    return {0: NO_FAULT} | {number: row.name for number, row in enumerate(faults, start=1)}


@dataclass(frozen=True, slots=True)
class _Place:
    column: int
    shift: float


class FaultChannels:
    """Writer of the derived channels of one read; `mapped` are the channels that come from signals."""

    def __init__(self, mapped: Sequence[Channel], faults: Sequence[FaultRow]) -> None:
        column = {channel.name: number for number, channel in enumerate(mapped)}
        added = [channel.name for channel in derive_fault_channels(mapped, faults)]
        self._fault = len(mapped) + added.index(BMS_FAULT) if BMS_FAULT in added else None
        self._place = len(mapped) + added.index(BMS_FAULT_CELL) if BMS_FAULT_CELL in added else None
        self._mapped_fault = column.get(BMS_FAULT)
        flags = [(column[flag], number, row.raised) for number, row in enumerate(faults) for flag in row.flags]
        self._columns = np.array([at for at, _, _ in flags], dtype=np.intp)
        self._owner = [number for _, number, _ in flags]
        self._raised = [raised for _, _, raised in flags]
        self._places = [
            None if row.place is None else _Place(column[row.place], float(1 - row.counts_from)) for row in faults
        ]

    def fill(self, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        """Complete one read in place. A fault has the age and the quality of the flag that raised it.

        If no flag is raised but one is unknown, the fault is unknown: NaN with the quality of that flag.
        """
        owner: int | None = None
        at = self._mapped_fault
        if self._fault is not None:
            raised = self._first(values)
            at = self._fault
            if raised is not None:
                column, owner = raised
                values[at], sampled_s[at], quality[at] = owner + 1, sampled_s[column], quality[column]
            else:
                self._none(values, sampled_s, quality)
        if self._place is not None and at is not None:
            place = None if owner is None else self._places[owner]
            source = at if place is None else place.column
            values[self._place] = 0.0 if place is None else values[source] + place.shift
            sampled_s[self._place], quality[self._place] = sampled_s[source], quality[source]

    def _first(self, values: Floats) -> tuple[int, int] | None:
        """Return column and owner of the first raised flag."""
        for number, value in enumerate(values[self._columns].tolist()):
            raised = self._raised[number]
            if value in raised if raised else math.isfinite(value) and value != 0.0:
                return int(self._columns[number]), self._owner[number]
        return None

    def _none(self, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        at, unknown = self._fault, ~np.isfinite(values[self._columns])
        values[at] = np.nan if unknown.any() else 0.0
        sampled_s[at] = sampled_s[self._columns].min()
        worst = quality[self._columns[unknown]] if unknown.any() else quality[self._columns]
        quality[at] = worst.max()
