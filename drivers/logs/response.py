"""What the voltage shows about the current: its direction and the size of the resistance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Flags, Floats

STEP: Final = 0.05  # of the greatest current; a smaller change is no step
LONGEST_S: Final = 120.0  # between two samples; over more the state of charge moves the voltage too
STEPS: Final = 3  # that a judgement needs, unless one stands out
OUTSTANDING: Final = 5.0  # times the usual change of the voltage
CLEAR: Final = 0.6  # of the weight that must speak for one direction
CLEAR_TREND: Final = 0.5


@dataclass(frozen=True, slots=True)
class VoltageResponse:
    """`direction` is 1 where charging current is positive, -1 where discharging is, 0 where nothing shows it.

    `ohm` is the voltage step for each step of current, NaN where no step is clear; `why` says what showed it.
    """

    direction: int
    ohm: float
    why: str


def judge_response(time_s: Floats, voltage_v: Floats, current_a: Floats) -> VoltageResponse:
    """Judge by the steps of voltage with those of current, else by the voltage as charge goes in or out."""
    greatest = float(np.abs(current_a).max(initial=0.0))
    if greatest == 0.0:
        return VoltageResponse(0, float("nan"), "no current flows")
    rise_v, rise_a, span_s = np.diff(voltage_v), np.diff(current_a), np.diff(time_s)
    steps = (np.abs(rise_a) > STEP * greatest) & (span_s < max(LONGEST_S, _usual(span_s)))
    if steps.any() and (steps.sum() >= STEPS or _stand_out(rise_v, steps)):
        products = rise_v[steps] * rise_a[steps]
        weight = float(np.abs(products).sum())
        agreement = float(products.sum()) / weight if weight else 0.0
        if abs(agreement) > CLEAR:
            ohm = abs(float(products.sum())) / float(np.square(rise_a[steps]).sum())
            why = f"the voltage {_word(agreement)} with {int(steps.sum())} steps of the current"
            return VoltageResponse(1 if agreement > 0 else -1, ohm, why)
    trend = _judge_trend(time_s, voltage_v, current_a)
    if abs(trend) > CLEAR_TREND:
        return VoltageResponse(
            1 if trend > 0 else -1, float("nan"), f"the voltage {_word(trend)} while positive current flows"
        )
    return VoltageResponse(0, float("nan"), "the voltage does not follow the current")


def _stand_out(rise_v: Floats, steps: Flags) -> bool:
    """Return whether the voltage steps with one of these few steps of the current far more than it does elsewhere."""
    return bool(float(np.abs(rise_v[steps]).max()) > OUTSTANDING * float(np.median(np.abs(rise_v))))


def _word(agreement: float) -> str:
    return "rises" if agreement > 0 else "falls"


def _usual(steps: Floats) -> float:
    return 2.0 * float(np.median(steps)) if len(steps) else 0.0


def _judge_trend(time_s: Floats, voltage_v: Floats, current_a: Floats) -> float:
    """Return the correlation of voltage and charge, -1 .. 1; 0 where one of them does not change."""
    charge = np.concatenate([[0.0], np.cumsum(current_a[:-1] * np.diff(time_s))])
    spread = float(charge.std()) * float(voltage_v.std())
    if not spread > 0.0 or not np.isfinite(spread):
        return 0.0
    product: Floats = (charge - charge.mean()) * (voltage_v - voltage_v.mean())
    return float(product.mean()) / spread
