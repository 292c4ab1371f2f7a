"""Pairs of rests that show the capacity of a cell (numba).

After a long rest the voltage is the open circuit's, so two rests give a difference of the state of charge, and the
sensor gives the charge between. How sure each is depends on the slope of the voltage and on the time between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.network.circuit_kernels import OPEN, WIDTH, find_open_circuit, interpolate_circuit
from twin.network.health_filter import find_rested_soc
from twin.network.network import SHIFT
from twin.network.slow_circuit import CAPACITY_AS, CASE, CURRENT, PAIRS_V, RISE, VOLTAGE, find_slope
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays

# Of the rests: seconds of quiet, the rest before, what passed since, and the newest pair of rests (NaN for none).
QUIET_S, REST_SOC, REST_VAR, CHARGE, PASSED_S, LOST_S, FALLEN, COUNTED, FALLEN_VAR, COUNTED_VAR = range(10)
RESTS: Final = 10

QUIET_C: Final = 0.02
RESTED_S: Final = 900.0  # of quiet, after which the voltage is the open circuit's
REST_V: Final = 0.004  # its error
PAIRS_SHARE: Final = 0.5  # of what the model has left of the overvoltage, likewise
TABLE_SOC: Final = 0.007  # of the open-circuit table
MOST_BEYOND: Final = 3.0  # deviations of the voltage, beyond the ends of the table
MOST_REST_STD: Final = 0.04  # a rest in a flat zone tells nothing
LEAST_SOC: Final = 0.25  # between two rests, that shows the capacity
SAME_REST: Final = 0.01  # of the capacity: less has moved since the rest before, it goes on
OFFSET_C: Final = 0.005  # deviation of the current sensor's offset, in C
UNKNOWN_C: Final = 0.5  # of a current that was not measured, likewise
MOST_COUNTED_STD: Final = 0.1  # what was counted since an older rest shows nothing


@kernel
def track_rests(  # noqa: PLR0917  # numba calls by place
    kept: Floats, now: Floats, reading: Floats, circuit: CircuitArrays, settings: Floats, dt_s: float, lost_s: float
) -> bool:
    """Count the charge of each cell; at the end of a long quiet, set `FALLEN` to `COUNTED_VAR` if two rests differ.

    Return whether they do in one cell.
    """
    paired = False
    for n in range(kept.shape[0]):
        own, i_c = kept[n], 3600.0 * reading[n, CURRENT] / settings[CAPACITY_AS]
        own[FALLEN : COUNTED_VAR + 1] = np.nan
        own[CHARGE] += i_c * dt_s / 3600.0
        own[PASSED_S] += dt_s
        own[LOST_S] += lost_s
        known = np.isfinite(reading[n, VOLTAGE]) and lost_s == 0.0
        own[QUIET_S] = own[QUIET_S] + dt_s if known and abs(i_c) < QUIET_C else 0.0
        if own[QUIET_S] >= RESTED_S:
            own[QUIET_S] = 0.0
            end_rest(own, now[n], reading[n], circuit)
            paired = paired or np.isfinite(own[FALLEN])
    return paired


@kernel
def end_rest(own: Floats, now: Floats, reading: Floats, circuit: CircuitArrays) -> None:
    """Compare this rest with the one before, which it replaces unless the difference is still too small."""
    volts, kelvin = reading[VOLTAGE] + now[PAIRS_V], reading[CASE] + now[RISE]
    soc = find_rested_soc(circuit, volts, kelvin, 0.0)
    p = np.empty(WIDTH)
    interpolate_circuit(circuit[0], circuit[1], circuit[2], circuit[3], soc, kelvin, p)
    half_v = find_open_circuit(circuit[6], soc)  # whether charge or discharge came before is not known for sure
    error_v2 = REST_V**2 + (PAIRS_SHARE * now[PAIRS_V]) ** 2 + half_v**2
    slope_v = max(find_slope(circuit[0], soc), 1e-6)
    variance = error_v2 / slope_v**2 + TABLE_SOC**2
    beyond_v = abs(volts - p[OPEN] - p[SHIFT])  # the end of the table
    if variance > MOST_REST_STD**2 or beyond_v > MOST_BEYOND * np.sqrt(error_v2):
        return
    hours, lost_h = own[PASSED_S] / 3600.0, own[LOST_S] / 3600.0
    counted_var = (OFFSET_C * hours) ** 2 + (UNKNOWN_C * lost_h) ** 2
    fallen = own[REST_SOC] - soc
    useful = np.isfinite(fallen) and counted_var < MOST_COUNTED_STD**2
    if useful and abs(fallen) >= LEAST_SOC:
        own[FALLEN], own[COUNTED] = fallen, own[CHARGE]
        own[FALLEN_VAR], own[COUNTED_VAR] = own[REST_VAR] + variance, max(counted_var, 1e-8)
    elif useful and abs(own[CHARGE]) > SAME_REST:
        return
    own[REST_SOC], own[REST_VAR] = soc, variance
    own[CHARGE] = own[PASSED_S] = own[LOST_S] = 0.0
