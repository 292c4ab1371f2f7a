"""CC-CV controller: constant current, then constant voltage of the highest cell, until the current falls to C/20."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from control.bumpless import BumplessOutput, is_outside
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control.ports import Controller, CurrentRange, Decision
    from drivers.snapshot import Estimate, PackReading
    from twin.ports import PackSpec

SETTINGS: Final = ("current_a", "voltage_v")  # that a bench file may give
INTEGRAL_1_S: Final = 0.5  # of the current that one volt of error is worth, per second: settles in 2 s
STEP_S: Final = 5.0  # within which the controller answers: the resistance after it sets its gain
CHARGE_C: Final = 0.5  # where nobody states a current
RISE_1_H_S: Final = 0.5  # of the capacity as a current, per second: charging begins softly
NEAR_V: Final = 0.005
ENDS_AT_H: Final = 20.0  # C/20


class CcCvController:
    """Charges with `current_a` until the highest cell reads `voltage_v`, then holds that by integrating its error.

    Its cost is the mean squared overshoot of the highest cell above `voltage_v` (V^2). An overshoot of more than 5 mV
    counts as a violation, and so does an unknown value: it does not charge without every cell's voltage and the pack's
    current.
    """

    def __init__(self, current_a: float, voltage_v: float, pack_ah: float, element_ohm: float) -> None:
        self._current_a, self._voltage_v, self._end_a = current_a, voltage_v, pack_ah / ENDS_AT_H
        self._gain_a_vs, self._rise_a_s = INTEGRAL_1_S / element_ohm, RISE_1_H_S * pack_ah
        self._charge_a = 0.0
        self._done = False
        self._output = BumplessOutput()

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
        del estimate
        highest_v = float(reading.voltage_v.max())
        below_v = self._voltage_v - highest_v
        is_known = math.isfinite(highest_v) and math.isfinite(reading.current_a)  # an unmeasured overshoot is not zero
        if is_known:
            # limited to the allowed current, or the integral would wind up while the pack allows less
            ceiling_a = min(self._current_a, max(0.0, allowed.charge_a))
            wound_a = self._charge_a + min(self._gain_a_vs * below_v, self._rise_a_s) * dt_s
            self._charge_a = min(max(wound_a, 0.0), ceiling_a)
            self._done = self._done or (below_v < NEAR_V and self._charge_a <= self._end_a < ceiling_a)
        requested_a = 0.0 if self._done or not is_known else -self._charge_a
        over_v = max(0.0, -below_v) if math.isfinite(below_v) else 0.0
        current_a = self._output.current(requested_a, allowed, dt_s)
        broken = not is_known or over_v > NEAR_V or is_outside(requested_a, allowed)
        return self._output.decision(current_a, over_v, dt_s, broken=broken)

    def take_over(self, current_a: float) -> None:
        self._charge_a = min(max(-current_a, 0.0), self._current_a)
        self._done = False
        self._output.take_over(current_a)


def build(pack: PackSpec, settings: Mapping[str, Any]) -> Controller:
    """Build the controller.

    Settings: `current_a` (charging, as a magnitude; default C/2) and `voltage_v` (of the highest cell; default just
    below the full cell).
    """
    silent = {"current_a": CHARGE_C * pack.element_ah, "voltage_v": pack.cell.control_v[1]}
    current_a, voltage_v = (_positive({**silent, **settings}, key) for key in ("current_a", "voltage_v"))
    circuit = pack.cell.circuit
    element_ohm = circuit.find_resistance(STEP_S) * circuit.capacity_ah / pack.element_ah
    return CcCvController(current_a, voltage_v, pack.element_ah, element_ohm)


def _positive(settings: Mapping[str, Any], key: str) -> float:
    value = settings.get(key)
    if not isinstance(value, (int, float)) or not 0.0 < value < math.inf:
        raise BenchFileError(
            "CC-CV needs a positive number", key=key, value=value, hint=f"set {key} in the settings of the lane"
        )
    return float(value)
