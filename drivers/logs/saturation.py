"""Sensors at their limit: a value that stays at its extreme while the other quantity shows that it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.column_names import Role
from drivers.logs.response import STEP, judge_response

if TYPE_CHECKING:
    from drivers.logs.samples import Samples
    from drivers.logs.table import RepairJournal
    from drivers.snapshot import Flags, Floats

RUN: Final = 3  # samples at the same extreme
CLEAR_V: Final = 0.005  # a step that the voltage should have shown


def leave_out_saturated(samples: Samples, journal: RepairJournal) -> Samples:
    """Leave out rows in which voltage or current stays at its extreme while the other steps up and down.

    A hold at constant voltage or current stays there too, but then the other quantity moves one way only.
    """
    response = judge_response(samples[Role.TIME], samples[Role.VOLTAGE], samples[Role.CURRENT])
    if not response.ohm > 0:
        return samples
    least_a = max(STEP * float(np.abs(samples[Role.CURRENT]).max()), CLEAR_V / response.ohm)
    least_v = max(CLEAR_V, STEP * response.ohm * float(np.abs(samples[Role.CURRENT]).max()))
    for role, other, least in ((Role.VOLTAGE, Role.CURRENT, least_a), (Role.CURRENT, Role.VOLTAGE, least_v)):
        stuck = find_saturated(samples[role], samples[other], least)
        if number := int(stuck.sum()):
            first = int(np.argmax(stuck))
            where = samples.locate(first, role)
            journal.count(
                "saturated",
                number,
                f"{number} rows left out: the {role} stays at {samples[role][first]:g}, first {where}",
            )
            samples = samples.keep(~stuck)
    return samples


def find_saturated(values: Floats, others: Floats, least: float) -> Flags:
    """Return the rows at the greatest or smallest value, where the other quantity turns inside a run of them.

    `least` is the step of the other quantity that counts. The extreme must differ from the usual value.
    """
    stuck = np.zeros(len(values), dtype=bool)
    for extreme in (values.max(), values.min()):
        if extreme not in (np.median(values), 0.0) and _turns_inside(values == extreme, others, least):
            stuck |= values == extreme
    return stuck


def _turns_inside(held: Flags, others: Floats, least: float) -> bool:
    """Return whether the other quantity steps up and down inside one run of the rows that are held."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]]).astype(np.int8)))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        steps = np.diff(others[first:end])
        if end - first >= RUN and (steps > least).any() and (steps < -least).any():
            return True
    return False
