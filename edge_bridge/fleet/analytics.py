"""What a pack did in a span: energy, charge, cycles, efficiency, availability. Arrays in, numbers out; no I/O.

Current is positive in discharge, so energy that leaves the pack is positive too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DAY_MS: Final = 86_400_000
MS_PER_H: Final = 3_600_000.0
MAX_HOLE_MS: Final = 300_000  # a longer hole between two samples is a gap: nothing is assumed to flow in it
TURN: Final = 0.01  # a move of SoC that is smaller than this is noise, not a cycle
SAME_SOC: Final = 0.01
LEAST_MOVE: Final = 0.10  # an efficiency is told only after the pack moved so much


@dataclass(frozen=True, slots=True)
class PackSamples:
    """Samples of one pack, ascending in time; NaN where a value is unknown."""

    t_ms: NDArray[np.int64]
    current_a: Floats
    voltage_v: Floats
    soc: Floats
    soh: Floats


@dataclass(frozen=True, slots=True)
class PackDay:
    """One pack on one day (UTC); NaN where nothing is known."""

    day_ms: int
    energy_out_wh: float
    energy_in_wh: float
    charge_out_ah: float
    charge_in_ah: float
    cycles: float  # equivalent full cycles, from the moves of SoC
    reported_ms: float
    soh: float
    trip_out_wh: float = 0.0  # of the longest round trip within the day, see `find_round_trip`
    trip_in_wh: float = 0.0
    last_ms: int = 0  # time of the newest sample


def find_hole_ms(t_ms: NDArray[np.int64]) -> float:
    """Return the longest distance of two samples that is no gap: three times the usual one, at least `MAX_HOLE_MS`."""
    return max(float(MAX_HOLE_MS), 3.0 * float(np.median(np.diff(t_ms)))) if len(t_ms) > 1 else float(MAX_HOLE_MS)


def integrate_signed(t_ms: NDArray[np.int64], value: Floats, hole_ms: float) -> tuple[Floats, Floats]:
    """Integrate the positive and the negative part over each interval, in units of `value` times hours.

    Between two samples the value is a straight line, split where it crosses zero. Both results are positive.
    An interval that is a gap, or has an unknown end, counts nothing.
    """
    span_h, known = np.diff(t_ms) / MS_PER_H, np.isfinite(value)
    usable = (np.diff(t_ms) <= hole_ms) & known[:-1] & known[1:]
    begin, end = np.where(usable, value[:-1], 0.0), np.where(usable, value[1:], 0.0)
    height = np.abs(begin) + np.abs(end)
    crosses = begin * end < 0
    safe = np.where(height > 0, height, 1.0)
    top, bottom = np.maximum(begin, end), np.minimum(begin, end)
    plain = (begin + end) / 2
    positive = np.where(crosses, top * top / (2 * safe), np.maximum(plain, 0.0)) * span_h
    negative = np.where(crosses, bottom * bottom / (2 * safe), np.maximum(-plain, 0.0)) * span_h
    return positive, negative


def find_turns(soc: Floats, least: float = TURN) -> list[int]:
    """Return the samples where SoC turns, first and last among them; smaller moves than `least` are noise."""
    known = np.flatnonzero(np.isfinite(soc))
    if not len(known):
        return []
    values = soc[known].tolist()
    turns, extreme, direction = [0], 0, 0
    for place, value in enumerate(values):
        move = value - values[extreme]
        if direction * move > 0 or (direction == 0 and abs(move) >= least):
            direction, extreme = (1 if move > 0 else -1), place
        elif direction and abs(move) >= least:
            turns.append(extreme)
            direction, extreme = -direction, place
    if extreme != turns[-1]:
        turns.append(extreme)
    return [int(known[turn]) for turn in turns]


def count_cycles(soc: Floats) -> float:
    """Return the equivalent full cycles: half the sum of the moves of SoC."""
    turns = find_turns(soc)
    return float(np.abs(np.diff(soc[turns])).sum() / 2) if len(turns) > 1 else 0.0


def find_round_trip(samples: PackSamples) -> tuple[float, float]:
    """Return energy out and in, Wh, over the longest span with the same SoC at both ends; zeros if there is none.

    A span in which something is unknown for longer than a gap, or in which SoC moved little, tells nothing.
    """
    power = samples.current_a * samples.voltage_v
    known = np.isfinite(samples.soc) & np.isfinite(power)
    t_ms, soc, power = samples.t_ms[known], samples.soc[known], power[known]
    if len(soc) < 2:  # noqa: PLR2004  # an interval has two ends
        return 0.0, 0.0
    hole_ms = find_hole_ms(t_ms)
    best = (0, 0)
    for part in np.split(np.arange(len(soc)), np.flatnonzero(np.diff(t_ms) > hole_ms) + 1):
        bins = np.round(soc[part] / SAME_SOC).astype(np.int64)
        for one in np.unique(bins):
            places = part[bins == one]
            if t_ms[places[-1]] - t_ms[places[0]] > t_ms[best[1]] - t_ms[best[0]]:
                best = (int(places[0]), int(places[-1]))
    chosen = slice(best[0], best[1] + 1)
    if best[1] <= best[0] or float(np.ptp(soc[chosen])) < LEAST_MOVE:
        return 0.0, 0.0
    out, into = integrate_signed(t_ms[chosen], power[chosen], hole_ms)
    return float(out.sum()), float(into.sum())


def find_efficiency(samples: PackSamples) -> float:
    """Return energy out per energy in of the longest round trip; NaN if there is none."""
    out, into = find_round_trip(samples)
    return out / into if into > 0 else math.nan


def sum_days(samples: PackSamples) -> list[PackDay]:
    """Return the sums of each day that has a sample; an interval belongs to the day of its begin."""
    t_ms = samples.t_ms
    if not len(t_ms):
        return []
    hole_ms = find_hole_ms(t_ms)
    energy = integrate_signed(t_ms, samples.current_a * samples.voltage_v, hole_ms)
    charge = integrate_signed(t_ms, samples.current_a, hole_ms)
    steps = np.diff(t_ms)
    reported = np.where(steps <= hole_ms, steps, 0)
    days = t_ms // DAY_MS
    found = list[PackDay]()
    for day in np.unique(days):
        at, within = days[:-1] == day, days == day
        soh = samples.soh[within & np.isfinite(samples.soh)]
        sums = [float(part[at].sum()) for part in (*energy, *charge)]
        found.append(
            PackDay(
                int(day) * DAY_MS,
                *sums,
                cycles=count_cycles(samples.soc[within]),
                reported_ms=float(reported[at].sum()),
                soh=float(soh.mean()) if len(soh) else math.nan,
                last_ms=int(t_ms[within][-1]),
            )
        )
    return found


def sum_day(samples: PackSamples, day_ms: int) -> PackDay | None:
    """Return the sums of the day that begins at `day_ms`, None without a sample.

    Samples of the day and the first one behind it: the interval between belongs to this day.
    """
    begin, end = np.searchsorted(samples.t_ms, (day_ms, day_ms + DAY_MS))
    sums = next((day for day in sum_days(_cut(samples, begin, end + 1)) if day.day_ms == day_ms), None)
    if sums is None:
        return None
    out, into = find_round_trip(_cut(samples, begin, end))
    return replace(sums, trip_out_wh=out, trip_in_wh=into)


def _cut(samples: PackSamples, begin: int, end: int) -> PackSamples:
    names = ("t_ms", "current_a", "voltage_v", "soc", "soh")
    return PackSamples(*(getattr(samples, name)[begin:end] for name in names))


def find_availability(reported_ms: float, from_ms: int, to_ms: int) -> float:
    """Return the share of a span in which the pack reported."""
    return min(1.0, reported_ms / (to_ms - from_ms))
