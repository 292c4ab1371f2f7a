"""Capacity from a log: a discharge from full to the cut-off, or the charge between two rests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from twin.health.log_segments import REST_SHARE, find_rests, find_stretches, split_log

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.health.log_segments import LogSamples

FULL_V: Final = 0.03  # below the upper limit a charged cell still rests full
EMPTY_V: Final = 0.02  # from the lower limit a discharge may end
STEADY: Final = 0.05  # of the mean: by how much the current at the cut-off may be above it
LEFT_SHARE: Final = 0.01  # of the charge: what an empty cell may still give
LEAST_S: Final = 600.0  # of a discharge, or of a rest before its voltage counts as open-circuit voltage
LEAST_STEP: Final = 0.3  # of state of charge between two rests
COUNTER_SHARE: Final = 0.005  # standard error of a charge by the cycler's counter
SUM_SHARE: Final = 0.015  # and by summing the current of the samples
FULL_SHARE: Final = 0.005  # how much of the capacity a cell that counts as full may lack
OCV_V: Final = 0.010  # standard error of an open-circuit voltage after a short rest, and between cells
TWO_SIDED: Final = 1.96


@dataclass(frozen=True)
class JudgedCell:
    """What a log is judged by: limits (V), and the open-circuit voltage (V) at evenly spaced states of charge."""

    low_v: float
    high_v: float
    ocv_v: Floats

    def find_soc(self, volts: float) -> float:
        """Return the state of charge at an open-circuit voltage."""
        return float(np.interp(volts, self.ocv_v, np.linspace(0.0, 1.0, len(self.ocv_v))))

    def find_slope(self, soc: float) -> float:
        """Return the rise of open-circuit voltage around a state of charge (V per 1)."""
        grid = np.linspace(0.0, 1.0, len(self.ocv_v))
        near = np.clip([soc - 0.03, soc + 0.03], 0.0, 1.0)
        low, high = np.interp(near, grid, self.ocv_v).tolist()
        return max((high - low) / float(near[1] - near[0]), 1e-6)


@dataclass(frozen=True)
class MeasuredCapacity:
    """A capacity with its 95 % interval in Ah, where in the log it comes from, and how."""

    log: str
    begin_s: float
    end_s: float
    capacity_ah: float
    low_ah: float
    high_ah: float
    how: str
    rate_a: float  # mean current
    kelvin: float | None
    samples: int


def find_capacities(log: LogSamples, cell: JudgedCell | None) -> tuple[list[MeasuredCapacity], list[str]]:
    """Return the capacities that a log shows, and sentences about what could not be judged and why."""
    if cell is None:
        what = f"{log.name}: no capacity is judged without limits of the cell: name the cell (--cell){_describe(log)}"
        return [], [what]
    parts = split_log(log)
    found = [one for part in parts for one in _find_full(part, cell) or _find_between_rests(part, cell)]
    if found:
        return found, []
    rests = f"two rests of {LEAST_S / 60:.0f} min that are {100 * LEAST_STEP:.0f} % of charge apart"
    full = f"discharge from full ({cell.high_v - FULL_V:.2f} V at rest or more) to {cell.low_v:g} V"
    leaps = f" in one of its {len(parts)} parts: between them the voltage leaps at rest" if len(parts) > 1 else ""
    return [], [f"{log.name}: no {full}, and no {rests}{leaps}{_describe(log)}"]


def _describe(log: LogSamples) -> str:
    """Return what the greatest discharge of a log moved, as the end of a sentence."""
    low, high = float(log.taken_ah.min()), float(log.taken_ah.max())
    volts = f"{log.voltage_v.min():.2f} to {log.voltage_v.max():.2f} V"
    return f" (the log moves {high - low:.3f} Ah within {volts})"


def _find_full(log: LogSamples, cell: JudgedCell) -> list[MeasuredCapacity]:
    """Return each discharge that begins with a full cell and ends with an empty one: at the lower limit, no pulse."""
    is_full = (log.voltage_v >= cell.high_v - FULL_V) & (np.abs(log.current_a) <= 0.1 * log.greatest_a)
    begins, near_empty = np.flatnonzero(is_full), np.abs(log.voltage_v - cell.low_v) <= EMPTY_V
    found: list[MeasuredCapacity] = []
    after = -1
    for _, end in find_stretches(near_empty & (log.current_a > 0.0), log.time_s, 0.0):
        before = begins[(begins > after) & (begins < end)]
        if not len(before):
            continue
        begin = int(before[np.flatnonzero(log.taken_ah[before] == log.taken_ah[before].min())[-1]])  # its fullest
        if log.time_s[end] - log.time_s[begin] >= LEAST_S and _is_empty(log, begin, end):
            found.append(_measure(log, (begin, end), 1.0, FULL_SHARE, "discharge from full to the cut-off"))
            after = end
    return found


def _is_empty(log: LogSamples, begin: int, end: int) -> bool:
    """Return whether no charge was left at the cut-off: no peak of current met it, and no more came before a charge."""
    taken_a, lasts_s = log.current_a[begin : end + 1], np.diff(log.time_s[begin : end + 1], append=log.time_s[end])
    flows = taken_a > REST_SHARE * log.greatest_a
    mean_a = float(taken_a[flows] @ lasts_s[flows]) / max(float(lasts_s[flows].sum()), 1e-9)
    if log.current_a[end] > (1.0 + STEADY) * mean_a:
        return False
    left_ah = LEFT_SHARE * float(log.taken_ah[end] - log.taken_ah[begin])
    later_ah = log.taken_ah[end:] - log.taken_ah[end]
    charged = np.flatnonzero(later_ah < -left_ah)
    return bool(later_ah[: charged[0] if len(charged) else None].max() <= left_ah)


def _find_between_rests(log: LogSamples, cell: JudgedCell) -> list[MeasuredCapacity]:
    """Return the capacity by the two rests that are farthest apart in charge."""
    rests = [last for _, last in find_rests(log, LEAST_S)]
    socs = [cell.find_soc(float(log.voltage_v[place])) for place in rests]
    if not rests or max(socs) - min(socs) < LEAST_STEP:
        return []
    first, last = sorted((int(np.argmax(socs)), int(np.argmin(socs))))
    step = socs[first] - socs[last]
    begin_error, end_error = (OCV_V / cell.find_slope(socs[place]) for place in (first, last))
    error = float(np.hypot(begin_error, end_error)) / abs(step)
    how = f"counter between two rests, {100 * abs(step):.0f} % of charge apart"
    return [_measure(log, (rests[first], rests[last]), step, error, how)]


def _measure(log: LogSamples, places: tuple[int, int], step: float, error: float, how: str) -> MeasuredCapacity:
    """Return the capacity where the charge between two places is `step` of it, with the relative error of that."""
    first, last = places
    moved_ah = float(log.taken_ah[last] - log.taken_ah[first])
    capacity = moved_ah / step
    share = TWO_SIDED * float(np.hypot(COUNTER_SHARE if log.is_counted else SUM_SHARE, error))
    kelvin = None if log.kelvin is None else float(np.mean(log.kelvin[first : last + 1]))
    begin_s, end_s = float(log.time_s[first]), float(log.time_s[last])
    interval = (capacity * (1.0 - share), capacity * (1.0 + share))
    rate_a = 3600.0 * moved_ah / (end_s - begin_s)
    return MeasuredCapacity(log.name, begin_s, end_s, capacity, *interval, how, rate_a, kelvin, last - first + 1)
