"""The health of one cell from its logs: capacities, resistances, their trend, and what could not be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.special

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


def judge_logs(logs: Sequence[LogSamples], cell: JudgedCell | None) -> HealthReport:
    """Judge the logs of one cell, in the order of its life; without `cell`, no capacity is judged."""
    capacities: list[MeasuredCapacity] = []
    resistances: list[MeasuredResistance] = []
    gaps: list[str] = []
    for log in logs:
        found, why = find_capacities(log, cell)
        ohms, no_ohms = find_resistances(log)
        capacities += found
        resistances += ohms
        gaps += [*why, *no_ohms]
    trend = find_trend(logs, capacities)
    if trend is None and len(logs) > 1:
        gaps.append(f"no trend: {len({one.log for one in capacities})} logs show a capacity, fewer than {LEAST_LOGS}")
    return HealthReport(tuple(log.name for log in logs), tuple(capacities), tuple(resistances), trend, tuple(gaps))


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
