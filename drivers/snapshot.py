"""The common types of the code base: numbers in SI units over named channels, discharge current positive."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Floats: TypeAlias = npt.NDArray[np.float64]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Columns: TypeAlias = npt.NDArray[np.intp]
Flags: TypeAlias = npt.NDArray[np.bool_]


class Quality(IntEnum):
    """The quality of one value."""

    GOOD = 0
    STALE = 1
    MISSING = 2
    IMPLAUSIBLE = 3


@dataclass(frozen=True, slots=True)
class Channel:
    """One named signal in SI units (`1` for a fraction or a flag) with its plausible range.

    No decision uses a value older than `max_age_s`; infinite where only the gate's own times bound the age.
    """

    name: str
    unit: str
    low: float = float("-inf")
    high: float = float("inf")
    max_age_s: float = float("inf")


@dataclass(frozen=True)
class ChannelTable:
    """The ordered, immutable channels of a bench; it turns names into columns once, at start."""

    channels: tuple[Channel, ...]
    max_age_s: Floats = field(init=False, repr=False, compare=False)  # of each channel
    _columns: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raise `ValueError` when two channels share a name."""
        columns = {channel.name: column for column, channel in enumerate(self.channels)}
        if len(columns) != len(self.channels):
            names = [channel.name for channel in self.channels]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"channel {twice} is declared twice")
        object.__setattr__(self, "_columns", columns)
        object.__setattr__(self, "max_age_s", np.array([channel.max_age_s for channel in self.channels]))

    def __len__(self) -> int:
        return len(self.channels)

    def __iter__(self) -> Iterator[Channel]:
        return iter(self.channels)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(channel.name for channel in self.channels)

    def index(self, name: str) -> int:
        """Return the column of `name`; raise `KeyError` that names the channel."""
        return self._columns[name]

    def indices(self, names: Iterable[str]) -> Columns:
        """Return the columns of `names`, in that order."""
        return np.array([self._columns[name] for name in names], dtype=np.intp)

    def extended(self, more: Iterable[Channel]) -> ChannelTable:
        """Return a table with `more` channels after these."""
        return ChannelTable((*self.channels, *more))


@dataclass(frozen=True)
class Snapshot:
    """One instant of the bench: `values[n]`, `sampled_s[n]` and `quality[n]` over `table`, taken at `t_s`.

    All times are seconds of one monotonic clock. A missing value is NaN.
    """

    table: ChannelTable
    t_s: float
    values: Floats
    sampled_s: Floats
    quality: Bytes

    @cached_property
    def known(self) -> Floats:
        """Values that a decision may use: `values`, NaN where implausible or older than its channel's `max_age_s`.

        A sample from the future is as wrong as one from the past.
        """
        fresh = np.abs(self.t_s - self.sampled_s) <= self.table.max_age_s
        return np.where(fresh & (self.quality != Quality.IMPLAUSIBLE), self.values, np.nan)

    def doubt(self, columns: Columns) -> str:
        """Return why one of `columns` is not known, as a sentence that names its channel; empty if all are known."""
        unknown = columns[np.isnan(self.known[columns])]
        if not unknown.size:
            return ""
        n = int(unknown[0])
        channel, age_s = self.table.channels[n], self.t_s - float(self.sampled_s[n])
        if np.isfinite(self.values[n]) and not abs(age_s) <= channel.max_age_s:
            return f"{channel.name} is {age_s:.3f} s old, limit {channel.max_age_s:.3f} s"
        return f"{channel.name} is not known"


@dataclass(frozen=True)
class PackReading:
    """Pack inputs of estimators and controllers: measured values only, one entry per cell.

    `current_a` is the pack current at the shunt, `balancing_a[n]` what each cell carries in addition,
    both discharge positive; `voltage_v[n]`, `temperature_k[n]`. NaN where a value is not known.
    `charge_limit_a` and `discharge_limit_a`: what the device allows (magnitudes), infinite where it reports none.
    """

    t_s: float
    current_a: float
    balancing_a: Floats
    voltage_v: Floats
    temperature_k: Floats
    charge_limit_a: float = float("inf")
    discharge_limit_a: float = float("inf")


@dataclass(frozen=True)
class StateOfHealth:
    """Health of each series element, with standard deviations; NaN where it is not known yet.

    `capacity[n]`: the SoH, its charge between full and empty over the nameplate's. `resistance[n]`: the growth of the
    resistance, R0 over the R0 of the cell file at the same charge and temperature (1: as new).
    """

    capacity: Floats
    capacity_std: Floats
    resistance: Floats
    resistance_std: Floats

    def describe_pack(self) -> tuple[float, float, float, float, float]:
        """Return mean capacity, its mean deviation and the lowest, then mean resistance and its mean deviation.

        The pack as if all cells erred alike; NaN while one cell is not known.
        """
        capacity, resistance = self.capacity, self.resistance
        means = [float(values.mean()) for values in (capacity, self.capacity_std, resistance, self.resistance_std)]
        return means[0], means[1], float(capacity.min()), means[2], means[3]


@dataclass(frozen=True)
class Estimate:
    """The estimate of a lane: `soc[n]` and `soc_std[n]` per cell (fractions of capacity); `soh` if it tells health."""

    soc: Floats
    soc_std: Floats
    soh: StateOfHealth | None = field(default=None, kw_only=True)

    @property
    def pack_soc(self) -> float:
        """Mean over the cells."""
        return float(self.soc.sum()) / self.soc.size


@dataclass(frozen=True)
class Command:
    """A command: pack current in A, and in mode hil the cells' voltages (V) and temperatures (K)."""

    current_a: float
    cell_voltage_v: Floats
    cell_temperature_k: Floats
