"""The open-circuit voltage and the capacity of a cell, from one slow discharge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import LogError
from twin.network.trace import count_charge

if TYPE_CHECKING:
    from drivers.logs.log import CellLog
    from drivers.snapshot import Floats

POINTS: Final = 101
SLOWEST_C, FASTEST_C = 1.0 / 200.0, 1.0 / 9.0  # of a discharge that shows the open circuit
FLOWS: Final = 1e-3  # of the largest current: less is a rest
LEAST_CHARGE, MOST_CHARGE = 0.95, 1.03  # of the capacity, that a charge must move to tell the other branch
ENDS: Final = 5  # points at both ends, where branches differ by more than hysteresis
FULL_SHARE: Final = 0.05  # of the range of voltage, below which a log does not start full


@dataclass(frozen=True)
class SlowDischarge:
    """`capacity_ah` between full and empty, `ocv_v[POINTS]` over SoC, the voltages of both ends, and its rows.

    `full_ah`: what `count_charge` shows at SoC 1. `hysteresis_v[POINTS]`: half of what a slow charge lies above it.
    """

    capacity_ah: float
    ocv_v: Floats
    full_v: float
    empty_v: float
    rate_c: float
    full_ah: float
    hysteresis_v: Floats
    first: int
    last: int


def find_slow_discharge(log: CellLog, *, hysteresis: bool = False) -> SlowDischarge:
    """Return the longest discharge of a log: SoC 1 where its counter reads 0, or where it begins, 0 where it ends.

    With `hysteresis`, a slow charge after it tells the other branch, and U lies between both. Raise `LogError` where
    the discharge is not slow, or does not begin at a full cell.
    """
    counted_ah = count_charge(log)
    first, last = _find_longest_discharge(log, counted_ah)
    moved_ah = float(counted_ah[first] - counted_ah[last])
    begins_at = float(counted_ah[first])
    from_full = abs(begins_at) < FULL_SHARE * moved_ah
    capacity_ah = moved_ah - begins_at if from_full else moved_ah
    hours = float(log.time_s[last] - log.time_s[first]) / 3600.0
    rate_c = moved_ah / max(hours, 1e-9) / capacity_ah
    _check(log, first, rate_c)
    rows = slice(first, last + 1)
    full_ah = 0.0 if from_full else begins_at
    soc = 1.0 + (counted_ah[rows] - full_ah) / capacity_ah
    falling = np.minimum.accumulate(log.voltage_v[rows])
    ocv_v = np.interp(np.linspace(0.0, 1.0, POINTS), soc[::-1], falling[::-1])
    ends_v = float(log.voltage_v.max()), float(log.voltage_v[last])
    half_v = _find_hysteresis(log, counted_ah, last, capacity_ah, ocv_v) if hysteresis else np.zeros(POINTS)
    return SlowDischarge(capacity_ah, ocv_v + half_v, *ends_v, rate_c, full_ah, half_v, first, last)


def _find_hysteresis(log: CellLog, counted_ah: Floats, last: int, capacity_ah: float, ocv_v: Floats) -> Floats:
    """Return half of what the slow charge after row `last` lies above the discharge; zeros without such a charge."""
    flows = log.current_a < -FLOWS * float(np.abs(log.current_a).max(initial=0.0))
    flows[: last + 1] = False
    edges = np.flatnonzero(np.diff(flows.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    if not len(edges):
        return np.zeros(POINTS)
    first, end = max(edges.tolist(), key=lambda edge: counted_ah[edge[1] - 1] - counted_ah[edge[0]])
    rows = slice(int(first), int(end))
    moved = (counted_ah[rows] - counted_ah[last]) / capacity_ah
    hours = float(log.time_s[rows][-1] - log.time_s[rows][0]) / 3600.0
    if not (LEAST_CHARGE < moved[-1] < MOST_CHARGE and moved[-1] / max(hours, 1e-9) <= FASTEST_C):
        return np.zeros(POINTS)
    rising = np.maximum.accumulate(log.voltage_v[rows])
    charge_v = np.interp(np.linspace(0.0, 1.0, POINTS), moved / moved[-1], rising)
    half_v = np.maximum(0.5 * (charge_v - ocv_v), 0.0)
    inside = slice(ENDS, POINTS - ENDS)
    half_v[:ENDS], half_v[POINTS - ENDS :] = half_v[inside][0], half_v[inside][-1]
    return half_v


def _find_longest_discharge(log: CellLog, counted_ah: Floats) -> tuple[int, int]:
    """Return the first and last row of the discharge without a pause that moves the most charge."""
    flows = log.current_a > FLOWS * float(np.abs(log.current_a).max(initial=0.0))
    edges = np.flatnonzero(np.diff(flows.astype(np.int8), prepend=0, append=0))
    runs = [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]
    if not runs:
        hint = "list it as pulse or drive, or give --sign if its current is reversed"
        raise LogError("has no discharge", where=str(log.path), bound="a slow discharge", hint=hint)
    return max(runs, key=lambda run: counted_ah[run[0]] - counted_ah[run[1]])


def _check(log: CellLog, first: int, rate_c: float) -> None:
    if not SLOWEST_C <= rate_c <= FASTEST_C:
        what, bound = f"discharges at {rate_c:.3g} C", f"{SLOWEST_C:.3g} to {FASTEST_C:.3g} C"
        hint = "an ocv test is a discharge at C/20 or slower"
        raise LogError(what, where=f"{log.path}, row {log.row[first]}", value=f"{rate_c:.4g}", bound=bound, hint=hint)
    low_v, high_v = float(log.voltage_v.min()), float(log.voltage_v.max())
    if log.voltage_v[first] < high_v - 4.0 * FULL_SHARE * (high_v - low_v):
        what = f"begins its discharge at {log.voltage_v[first]:.3f} V, not full"
        hint = "an ocv test starts with a full cell"
        raise LogError(what, where=f"{log.path}, row {log.row[first]}", bound=f"about {high_v:.3f} V", hint=hint)
