"""A filter along a whole log, row by row (numba)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.network.health_filter import track_health
from twin.network.power_forecast import forecast_power
from twin.network.soc_filter import CAPACITY, DUAL, OFFSET, RESISTANCE, SOC, correct_states, predict_states
from twin.numba_kernel import kernel
from twin.power import HORIZONS_S

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays
    from twin.power import PowerBounds

# Columns of what a filter tells of each row.
OUT_SOC, OUT_SOC_STD, OUT_VOLTAGE, OUT_INNOVATION, OUT_OHM, OUT_OFFSET, OUT_OFFSET_STD = range(7)
OUT_RESISTANCE, OUT_CAPACITY = range(7, 9)
OUT_POWER: Final = 9  # and on: the values of `StateOfPower` by horizon
POWERS: Final = 6
OUTPUTS: Final = OUT_POWER + POWERS * len(HORIZONS_S)
FIRST_S: Final = 1.0  # that the first sample of a log stands for


@kernel
def filter_log(  # noqa: PLR0917  # numba calls by place
    rows: Floats,
    dt_s: Floats,
    x: Floats,
    covariance: Floats,
    memory: Floats,
    kept: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    bounds: PowerBounds | None = None,
) -> Floats:
    """Return `[rows, OUTPUTS]` of one cell; `rows[n, 4]`: the readings of `soc_filter`. The state goes on in place.

    Without `bounds` the power is NaN.
    """
    out = np.full((rows.shape[0], OUTPUTS), np.nan)
    for k in range(rows.shape[0]):
        reading = rows[k : k + 1]
        step_s = dt_s[k] if dt_s[k] > 0.0 else FIRST_S
        predict_states(x, covariance, memory, reading, circuit, settings, dt_s[k])
        told = correct_states(x, covariance, memory, reading, circuit, settings, step_s)
        if settings[DUAL] > 0.0:
            track_health(kept, memory, reading, circuit, settings, dt_s[k])
        tell_row(x[0], covariance[0], memory[0], told[0], out[k])
        if bounds is not None:
            powers = forecast_power(x, covariance, memory, reading, circuit, settings, 1.0, bounds)
            out[k, OUT_POWER:] = powers.ravel()
    return out


@kernel
def tell_row(state: Floats, c: Floats, memory: Floats, told: Floats, out: Floats) -> None:
    """Fill `out[OUTPUTS]` with what one filter tells after a row; `told`: as `correct_states` returns it."""
    out[OUT_SOC] = state[SOC]
    out[OUT_SOC_STD] = np.sqrt(max(c[SOC, SOC], 0.0))
    out[OUT_VOLTAGE], out[OUT_INNOVATION], out[OUT_OHM] = told[0], told[1], told[2]
    out[OUT_OFFSET] = state[OFFSET]
    out[OUT_OFFSET_STD] = np.sqrt(max(c[OFFSET, OFFSET], 0.0))
    out[OUT_RESISTANCE], out[OUT_CAPACITY] = memory[RESISTANCE], memory[CAPACITY]
