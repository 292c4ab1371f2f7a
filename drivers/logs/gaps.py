"""Gaps: intervals without samples, far longer than any period in which the log was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.column_names import Role
from drivers.logs.table import things

if TYPE_CHECKING:
    from drivers.logs.samples import Samples
    from drivers.logs.table import RepairJournal
    from drivers.snapshot import Floats

GAP: Final = 10.0  # times the step that nine of ten steps do not exceed
LEAST_GAP_S: Final = 2.0
ALIKE: Final = 0.1  # relative difference of two steps in a row that have one length
OFTEN: Final = 3  # steps in a row that make their length a period of the log
LONGER: Final = 1.5  # times the longest period


def count_gaps(samples: Samples, journal: RepairJournal) -> None:
    """Say and count the gaps; they are kept, and nothing fills them."""
    steps = np.diff(samples[Role.TIME])
    if not len(steps):
        return
    bound = bound_gaps(steps)
    if number := int((steps > bound).sum()):
        longest = int(np.argmax(steps))
        where = f"the longest {steps[longest]:.6g} s before row {samples.row[longest + 1]}"
        what = f"{things(number, 'gap')} without samples of more than {bound:.3g} s"
        journal.count("gaps", number, f"{what}, {where}; nothing fills them")


def bound_gaps(steps_s: Floats) -> float:
    """Return the step in s above which it is a gap: a log may change its period, so a step that is usual is none."""
    usual = max(GAP * float(np.quantile(steps_s, 0.9)), LEAST_GAP_S)
    alike = np.abs(steps_s[1:] - steps_s[:-1]) < ALIKE * steps_s[1:]
    periods = steps_s[1:][alike & (steps_s[1:] > usual)]
    return max(usual, LONGER * float(periods.max())) if len(periods) >= OFTEN else usual
