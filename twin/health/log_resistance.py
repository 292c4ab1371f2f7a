"""Direct-current resistance from steps of current, at stated times after the step (IEC 61960-3, 7.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.special

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.snapshot import Floats
    from twin.health.log_segments import LogSamples

_SCIPY: Any = scipy.special  # carries no types
AFTER_S: Final = (0.1, 1.0, 10.0)
LEAST_STEP: Final = 0.2  # of the greatest current
STEADY: Final = 0.05  # of the step: how much the current may move before and after it
BEFORE_S: Final = 2.0  # steady before the step
NEAR: Final = 0.3  # of the time after the step: how far a sample may be from it
BAND_K: Final = 10.0
COVERED: Final = 0.95
ZERO_C_K: Final = 273.15
UNKNOWN_K: Final = 0.0


@dataclass(frozen=True)
class MeasuredResistance:
    """Mean resistance in ohm some time after a step of current, with a 95 % interval of the mean.

    `spread_ohm` is the standard deviation over the steps: states of charge and directions differ.
    """

    log: str
    after_s: float
    kelvin: float | None
    ohm: float
    low_ohm: float | None
    high_ohm: float | None
    spread_ohm: float | None
    steps: int


def find_resistances(log: LogSamples) -> tuple[list[MeasuredResistance], list[str]]:
    """Return the resistances by time after the step and by temperature, and sentences about what is not judged."""
    found: list[MeasuredResistance] = []
    reasons: list[str] = []
    for after_s in AFTER_S:
        values = list(_measure_steps(log, after_s))
        if not values:
            period = float(np.median(np.diff(log.time_s)))
            why = f"no step of current with a steady current before it and a sample {after_s:g} s after it"
            reasons.append(f"{log.name}: no resistance after {after_s:g} s: {why} (one sample in {period:.2g} s)")
        bands = sorted({band for band, _ in values})
        found += [_average(log.name, after_s, band, [ohm for at, ohm in values if at == band]) for band in bands]
    return found, reasons


def _measure_steps(log: LogSamples, after_s: float) -> Iterator[tuple[float, float]]:
    """Yield band of temperature (K, 0 where unknown) and resistance (ohm) of each step."""
    steps = np.diff(log.current_a)
    for place in np.flatnonzero(np.abs(steps) >= LEAST_STEP * log.greatest_a).tolist():
        step = float(steps[place])
        begin_s = float(log.time_s[place])
        wanted = int(np.searchsorted(log.time_s, begin_s + after_s * (1.0 - NEAR)))
        if wanted <= place or wanted >= len(log.time_s) or log.time_s[wanted] > begin_s + after_s * (1.0 + NEAR):
            continue
        before = int(np.searchsorted(log.time_s, begin_s - BEFORE_S))
        held = np.concatenate([log.current_a[before : place + 1], log.current_a[place + 1 : wanted + 1] - step])
        if np.ptp(held) > STEADY * abs(step) or log.time_s[0] > begin_s - BEFORE_S:
            continue
        ohm = float(log.voltage_v[place] - log.voltage_v[wanted]) / step
        if ohm > 0.0:
            yield (UNKNOWN_K if log.kelvin is None else _find_band(float(log.kelvin[place]))), ohm


def _find_band(kelvin: float) -> float:
    """Return the middle of a band of temperatures in K, counted from 0 degC."""
    return float(ZERO_C_K + BAND_K * np.round((kelvin - ZERO_C_K) / BAND_K))


def _average(log: str, after_s: float, band: float, values: list[float]) -> MeasuredResistance:
    ohms: Floats = np.asarray(values)
    mean, number = float(ohms.mean()), len(ohms)
    kelvin = None if band == UNKNOWN_K else band
    if number < 2:  # noqa: PLR2004  # one step has no scatter
        return MeasuredResistance(log, after_s, kelvin, mean, None, None, None, number)
    spread = float(ohms.std(ddof=1))
    half = float(_SCIPY.stdtrit(number - 1, 0.5 + 0.5 * COVERED)) * spread / np.sqrt(number)
    return MeasuredResistance(log, after_s, kelvin, mean, mean - half, mean + half, spread, number)
