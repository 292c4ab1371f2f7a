"""Voltages of one pulse test as PulseBat defines them, and the rules that reject a row before it is graded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Floats

VOLTAGES: Final = tuple(f"U{number}" for number in range(1, 22))
NOMINAL: Final = "Qn"
LOWEST_V, HIGHEST_V = 1.0, 5.0  # no lithium cell rests outside
# Places in a row (from 0) where a pulse begins, with its sign: charge and discharge at 0.5 C, 1 C and 1.5 C, 5 s each.
# A pulse is four voltages: after its first instant, at its end, after the first instant of rest, at the end of rest.
# 1.5 C has a charge alone: 21 voltages are one of rest and five pulses.
PULSES: Final = ((1, 1.0), (5, -1.0), (9, 1.0), (13, -1.0), (17, 1.0))


def make_features(volts: Floats) -> Floats:
    """Return the voltage at rest (V) and the twenty others less that one, `[rows, 21]`."""
    return np.hstack([volts[:, :1], volts[:, 1:] - volts[:, :1]])


def find_faults(volts: Floats, nominal_ah: Floats) -> list[str]:
    """Return for each row `volts[21]` why it cannot be graded, empty where nothing speaks against it."""
    return [_find_fault(row, float(nominal)) for row, nominal in zip(volts, nominal_ah, strict=True)]


def _find_fault(volts: Floats, nominal_ah: float) -> str:
    if not np.isfinite(volts).all():
        return f"{VOLTAGES[int(np.argmin(np.isfinite(volts)))]} has no value"
    if not (np.isfinite(nominal_ah) and nominal_ah > 0.0):
        return f"{NOMINAL} is not a positive capacity in Ah"
    outside = ~((volts >= LOWEST_V) & (volts <= HIGHEST_V))
    if outside.any():
        place = int(np.argmax(outside))
        return f"{VOLTAGES[place]} = {volts[place]:g} V is outside {LOWEST_V:g} to {HIGHEST_V:g} V"
    return _find_disorder(volts)


def _find_disorder(volts: Floats) -> str:
    """Return which pulse does not go the way of its current, or does not come back after it."""
    for start, sign in PULSES:
        before, first, last, back = volts[start - 1], volts[start], volts[start + 1], volts[start + 2]
        if not sign * (first - before) > 0.0:
            word = "rise above" if sign > 0 else "fall below"
            return f"{VOLTAGES[start]} does not {word} {VOLTAGES[start - 1]}, as this pulse must"
        if not sign * (last - first) >= 0.0:
            return f"{VOLTAGES[start + 1]} goes back behind {VOLTAGES[start]} during the pulse"
        if not sign * (last - back) > 0.0:
            return f"{VOLTAGES[start + 2]} does not come back from {VOLTAGES[start + 1]} after the pulse"
    return ""
