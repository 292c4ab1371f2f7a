"""The gate: what was asked goes in, what may be done comes out. Closed by default, so NaN never passes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from drivers.snapshot import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.snapshot import ChannelTable, Columns, Floats, Snapshot

CLOSED: Final = 0.5  # a contact reads 1 closed, 0 open


@dataclass(frozen=True, slots=True)
class Allowed:
    """The command passes as asked."""

    asked: Command
    apply: Command


@dataclass(frozen=True, slots=True)
class Held:
    """Not now: the last allowed command stays for `ticks_left` more ticks, then its current ramps to zero."""

    asked: Command
    apply: Command
    reason: str
    ticks_left: int


@dataclass(frozen=True, slots=True)
class Tripped:
    """Zero current until somebody resets the gate with a reason."""

    asked: Command
    apply: Command
    reason: str


Verdict: TypeAlias = Allowed | Held | Tripped


@dataclass(frozen=True)
class BenchLimits:
    """`low[n]` and `high[n]` over the channels of `table` (infinite: none), `declared[n]` as file:line."""

    table: ChannelTable
    low: Floats
    high: Floats
    declared: tuple[str, ...]

    def only(self, names: Sequence[str]) -> BenchLimits:
        """The limits of `names`; a name may repeat, so `table` stays whole and columns are looked up by the caller."""
        columns = self.table.indices(names)
        return BenchLimits(self.table, self.low[columns], self.high[columns], tuple(self.declared[n] for n in columns))

    def sentence(self, column: int, value: float, bound: int) -> str:
        """What broke: channel at `column`, value, unit, the limit at `bound` and where it was declared."""
        channel = self.table.channels[column]
        side, limit = ("above", self.high[bound]) if value > self.high[bound] else ("below", self.low[bound])
        return f"{channel.name} {value:.3f} {channel.unit} {side} {limit:.3f} {channel.unit} ({self.declared[bound]})"


@dataclass(frozen=True)
class GateSpec:
    """What the bench declares for its gate; arrays run over the columns of `limits.table`.

    A command must keep the limits of `current`, of `cell_voltage[n]` and of `cell_temperature[n]` (channel names, one
    per commanded value). `late_s` and `lost_s`: ages at which a value holds and trips, infinite where it need not be
    known. `device`: columns of the device under test, silent when none of them is newer than `device_silent_s`.
    `advertised`: columns of its charge and discharge limits where those bind too (mode pack).
    """

    limits: BenchLimits
    current: str
    cell_voltage: tuple[str, ...]
    cell_temperature: tuple[str, ...]
    late_s: Floats
    lost_s: Floats
    device: Columns
    device_silent_s: float
    estop: int | None
    hold_ticks: int
    ramp_a_s: float
    advertised: tuple[int, int] | None = None
