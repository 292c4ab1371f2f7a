"""Sentinel values: numbers that a device writes in place of a reading that it does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.column_names import Role

if TYPE_CHECKING:
    from drivers.logs.choose import ColumnChoice
    from drivers.logs.samples import Samples
    from drivers.logs.table import RepairJournal
    from drivers.snapshot import Flags, Floats

_DECADES: Final = (1.0, 0.1, 0.01, 1e-3, 1e-4)
_LIMITS: Final = (32767.0, 32768.0, 65535.0, 65534.0, 8388607.0, 8388608.0, 2147483647.0, 2147483648.0, 4294967295.0)
_NINES: Final = (999.0, 9999.0, 99999.0, 999999.0, 9999999.0, 999.9, 999.99, 9999.9, 99.99)
_OTHERS: Final = (127.0, 273.15, 1e10, 1e20, 1e30, 9.9e37, 9.91e37)  # -127: DS18B20; 9.9e37: SCPI over range and NaN
CODES: Final = np.unique([*(limit * scale for limit in _LIMITS for scale in _DECADES), *_NINES, *_OTHERS])
HUGE: Final = 1e30  # no reading
CLOSE: Final = 1e-6  # relative, for values that were stored as float32
DROPOUTS: Final = 0.05  # of the rows; a voltage of zero more often than that is a measured one


def blank_sentinels(values: Floats, choice: ColumnChoice, samples: Samples, journal: RepairJournal) -> Floats:
    """Return the numbers of a column as written, NaN for sentinels; each is counted and the first one located.

    A code counts only where it lies farther from all other values than they lie from each other. A voltage of exactly
    zero counts where all others stay above half their median.
    """
    found = find_sentinels(values)
    if choice.role is Role.VOLTAGE:
        found |= _find_dropouts(values, found)
    if number := int(found.sum()):
        first = int(np.argmax(found))
        where = samples.locate(first, choice.role)
        journal.count("sentinels", number, f"{number} sentinel values left out, first {values[first]:g} in {where}")
    return np.where(found, np.nan, values)


def find_sentinels(values: Floats) -> Flags:
    """Return which values are sentinels: a known code, alone and far from all others."""
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.abs(values)
        near = np.clip(np.searchsorted(CODES, size), 1, len(CODES) - 1)
        nearest = np.where(size - CODES[near - 1] < CODES[near] - size, CODES[near - 1], CODES[near])
        coded = np.abs(size - nearest) <= CLOSE * nearest
        huge = size >= HUGE
    coded &= ~huge
    rest = values[np.isfinite(values) & ~coded & ~huge]
    if not coded.any() or len(rest) < max(2, len(values) // 2):
        return huge
    low, high = float(rest.min()), float(rest.max())
    apart = np.maximum(low - values, values - high)
    return huge | coded & (apart > max(high - low, 0.05 * max(abs(low), abs(high))))


def _find_dropouts(values: Floats, found: Flags) -> Flags:
    zero = values == 0.0
    rest = np.abs(values[np.isfinite(values) & ~zero & ~found])
    if not zero.any() or not len(rest) or zero.sum() > DROPOUTS * len(values):
        return np.zeros(len(values), dtype=bool)
    return zero & bool(rest.min() > 0.5 * np.median(rest))
