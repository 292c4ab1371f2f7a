"""Repairs of the times of a log, until they rise strictly; each one is said and counted."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.clock_choice import starts_again
from drivers.logs.column_names import Role
from drivers.logs.gaps import GAP, bound_gaps
from drivers.logs.table import refuse_log, things, times

if TYPE_CHECKING:
    from drivers.errors import LogError
    from drivers.logs.samples import Samples
    from drivers.logs.table import RepairJournal, Rows
    from drivers.snapshot import Flags, Floats

FALLS: Final = 0.2  # of the rows; a column that falls more often holds no time
COARSE: Final = 0.2  # of the rows; times that repeat more often are coarser than the samples
CLOCK_SET: Final = 30 * 86400.0  # s; a longer step is a clock that was set
SMOOTHER: Final = 0.9  # of the variation in the order of the file: sorted by time, rows fit together better
UNCOUNTED: Final = 0.1  # of the charge that the current would have moved over a step
WEIGHTY: Final = 0.02  # of the range of the counter; over less charge it cannot tell


def repair_clock(samples: Samples, journal: RepairJournal) -> Samples:
    """Return the samples with strictly rising times.

    Rows out of order are sorted, a clock that steps is joined, repeated rows are left out, and repeated times are
    spread or left out. Raise `LogError` where the column does not hold times.
    """
    samples = _leave_out_repeated_rows(samples, journal)
    samples = _repair_falls(samples, journal)
    samples = _join_jumps(samples, journal)
    samples = _repair_ties(samples, journal)
    if len(samples) > 1 and not (np.diff(samples[Role.TIME]) > 0).all():
        raise _refuse(samples, "does not rise by steps that can be told apart", 0)
    return samples


def _leave_out_repeated_rows(samples: Samples, journal: RepairJournal) -> Samples:
    same = np.zeros(len(samples), dtype=bool)
    same[1:] = True
    for role in (Role.TIME, Role.VOLTAGE, Role.CURRENT):
        same[1:] &= np.diff(samples[role]) == 0
    ties = int((np.diff(samples[Role.TIME]) == 0).sum())
    if COARSE * len(samples) < ties != same.sum():
        return samples  # the times are coarse: rows of a rest look like copies
    if number := int(same.sum()):
        first = samples.row[int(np.argmax(same))]
        what = f"{things(number, 'row')} left out as a copy of the one before"
        journal.count("repeated_rows", number, f"{what}, first row {first}")
    return samples.keep(~same)


def _repair_falls(samples: Samples, journal: RepairJournal) -> Samples:
    at_s = samples[Role.TIME]
    falls = np.diff(at_s) < 0
    if not (number := int(falls.sum())):
        return samples
    first = int(np.argmax(falls)) + 1
    many = number > FALLS * len(at_s)
    order = np.argsort(at_s, kind="stable")
    if _is_out_of_order(samples, order, np.flatnonzero(falls) + 1, many=many):
        moved = int((order != np.arange(len(order))).sum())
        what = f"{things(moved, 'row')} out of order sorted by time"
        journal.count("unsorted_rows", moved, f"{what}, the time falls first at row {samples.row[first]}")
        return samples.keep(order)
    if many:
        raise _refuse(samples, f"falls at {number} of {len(at_s)} rows: that is no time", first)
    word = "starts again" if starts_again(at_s) else "steps back"
    where = f"row {samples.row[first]}, from {at_s[first - 1]:.6g} s to {at_s[first]:.6g} s"
    return _join(samples, falls, f"the clock {word} {times(number)}, first at {where}", journal)


def _is_out_of_order(samples: Samples, order: Rows, starts: Rows, *, many: bool) -> bool:
    """Return whether the rows, sorted by time, fit together; parts that start again or overlap do not."""
    at_s = samples[Role.TIME]
    parts = sorted((float(part.min()), float(part.max())) for part in np.split(at_s, starts))
    longest = GAP * float(np.quantile(np.abs(np.diff(at_s)), 0.9))
    if all(0 < after[0] - before[1] <= longest for before, after in pairwise(parts)):
        return True  # the parts follow each other without a gap
    if not many and starts_again(at_s):
        return False
    before = after = 0.0
    for role in (Role.VOLTAGE, Role.CURRENT):
        values = samples[role]
        spread = float(np.ptp(values)) or 1.0
        before += float(np.abs(np.diff(values)).sum()) / spread
        after += float(np.abs(np.diff(values[order])).sum()) / spread
    meet = int((np.diff(at_s[order]) == 0).sum()) > int((np.diff(at_s) == 0).sum())
    return after < SMOOTHER * before or (after <= before and not meet)


def _join_jumps(samples: Samples, journal: RepairJournal) -> Samples:
    """Join where the clock was set far forward, or where the counter of charge shows that no time went by."""
    at_s = samples[Role.TIME]
    steps = np.diff(at_s)
    if not (steps > 0).any():
        return samples
    bound = bound_gaps(steps)
    jumps = (steps > bound) & ((steps > CLOCK_SET) | _is_uncounted(samples, steps))
    if not (number := int(jumps.sum())):
        return samples
    first = int(np.argmax(jumps))
    where = f"row {samples.row[first + 1]}, by {steps[first]:.6g} s"
    return _join(samples, jumps, f"the clock steps forward {times(number)}, first at {where}", journal)


def _is_uncounted(samples: Samples, steps: Floats) -> Flags:
    """Return the steps with current on both sides over which the counter did not count its charge."""
    if Role.AH not in samples:
        return np.zeros(len(steps), dtype=bool)
    current, counter = np.abs(samples[Role.CURRENT]), samples[Role.AH]
    expected = np.minimum(current[1:], current[:-1]) * steps / 3600
    weighty = expected > max(WEIGHTY * float(np.ptp(counter)), 0.0)
    return weighty & (np.abs(np.diff(counter)) < UNCOUNTED * expected)


def _join(samples: Samples, at: Flags, sentence: str, journal: RepairJournal) -> Samples:
    """Return the samples with the steps at these places as long as a usual one."""
    journal.count("clock_steps", int(at.sum()), f"{sentence}: each time there goes on one step after the one before")
    at_s = samples[Role.TIME]
    steps = np.diff(at_s)
    usual = steps[~at & (steps > 0)]
    if not len(usual):
        raise _refuse(samples, "never rises from row to row", 0)
    joined = at_s[0] + np.concatenate([[0.0], np.cumsum(np.where(at, np.median(usual), steps))])
    return samples.put(Role.TIME, joined)


def _repair_ties(samples: Samples, journal: RepairJournal) -> Samples:
    at_s = samples[Role.TIME]
    ties = np.diff(at_s) == 0
    number = int(ties.sum())
    if not number:
        return samples
    if number == len(at_s) - 1:
        raise _refuse(samples, "holds the same time in all rows", 0)
    first = samples.row[int(np.argmax(ties)) + 1]
    what = f"{things(number, 'row')} with the time of the row before"
    if number > COARSE * len(at_s):
        journal.count("spread_times", number, f"{what}, first row {first}: the times are coarse and were spread evenly")
        return samples.put(Role.TIME, _spread(at_s))
    journal.count("repeated_times", number, f"{what} left out, first row {first}")
    return samples.keep(np.concatenate([[True], ~ties]))


def _spread(at_s: Floats) -> Floats:
    """Return the times with those that repeat spread evenly up to the next one."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(at_s) > 0]))
    stamps = at_s[starts]
    last = stamps[-1] + float(np.median(np.diff(stamps)))
    lengths = np.diff(np.append(starts, len(at_s)))
    return np.interp(np.arange(len(at_s)), np.append(starts, starts[-1] + lengths.max()), np.append(stamps, last))


def _refuse(samples: Samples, what: str, place: int) -> LogError:
    header = samples.headers[Role.TIME]
    hint = "name the column of times, --columns time=..., or a fixed period, --columns time=5s"
    return refuse_log(samples.path, f"column {header!r} {what}", hint, row=int(samples.row[place]), key="time")
