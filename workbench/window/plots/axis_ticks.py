"""Axes with round numbers: ranges that stay until the data leaves them, and ticks at round values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
INTERVALS: Final = 4
_LOOSE: Final = 0.35  # a range is kept until the data fills less of it


@dataclass(frozen=True, slots=True)
class AxisScale:
    """A vertical axis in shown units, `low` .. `high`, with `ticks` every `step`."""

    low: float
    high: float
    step: float

    @property
    def decimals(self) -> int:
        """Number of decimals that distinguishes two ticks."""
        return max(0, -math.floor(math.log10(self.step) + 1e-9) + (1 if self._needs_more() else 0))

    def _needs_more(self) -> bool:
        mantissa = self.step / 10.0 ** math.floor(math.log10(self.step) + 1e-9)
        return abs(mantissa - round(mantissa)) > 1e-6  # noqa: PLR2004  # 2.5 needs one decimal more than 2

    @property
    def ticks(self) -> list[float]:
        first = math.ceil(self.low / self.step - 1e-9)
        last = math.floor(self.high / self.step + 1e-9)
        return [number * self.step for number in range(first, last + 1)]


def round_scale(low: float, high: float, least: float) -> AxisScale:
    """Return a scale of round numbers around `low` .. `high`, at least `least` wide."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, least
    middle, span = (low + high) / 2.0, max(high - low, least)
    low, high = middle - span * 0.54, middle + span * 0.54
    step = _round_step((high - low) / INTERVALS)
    return AxisScale(math.floor(low / step) * step, math.ceil(high / step) * step, step)


def follow(scale: AxisScale | None, low: float, high: float, least: float) -> AxisScale:
    """Return `scale` itself while the data fits and fills it, else a new one."""
    if scale is not None and not low <= high:
        return scale
    fresh = round_scale(low, high, least)
    if scale is None or low < scale.low or high > scale.high:
        return fresh
    return fresh if fresh.high - fresh.low < _LOOSE * (scale.high - scale.low) else scale


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in STEPS if step * power >= rough * 0.999)
