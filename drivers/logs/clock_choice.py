"""Which column holds the times of a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.column_names import Role
from drivers.logs.samples import TIMES, Samples

if TYPE_CHECKING:
    from drivers.logs.table import RepairJournal
    from drivers.snapshot import Floats

RATIOS: Final = {1e-3: "ms", 60.0: "min", 3600.0: "h", 86400.0: "d"}  # s for each unit that a header may not state
CLOSE: Final = 0.01  # of the span; dates may have whole seconds


def choose_clock(samples: Samples, journal: RepairJournal) -> Samples:
    """Return the samples with one column of times: that of the test, else the date, else the time of the step.

    The date is used too where the time of the test starts again and the date does not.
    """
    roles = [role for role in TIMES if role in samples]
    half = [role for role in roles if np.isfinite(samples[role]).sum() * 2 >= len(samples)] or roles
    role = half[0]
    if role is Role.TIME and Role.DATE in half:
        if starts_again(samples[Role.TIME]) and not _count_falls(samples[Role.DATE]):
            role = Role.DATE
            time = samples.headers[Role.TIME]
            journal.say(f"column {time} starts again: times are those of column {samples.headers[Role.DATE]}")
        else:
            samples = _compare(samples, journal)
    chosen = samples.put(Role.TIME, samples[role], samples.headers[role])
    return chosen.drop(Role.DATE, Role.STEP_TIME)


def starts_again(times: Floats) -> bool:
    """Return whether the times fall back to the start of the column, as those of a step do."""
    known = times[np.isfinite(times)]
    after = known[1:][np.diff(known) < 0]
    return bool(len(after)) and bool((np.abs(after - known[0]) <= CLOSE * np.ptp(known)).any())


def _count_falls(times: Floats) -> int:
    return int((np.diff(times[np.isfinite(times)]) < 0).sum())


def _compare(samples: Samples, journal: RepairJournal) -> Samples:
    """Return the samples with the time of the test in s, where it differs from the date by the scale of a unit."""
    spans = [float(np.nanmax(samples[role]) - np.nanmin(samples[role])) for role in (Role.TIME, Role.DATE)]
    if min(spans) <= 0:
        return samples
    for ratio, unit in RATIOS.items():
        if abs(spans[1] / spans[0] / ratio - 1) < CLOSE:
            time, date = samples.headers[Role.TIME], samples.headers[Role.DATE]
            journal.count("off_by_scale", 1, f"column {time} holds {unit}, as column {date} shows: brought to s")
            return samples.put(Role.TIME, samples[Role.TIME] * ratio)
    return samples
