"""A log as the circuit reads it: steps, the current of each step, and the reference state of charge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.logs.log import CellLog
    from drivers.snapshot import Floats

GAP_S: Final = 90.0  # a longer step hides what the current did: the counter tells its mean
ROOM_K: Final = 298.15  # of a cell whose temperature nobody measured


@dataclass(frozen=True)
class CellTrace:
    """Arrays of one length: `dt_s` since the sample before, `mean_a` over it, and what each sample says.

    `soc`: by the counter of the cycler, else counted. `case_k`: the measured temperature, else one that is given.
    """

    time_s: Floats
    dt_s: Floats
    mean_a: Floats
    current_a: Floats
    voltage_v: Floats
    case_k: Floats
    soc: Floats

    def __len__(self) -> int:
        return len(self.dt_s)

    @property
    def integrated_ah(self) -> Floats:
        """The charge (Ah) that the current has taken since the start."""
        return np.cumsum(self.mean_a * self.dt_s) / 3600.0


def make_trace(log: CellLog, capacity_ah: float, soc0: float = 1.0, room_k: float = ROOM_K) -> CellTrace:
    """Return the trace of a log that is at `soc0` where its counter reads 0; `room_k` where it has no temperature."""
    dt_s = np.diff(log.time_s, prepend=log.time_s[0])
    case_k = log.temperature_k if log.temperature_k is not None else np.full(len(log), room_k)
    soc = soc0 + count_charge(log) / capacity_ah
    return CellTrace(log.time_s, dt_s, find_mean_current(log, dt_s), log.current_a, log.voltage_v, case_k, soc)


def count_charge(log: CellLog) -> Floats:
    """Return the charge (Ah) since the log's start, negative on discharge: by its counter, else integrated."""
    if log.ah is not None:
        return log.ah
    return -np.cumsum(log.current_a * np.diff(log.time_s, prepend=log.time_s[0])) / 3600.0


def find_mean_current(log: CellLog, dt_s: Floats) -> Floats:
    """Return the mean current (A) since the sample before: across a gap what the counter says, else the sample's."""
    if log.ah is None:
        return log.current_a
    counted_a = -3600.0 * np.diff(log.ah, prepend=log.ah[0]) / np.maximum(dt_s, 1e-9)
    return np.where(dt_s > GAP_S, counted_a, log.current_a)
