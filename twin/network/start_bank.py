"""Several filters side by side while the start is unsure: a sum of Gaussians (Alspach and Sorenson 1972).

Far from the truth the voltage is not linear in the charge: a full cell with a large resistance looks like one at 80 %
with a small one. Each filter of the bank begins at its own charge; the voltage weighs them. Their mixture is told, and
becomes one filter after `BANK_S`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.network.health_filter import track_health
from twin.network.log_filter import FIRST_S, OUT_POWER, OUT_SOC, OUT_SOC_STD, OUTPUTS, tell_row
from twin.network.power_forecast import forecast_power
from twin.network.soc_filter import DUAL, SOC, correct_states, predict_states
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.filter_settings import CircuitArrays
    from twin.power import PowerBounds

BANK_S: Final = 1800.0
PLACES: Final = (-2.25, -1.5, -0.75, 0.0, 0.75, 1.5, 2.25)  # of the filters, in deviations of the start
NARROWER: Final = 0.6  # deviation of each filter, in that of the start
LEAST_SOC, MOST_SOC = -0.02, 1.02  # beyond which no filter begins
LEAST_SHARE: Final = 0.025  # of a filter that counts for the ends of an interval: the tail of one of 95 %
MOST_SURPRISE: Final = 4.0  # deviations that one voltage may count against a filter


def spread_start(x: Floats, covariance: Floats, memory: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return `x[n, s]`, `covariance[n, s, s]`, `memory[n, m]` and the logarithms `weight[n]` of one filter's start."""
    std = float(np.sqrt(covariance[SOC, SOC]))
    places = np.array(PLACES)
    socs = x[SOC] + std * places
    inside = (socs >= LEAST_SOC) & (socs <= MOST_SOC)
    inside[len(PLACES) // 2] = True
    count = int(inside.sum())
    bank, narrow = np.tile(x, (count, 1)), covariance.copy()
    bank[:, SOC] = socs[inside]
    narrow[SOC, :] *= NARROWER
    narrow[:, SOC] *= NARROWER
    weight = -0.5 * places[inside] ** 2 / (1.0 - NARROWER**2)
    return bank, np.tile(narrow, (count, 1, 1)), np.tile(memory, (count, 1)), weight


@kernel
def filter_bank(  # noqa: PLR0917  # numba calls by place
    rows: Floats,
    dt_s: Floats,
    x: Floats,
    covariance: Floats,
    memory: Floats,
    kept: Floats,
    weight: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    bounds: PowerBounds | None = None,
) -> Floats:
    """Return `[rows, OUTPUTS]` of the mixture, as `filter_log` does; `weight[n]` goes on in place."""
    count = x.shape[0]
    out = np.zeros((rows.shape[0], OUTPUTS))
    readings, told_row = np.empty((count, rows.shape[1])), np.empty(OUTPUTS)
    for k in range(rows.shape[0]):
        readings[:] = rows[k]
        step_s = dt_s[k] if dt_s[k] > 0.0 else FIRST_S
        predict_states(x, covariance, memory, readings, circuit, settings, dt_s[k])
        told = correct_states(x, covariance, memory, readings, circuit, settings, step_s)
        if settings[DUAL] > 0.0:
            track_health(kept, memory, readings, circuit, settings, dt_s[k])
        if np.isfinite(told[:, 1]).all():
            surprise = told[:, 1] ** 2 * told[:, 3] / told[:, 3].mean()
            weight -= 0.5 * np.minimum(surprise, MOST_SURPRISE**2)
            weight -= weight.max()
        share = np.exp(weight) / np.exp(weight).sum()
        squares = 0.0
        for n in range(count):
            tell_row(x[n], covariance[n], memory[n], told[n], told_row)
            out[k, :OUT_POWER] += share[n] * told_row[:OUT_POWER]
            squares += share[n] * (told_row[OUT_SOC] ** 2 + told_row[OUT_SOC_STD] ** 2)
        out[k, OUT_SOC_STD] = np.sqrt(max(squares - out[k, OUT_SOC] ** 2, 0.0))
        if bounds is None:
            out[k, OUT_POWER:] = np.nan
        else:
            mix_powers(x, covariance, memory, readings, circuit, settings, bounds, share, out[k, OUT_POWER:])
    return out


@kernel
def mix_powers(  # noqa: PLR0917  # numba calls by place
    x: Floats,
    covariance: Floats,
    memory: Floats,
    readings: Floats,
    circuit: CircuitArrays,
    settings: Floats,
    bounds: PowerBounds,
    share: Floats,
    out: Floats,
) -> None:
    """Fill `out` with the mean of the likely filters' powers, and with the outer ends of their intervals."""
    value, low, high, total = out[0::3], out[1::3], out[2::3], 0.0
    value[:], low[:], high[:] = 0.0, np.inf, -np.inf
    for n in range(x.shape[0]):
        if share[n] < LEAST_SHARE:
            continue
        one = slice(n, n + 1)
        told = forecast_power(x[one], covariance[one], memory[one], readings[one], circuit, settings, 1.0, bounds)
        powers = told.ravel()
        total += share[n]
        value += share[n] * powers[0::3]
        low[:] = np.minimum(low, powers[1::3])
        high[:] = np.maximum(high, powers[2::3])
    value /= total


def merge_bank(x: Floats, covariance: Floats, memory: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the one filter `x[1, s]`, `covariance[1, s, s]`, `memory[1, m]` with mean and covariance of the bank."""
    share = np.exp(weight - weight.max())[:, None]
    share /= share.sum()
    mean: Floats = np.sum(share * x, 0)
    away = x - mean
    outer = away[:, :, None] * away[:, None, :]
    spread: Floats = np.sum(share[:, :, None] * (covariance + outer), 0)
    kept: Floats = np.sum(share * memory, 0)
    return mean[None], spread[None], kept[None]
