"""The health of one cell from its logs: capacities, resistances, limits, balance, and what could not be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.special

from twin.health.cell_balance import CellSpread, find_balance
from twin.health.limit_check import LimitCheck, LimitsOfCell, check_limits
from twin.health.log_capacity import find_capacities
from twin.health.log_resistance import find_resistances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.snapshot import Floats
    from twin.health.log_capacity import JudgedCell, MeasuredCapacity
    from twin.health.log_resistance import MeasuredResistance
    from twin.health.log_segments import LogSamples

_SCIPY: Any = scipy.special  # carries no types
LEAST_LOGS: Final = 3
COVERED: Final = 0.95


@dataclass(frozen=True)
class HealthTrend:
    """Change of a capacity from one log to the next in Ah, with a 95 % interval, over `logs` logs in their order."""

    change_ah: float
    low_ah: float
    high_ah: float
    logs: int


@dataclass(frozen=True)
class HealthReport:
    """What the logs of one cell show; `not_judged`: sentences with the reason of each gap."""

    logs: tuple[str, ...]
    capacities: tuple[MeasuredCapacity, ...]
    resistances: tuple[MeasuredResistance, ...]
    trend: HealthTrend | None
    not_judged: tuple[str, ...]
    limits: tuple[LimitCheck, ...] = ()
    balance: tuple[CellSpread, ...] = ()


@dataclass(frozen=True)
class CellsOfLog:
    """Voltages (V) of all cells of a pack, one row per cell, at the times of the log; NaN where one is not known."""

    numbers: tuple[int, ...]
    voltage_v: Floats


def judge_logs(
    logs: Sequence[LogSamples],
    cell: JudgedCell | None,
    limits: LimitsOfCell | None = None,
    packs: Sequence[CellsOfLog] = (),
) -> HealthReport:
    """Judge the logs of one cell, in the order of its life; without `cell`, no capacity is judged.

    `limits`: what the cell bears. `packs`: all cells beside it, one record for each log; without them no balance.
    """
    capacities: list[MeasuredCapacity] = []
    resistances: list[MeasuredResistance] = []
    gaps: list[str] = []
    checks: list[LimitCheck] = []
    spreads: list[CellSpread] = []
    for number, log in enumerate(logs):
        found, why = find_capacities(log, cell)
        ohms, no_ohms = find_resistances(log)
        capacities += found
        resistances += ohms
        met, no_limits = check_limits(log, limits)
        apart, no_balance = _judge_balance(log, packs[number], cell) if packs else ([], [])
        checks += met
        spreads += apart
        gaps += [*why, *no_ohms, *no_limits, *no_balance]
    trend = find_trend(logs, capacities)
    if trend is None and len(logs) > 1:
        gaps.append(f"no trend: {len({one.log for one in capacities})} logs show a capacity, fewer than {LEAST_LOGS}")
    names = tuple(log.name for log in logs)
    found = (tuple(capacities), tuple(resistances), trend, tuple(gaps))
    return HealthReport(names, *found, tuple(checks), tuple(spreads))


def _judge_balance(log: LogSamples, pack: CellsOfLog, cell: JudgedCell | None) -> tuple[list[CellSpread], list[str]]:
    """Return the balance of a pack; a log without a voltage of each cell shows none."""
    if not pack.numbers:
        return [], [f"{log.name}: no balance: the log has no voltage of each cell"]
    return find_balance(log, pack.numbers, pack.voltage_v, cell)


def find_trend(logs: Sequence[LogSamples], capacities: Sequence[MeasuredCapacity]) -> HealthTrend | None:
    """Return the straight line through the mean capacity of each log; None for fewer than three logs with one."""
    points = [
        (number, float(np.mean(found)))
        for number, log in enumerate(logs)
        if (found := [one.capacity_ah for one in capacities if one.log == log.name])
    ]
    if (count := len(points)) < LEAST_LOGS:
        return None
    x, y = np.array(points).T
    line: Floats = np.asarray(np.polyfit(x, y, 1), dtype=np.float64)
    slope, level = float(line[0]), float(line[1])
    scatter = float(np.sqrt(np.square(y - level - slope * x).sum() / max(1, count - 2)))
    half = float(_SCIPY.stdtrit(max(1, count - 2), 0.5 + 0.5 * COVERED)) * scatter / float(np.sqrt(x.var() * count))
    return HealthTrend(slope, slope - half, slope + half, count)
