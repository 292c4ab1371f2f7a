"""The two axes of learning curves: range, ticks, and the place of a value in the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.snapshot import Floats
    from workbench.curves.statistics import CurveBand

STEPS: Final = (1.0, 2.0, 5.0, 10.0)
UNEQUAL: Final = 4.0  # the ratio of two lengths from which on steps are drawn on a logarithmic axis
MARGIN: Final = 0.06  # of the range, above and below


@dataclass(frozen=True)
class Axis:
    """From `low` at the pixel `begin` to `high` at `end`; ticks with their labels."""

    low: float
    high: float
    begin: float
    end: float
    ticks: tuple[tuple[float, str], ...]
    is_logarithmic: bool = False

    def place(self, value: Any) -> Any:
        """Return the pixel of a value, or of each of several."""
        low, high, at = (np.log(one) if self.is_logarithmic else one for one in (self.low, self.high, value))
        return self.begin + (at - low) / (high - low) * (self.end - self.begin)


def make_step_axis(steps: Sequence[Floats], pixels: tuple[float, float]) -> Axis:
    """Return the axis of some curves' steps: logarithmic where they differ much in length, else from 0."""
    first, last = min(float(one[0]) for one in steps), max(float(one[-1]) for one in steps)
    if last > UNEQUAL * min(float(one[-1]) for one in steps):
        decades = range(math.floor(math.log10(first)), math.ceil(math.log10(last)) + 1)
        rounded = [step * 10.0**decade for decade in decades for step in STEPS[:3]]
        ticks = [(value, format_steps(value)) for value in rounded if first <= value <= last]
        return Axis(first, last, *pixels, tuple(ticks), is_logarithmic=True)
    return Axis(0.0, last, *pixels, tuple((value, format_steps(value)) for value in find_ticks(0.0, last)))


def make_value_axis(bands: Sequence[CurveBand], levels: Sequence[float], pixels: tuple[float, float]) -> Axis:
    """Return the axis of the returns: all levels, every curve's second half and best return are inside.

    The returns of the first rows can be so low that nothing else could be told apart.
    """
    values = list(levels)
    for band in bands:
        late = band.steps >= 0.5 * band.steps[-1]
        values += [*band.low[late], *band.high[late], max(band.high[band.known > 0], default=math.nan)]
    known = [float(value) for value in values if math.isfinite(value)]
    margin = MARGIN * (max(known) - min(known)) or 1e-3
    low, high = min(known) - margin, max(known) + margin
    ticks = find_ticks(low, high)
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9)) if len(ticks) > 1 else 4
    return Axis(low, high, *pixels, tuple((value, f"{value + 0.0:.{decimals}f}") for value in ticks))


def find_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return round values between two values, at most `most` of them."""
    rough = (high - low) / most
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next(one * decade for one in STEPS if one * decade >= rough * (1.0 - 1e-9))
    return [step * n for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def format_steps(steps: float) -> str:
    """Return a number of steps in short: `64 k`, `1.5 M`."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if steps >= size:
            return f"{steps / size:.3g} {letter}"
    return f"{steps:.0f}"
