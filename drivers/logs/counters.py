"""The cycler's own counters of charge, brought to one counter that falls while the cell discharges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.column_names import Role
from drivers.logs.gaps import bound_gaps
from drivers.logs.table import times

if TYPE_CHECKING:
    from drivers.logs.samples import Samples
    from drivers.logs.table import RepairJournal
    from drivers.snapshot import Flags, Floats

BOTH: Final = 0.05  # of the greater of two sums; a smaller one is none
NOISE_AH: Final = 1e-6  # by which float32 makes a counter fall
FAR: Final = 3.0  # times its resolution; a jump beyond what the current moves is a restart
SECONDS: Final = 3600.0  # of an hour


def merge_counters(samples: Samples, journal: RepairJournal) -> Samples:
    """Return the samples with charge minus discharge as the one counter, where the log counts both apart."""
    if Role.CHARGE_AH not in samples or Role.DISCHARGE_AH not in samples:
        return samples.drop(Role.CHARGE_AH, Role.DISCHARGE_AH)
    charged, discharged = (samples[role] for role in (Role.CHARGE_AH, Role.DISCHARGE_AH))
    net = _accumulate(np.abs(charged)) - _accumulate(np.abs(discharged))
    names = [samples.headers[role] for role in (Role.CHARGE_AH, Role.DISCHARGE_AH)]
    journal.say(f"ah is {names[0]} minus {names[1]}: it falls while the cell discharges")
    merged = samples.put(Role.AH, net, f"{names[0]} minus {names[1]}")
    return merged.drop(Role.CHARGE_AH, Role.DISCHARGE_AH)


def fill_counters(samples: Samples) -> Samples:
    """Return the samples with counters that hold their last value where they have none; without empty counters."""
    for role in (Role.AH, Role.CHARGE_AH, Role.DISCHARGE_AH):
        counter = samples.get(role)
        if counter is not None:
            known = np.isfinite(counter).any()
            samples = samples.put(role, _fill(counter)) if known else samples.drop(role)
    return samples


def orient_counter(samples: Samples, journal: RepairJournal) -> Samples:
    """Return the samples with a counter that falls while the cell discharges; their current is discharge positive.

    A counter that rises with discharge is reversed. One that rises in both directions, or starts again at each step,
    is made from its increments with the direction of the current.
    """
    if Role.AH not in samples:
        return samples
    header, counter = samples.headers[Role.AH], samples[Role.AH]
    rise, moved, restarts = np.diff(counter), count_charge(samples), _find_restarts(samples)
    logged = ~restarts & find_logged(samples)
    way = _find_way(rise[logged], moved[logged])
    number = int(restarts.sum())
    journal.count(
        "counter_restarts", number, f"the counter {header} starts again {times(number)}: its parts are joined"
    )
    if way == 0:
        journal.say(f"the counter {header} counts up in both directions: it takes the direction of the current")
    elif way < 0:
        journal.say(f"the counter {header} rises while the cell discharges: reversed, so that it falls")
    if way and not number:
        return samples.put(Role.AH, way * counter)
    current = samples[Role.CURRENT][1:]
    by_current = -np.sign(np.where(current != 0.0, current, moved))
    taken = np.where(restarts, counter[1:], rise) * (way or by_current)
    return samples.put(Role.AH, np.concatenate([[0.0], np.cumsum(taken)]))


def compare_counter(samples: Samples, journal: RepairJournal) -> None:
    """Say by how much the counter and the integral of the current change over the log apart from gaps, in Ah."""
    if Role.AH not in samples or len(samples) < 2:  # noqa: PLR2004  # one sample has no duration
        return
    logged = find_logged(samples)
    counted = float(np.diff(samples[Role.AH])[logged].sum())
    integrated = -float(count_charge(samples)[logged].sum())
    end = "" if logged.all() else ", both apart from gaps"
    journal.say(f"the counter changes by {counted:.4g} Ah, the integral of the current by {integrated:.4g} Ah{end}")


def find_logged(samples: Samples) -> Flags:
    """Return the steps from row to row that are no gap: over a gap, nobody knows the current."""
    steps = np.diff(samples[Role.TIME])
    return steps <= bound_gaps(steps) if len(steps) else np.zeros(0, dtype=bool)


def count_charge(samples: Samples) -> Floats:
    """Return the charge that the current moves from row to row in Ah, by the trapezoidal rule."""
    current = samples[Role.CURRENT]
    return (current[1:] + current[:-1]) / 2 * np.diff(samples[Role.TIME]) / SECONDS


def _find_way(rise: Floats, moved: Floats) -> int:
    """Return 1 for a counter that falls with discharge, -1 for one that rises, 0 for one that rises both ways."""
    products = rise * moved
    charge, discharge = -float(moved[moved < 0].sum()), float(moved[moved > 0].sum())
    both = min(charge, discharge) > BOTH * max(charge, discharge)
    if both and float(-rise[rise < 0].sum()) < BOTH * float(rise[rise > 0].sum()):
        return 0
    return 1 if float(products.sum()) <= 0 else -1


def _find_restarts(samples: Samples) -> Flags:
    """Return the rows at which the counter jumps to about zero, by far more than the current can move."""
    counter, current = samples[Role.AH], np.abs(samples[Role.CURRENT])
    most = np.maximum(current[1:], current[:-1]) * np.diff(samples[Role.TIME]) / SECONDS
    rise = np.abs(np.diff(counter))
    resolution = float(rise[rise > 0].min(initial=np.inf)) if (rise > 0).any() else 0.0
    near_zero = np.abs(counter[1:]) <= 2 * most + resolution
    return near_zero & (rise > 2 * most + FAR * resolution) & (np.abs(counter[:-1]) > np.abs(counter[1:]))


def _accumulate(counter: Floats) -> Floats:
    """Return the counter without its restarts: after one, it goes on from the value before."""
    rise = np.diff(counter)
    return np.concatenate([counter[:1], counter[0] + np.cumsum(np.where(rise < -NOISE_AH, counter[1:], rise))])


def _fill(counter: Floats) -> Floats:
    known = np.isfinite(counter)
    if known.all():
        return counter
    last = np.maximum.accumulate(np.where(known, np.arange(len(counter)), -1))
    return counter[np.where(last < 0, int(np.argmax(known)), last)]
