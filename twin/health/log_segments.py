"""Segments of a log: rests, discharges and steps of current, and the charge that was moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Flags, Floats

LEAP_V: Final = 0.2  # from sample to sample of a rest: something between them is not in the log
REST_SHARE: Final = 0.02  # of the greatest current: below, the cell rests
GREATEST: Final = 99.5  # percentile of the current that counts as its greatest


@dataclass(frozen=True)
class LogSamples:
    """A log of one cell: rising times (s), voltage (V), current (A, discharge positive), kelvin, and Ah taken out.

    `taken_ah` rises while the cell discharges: by the cycler's counter, or by summing the current where there is none.
    """

    name: str
    time_s: Floats
    voltage_v: Floats
    current_a: Floats
    kelvin: Floats | None
    taken_ah: Floats
    is_counted: bool

    @property
    def greatest_a(self) -> float:
        """The greatest current, but for a few samples."""
        return float(np.percentile(np.abs(self.current_a), GREATEST))


def make_samples(
    name: str,
    time_s: Floats,
    voltage_v: Floats,
    current_a: Floats,
    *,
    kelvin: Floats | None = None,
    counter_ah: Floats | None = None,
) -> LogSamples:
    """Return the samples; `counter_ah` falls while the cell discharges, None where the log has no counter."""
    if counter_ah is not None:
        return LogSamples(name, time_s, voltage_v, current_a, kelvin, counter_ah[0] - counter_ah, is_counted=True)
    moved = 0.5 * (current_a[1:] + current_a[:-1]) * np.diff(time_s) / 3600.0
    taken = np.concatenate([[0.0], np.cumsum(moved)])
    return LogSamples(name, time_s, voltage_v, current_a, kelvin, taken, is_counted=False)


def split_log(log: LogSamples) -> list[LogSamples]:
    """Return the parts of a log between leaps of the voltage at rest: what moved the charge there was not recorded."""
    rests = np.abs(log.current_a) <= REST_SHARE * log.greatest_a
    leaps = rests[1:] & rests[:-1] & (np.abs(np.diff(log.voltage_v)) > LEAP_V)
    edges = [0, *(np.flatnonzero(leaps) + 1).tolist(), len(log.time_s)]
    if len(edges) == 2:  # noqa: PLR2004  # begin and end
        return [log]
    return [_cut(log, slice(first, end)) for first, end in pairwise(edges)]


def _cut(log: LogSamples, part: slice) -> LogSamples:
    return replace(
        log,
        time_s=log.time_s[part],
        voltage_v=log.voltage_v[part],
        current_a=log.current_a[part],
        kelvin=None if log.kelvin is None else log.kelvin[part],
        taken_ah=log.taken_ah[part],
    )


def find_stretches(of: Flags, time_s: Floats, least_s: float) -> list[tuple[int, int]]:
    """Return first and last place of each stretch of true values that lasts at least `least_s`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], of, [False]]).astype(np.int8)))
    pairs = zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
    return [(first, last) for first, last in pairs if time_s[last] - time_s[first] >= least_s]


def find_rests(log: LogSamples, least_s: float) -> list[tuple[int, int]]:
    """Return the stretches without current that last at least `least_s`."""
    return find_stretches(np.abs(log.current_a) <= REST_SHARE * log.greatest_a, log.time_s, least_s)
