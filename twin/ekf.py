"""Extended Kalman filter of each cell on a 2RC circuit (Plett 2004, parts 2 and 3), with its own parameters.

The model error is not white: it lasts for minutes. With white noise of the same size, 100 samples a second would make
the filter overconfident, so the model error is a separate state, which decays and is driven again (Bryson and
Henrikson 1968). Noise is given per second, not per sample: the estimate does not depend on `dt_s`.

Resistance and capacity of a cell are not known either. The charge filter considers this uncertainty but updates neither
(Schmidt 1966): on recorded cells, errors of the open-circuit table were taken for capacity and resistance, and moved
the charge too (CALCE DST: error 5.3 % instead of 2.2 %; docs/lanes.md). A second filter updates R0 and feeds nothing
back.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from twin import cell_table, power
from twin.cell_table import OCV, R0, R1, R2, TAU1, TAU2, interpolate
from twin.network.slow_health import SlowHealth
from twin.network.widening import widen_table
from twin.numba_kernel import kernel
from twin.ports import HealthEstimate
from twin.power import (
    CELL,
    DIRECTIONS,
    HORIZONS_S,
    LINE,
    LINE_BOTH_VAR,
    LINE_DROP,
    LINE_DROP_VAR,
    LINE_OPEN,
    LINE_OPEN_VAR,
    LINE_SLOPE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats, PackReading
    from twin.cell_table import CellTable
    from twin.ports import Estimator, PackSpec
    from twin.power import PowerBounds

SETTINGS: Final = ("soc0", "soc0_std", "file")  # that a bench file may give

# The state: charge, both pairs' voltages, model error (V), R0 over the table's, nameplate over capacity.
STATES: Final = 6
SOC, V1, V2, MODEL_ERROR, RESISTANCE, CAPACITY_RATIO = range(STATES)
# A reading: the cell's current (held while unknown), the measured values, and the current lagged to the voltage.
CURRENT, BALANCING, VOLTAGE, KELVIN, LAGGED = range(5)
DT, CAPACITY_AS, ARRHENIUS, SCALE, UPDATABLE = range(
    5
)  # from UPDATABLE on: for each state 1 where the voltage may move it
OHM, OHM_STD = range(2)

MODEL_V: Final = 0.008  # error of table and two pairs, and how long it lasts
MODEL_S: Final = 300.0
NOISE_V: Final = 0.002  # of a voltage, white, at one sample a second
SKEW_S: Final = 0.2  # a device does not sample voltage and current at one instant
RESISTANCE_STD: Final = 0.30  # a cell's own R0 against the table's
RESISTANCE_PER_S: Final = 1.5e-6  # variance of that as charge and temperature change: 3 % in ten minutes
CAPACITY_PER_S: Final = 5e-7  # a slope error of the table looks like capacity, and changes with charge
SENSOR_A: Final = 0.02  # offset of the current sensor, on one cell of the table's size
DRIFT_PER_S: Final = 1e-7  # variance of SoC that no source above explains
PAIR_SHARE: Final = 0.10  # the pairs' resistances against the table's
CAPACITY_STD: Final = 0.06  # a cell's own capacity against the nameplate
MIN_K: Final = 200.0
MAX_K: Final = 400.0
MAX_OFF_V: Final = 1.0  # farther outside the open-circuit voltages a reading is not of this cell: unpowered, open wire
INNOVATION_LIMIT: Final = 4.0
ITERATIONS: Final = 3  # of the iterated correction
STATE_MIN: Final = np.array([-0.05, -1.0, -1.0, -0.2, 0.2, 0.5])  # range in which a state has a meaning
STATE_MAX: Final = np.array([1.05, 1.0, 1.0, 0.2, 8.0, 4.0])


@kernel
def find_temperature_factor(arrhenius_k: float, kelvin: float) -> float:
    """Return the factor on R0 at `kelvin`; 1 where it is unknown or not a plausible cell temperature."""
    if not MIN_K < kelvin < MAX_K:
        return 1.0
    return np.exp(arrhenius_k * (1.0 / kelvin - 1.0 / cell_table.REFERENCE_K))


@kernel
def update_currents(reading: Floats, pack_a: float, scale: float, dt_s: float) -> None:
    """Set each cell's current in `reading[5, n]`: the pack's plus its own, times `scale`; hold it while unknown."""
    follows = 1.0 - np.exp(-dt_s / SKEW_S)
    for n in range(reading.shape[1]):
        own_a = reading[BALANCING, n]
        cell_a = pack_a + (0.0 if np.isnan(own_a) else own_a)
        if np.isfinite(cell_a):
            reading[CURRENT, n] = cell_a * scale
        reading[LAGGED, n] += follows * (reading[CURRENT, n] - reading[LAGGED, n])


@kernel
def predict(x: Floats, covariance: Floats, reading: Floats, rows: Floats, settings: Floats) -> None:
    """Predict `x[6, n]` and `covariance[n, 6, 6]` over one step with the current in `reading[5, n]`."""
    dt = settings[DT]
    p, kept = np.empty(rows.shape[0]), np.ones(STATES)
    kept[MODEL_ERROR] = np.exp(-dt / MODEL_S)
    for n in range(x.shape[1]):
        i, c = reading[CURRENT, n], covariance[n]
        interpolate(rows, x[SOC, n], p)
        kept[V1], kept[V2] = np.exp(-dt / p[TAU1]), np.exp(-dt / p[TAU2])
        spent = i * dt / settings[CAPACITY_AS]
        x[SOC, n] -= spent * x[CAPACITY_RATIO, n]
        x[V1, n] = kept[V1] * x[V1, n] + (1.0 - kept[V1]) * p[R1] * i
        x[V2, n] = kept[V2] * x[V2, n] + (1.0 - kept[V2]) * p[R2] * i
        x[MODEL_ERROR, n] *= kept[MODEL_ERROR]
        for a in range(STATES):
            for b in range(STATES):
                c[a, b] *= kept[a] * kept[b]
        for a in range(STATES):
            c[SOC, a] -= spent * c[CAPACITY_RATIO, a]
        for a in range(STATES):
            c[a, SOC] -= spent * c[a, CAPACITY_RATIO]
        c[SOC, SOC] += dt * (SENSOR_A**2 * MODEL_S / settings[CAPACITY_AS] ** 2 + DRIFT_PER_S)
        c[V1, V1] += (1.0 - kept[V1] ** 2) * (PAIR_SHARE * p[R1] * i) ** 2
        c[V2, V2] += (1.0 - kept[V2] ** 2) * (PAIR_SHARE * p[R2] * i) ** 2
        c[MODEL_ERROR, MODEL_ERROR] += (1.0 - kept[MODEL_ERROR] ** 2) * MODEL_V**2
        c[RESISTANCE, RESISTANCE] += dt * RESISTANCE_PER_S
        c[CAPACITY_RATIO, CAPACITY_RATIO] += dt * CAPACITY_PER_S


@kernel
def update_covariance(c: Floats, gain: Floats, cross: Floats) -> None:
    """Reduce `c[6, 6]` by a voltage update; a state without gain keeps its variance, not its covariances."""
    for a in range(STATES):
        for b in range(STATES):
            c[a, b] -= gain[a] * cross[b]
    for a in range(STATES):
        if gain[a] == 0.0:
            for b in range(STATES):
                c[a, b] = c[b, a]


@kernel
def correct(x: Floats, covariance: Floats, reading: Floats, rows: Floats, settings: Floats) -> None:
    """Correct by the measured voltages; do not correct a cell whose voltage is NaN or not a cell's (`MAX_OFF_V`).

    Limit a large innovation: increase its variance until it is `INNOVATION_LIMIT` standard deviations.

    Iterate (Bell and Cathey 1993): from a start that is far off, use the table's slope at the result, not at the start.
    The slope leaves out that R0 changes with charge: this is small compared with the open-circuit voltage's.
    """
    p, slope, before = np.empty(rows.shape[0]), np.zeros(STATES), np.empty(STATES)
    gain, cross = np.empty(STATES), np.empty(STATES)
    slope[V1] = slope[V2] = -1.0
    slope[MODEL_ERROR] = 1.0
    lowest_v, highest_v = rows[OCV, 0] - MAX_OFF_V, rows[OCV, -1] + MAX_OFF_V
    for n in range(x.shape[1]):
        if not lowest_v <= reading[VOLTAGE, n] <= highest_v:
            continue
        i, c = reading[CURRENT, n], covariance[n]
        for a in range(STATES):
            before[a] = x[a, n]
        hot = find_temperature_factor(settings[ARRHENIUS], reading[KELVIN, n])
        for _ in range(ITERATIONS):
            slope[SOC] = interpolate(rows, x[SOC, n], p)
            slope[RESISTANCE] = -p[R0] * hot * i
            error = reading[VOLTAGE, n] - (
                p[OCV] + slope[RESISTANCE] * x[RESISTANCE, n] - x[V1, n] - x[V2, n] + x[MODEL_ERROR, n]
            )
            skew = p[R0] * hot * (i - reading[LAGGED, n])
            spread = (NOISE_V**2 + skew**2 * SKEW_S) / settings[DT]
            for a in range(STATES):
                cross[a] = 0.0
                for b in range(STATES):
                    cross[a] += c[a, b] * slope[b]
                error -= slope[a] * (before[a] - x[a, n])
            for a in range(STATES):
                spread += slope[a] * cross[a]
            spread = max(spread, (error / INNOVATION_LIMIT) ** 2)
            for a in range(STATES):
                gain[a] = settings[UPDATABLE + a] * cross[a] / spread
                x[a, n] = min(max(before[a] + gain[a] * error, STATE_MIN[a]), STATE_MAX[a])
        update_covariance(c, gain, cross)


@kernel
def find_resistance(x: Floats, covariance: Floats, reading: Floats, rows: Floats, settings: Floats) -> Floats:
    """Return `[2, n]`: R0 of each cell and its deviation, for the pack's current (ohm)."""
    out, p = np.empty((2, x.shape[1])), np.empty(rows.shape[0])
    for n in range(x.shape[1]):
        interpolate(rows, x[SOC, n], p)
        r0 = p[R0] * find_temperature_factor(settings[ARRHENIUS], reading[KELVIN, n]) * settings[SCALE]
        out[OHM, n] = x[RESISTANCE, n] * r0
        out[OHM_STD, n] = np.sqrt(covariance[n, RESISTANCE, RESISTANCE]) * r0
    return out


@kernel
def predict_voltage(x: Floats, covariance: Floats, reading: Floats, rows: Floats, settings: Floats) -> Floats:
    """Return `[horizons, 2, n, LINE]` of `twin.power`: the voltage of each cell at the ends of the horizons.

    Straight over the current: the table's values are those of the present charge, in both directions.
    """
    out, scale = np.zeros((len(HORIZONS_S), DIRECTIONS, x.shape[1], LINE)), settings[SCALE]
    p, level, steep = np.empty(rows.shape[0]), np.zeros(STATES), np.zeros(STATES)
    level[MODEL_ERROR] = 1.0
    for n in range(x.shape[1]):
        level[SOC] = interpolate(rows, x[SOC, n], p)
        r0 = p[R0] * find_temperature_factor(settings[ARRHENIUS], reading[KELVIN, n])
        for h in range(len(HORIZONS_S)):
            line = out[h, 0, n]
            kept1, kept2 = np.exp(-HORIZONS_S[h] / p[TAU1]), np.exp(-HORIZONS_S[h] / p[TAU2])
            level[V1], level[V2] = -kept1, -kept2
            falls = level[SOC] * HORIZONS_S[h] / settings[CAPACITY_AS]
            steep[RESISTANCE], steep[CAPACITY_RATIO] = r0, falls
            pairs = (1.0 - kept1) * p[R1] + (1.0 - kept2) * p[R2]
            line[LINE_OPEN] = p[OCV] - kept1 * x[V1, n] - kept2 * x[V2, n] + x[MODEL_ERROR, n]
            line[LINE_DROP] = (x[RESISTANCE, n] * r0 + pairs + falls * x[CAPACITY_RATIO, n]) * scale
            line[LINE_SLOPE] = line[LINE_DROP]
            line[LINE_DROP_VAR] = (PAIR_SHARE * pairs) ** 2
            for a in range(STATES):
                for b in range(STATES):
                    line[LINE_OPEN_VAR] += level[a] * covariance[n, a, b] * level[b]
                    line[LINE_DROP_VAR] += steep[a] * covariance[n, a, b] * steep[b]
                    line[LINE_BOTH_VAR] += level[a] * covariance[n, a, b] * steep[b]
            line[LINE_DROP_VAR] *= scale**2
            line[LINE_BOTH_VAR] *= scale
            out[h, 1, n] = line
    return out


class CellFilter:
    """State and covariance of every cell; voltages update the parameters in `updatable`, others only add uncertainty.

    `scale`: the current of a cell of the table's size over the pack's current.
    """

    def __init__(
        self, cells: int, table: CellTable, start: tuple[float, float], scale: float, updatable: tuple[int, ...] = ()
    ) -> None:
        self._rows = table.rows
        moved = [float(state not in {RESISTANCE, CAPACITY_RATIO} or state in updatable) for state in range(STATES)]
        self._settings = np.array([0.0, 3600.0 * table.capacity_ah, table.arrhenius_k, scale, *moved])
        self.x = np.zeros((STATES, cells))
        self.x[SOC], self.x[RESISTANCE], self.x[CAPACITY_RATIO] = start[0], 1.0, 1.0
        stds = (start[1], MODEL_V, MODEL_V, MODEL_V, RESISTANCE_STD, CAPACITY_STD)
        self.covariance = np.tile(np.diag(np.square(stds)), (cells, 1, 1))

    def update(self, reading: Floats, dt_s: float) -> None:
        self._settings[DT] = dt_s
        predict(self.x, self.covariance, reading, self._rows, self._settings)
        correct(self.x, self.covariance, reading, self._rows, self._settings)

    def predict_voltage(self, reading: Floats) -> Floats:
        return predict_voltage(self.x, self.covariance, reading, self._rows, self._settings)

    def find_resistance(self, reading: Floats) -> Floats:
        return find_resistance(self.x, self.covariance, reading, self._rows, self._settings)


class Ekf:
    """Two filters per cell from measured voltage and current, the nameplate capacity and their own table."""

    def __init__(self, pack: PackSpec, table: CellTable, soc0: float, soc0_std: float) -> None:
        self._scale = table.capacity_ah / (pack.parallel * pack.cell_ah)
        self._bounds = power.find_bounds(pack)
        self._cells = np.empty((pack.cells, CELL))
        self._cells[:, power.CELL_CHARGE_AS] = 3600.0 * pack.element_ah
        self._cells[:, power.CELL_KELVIN] = cell_table.REFERENCE_K  # until one is measured
        self._rise_k_w = np.array(HORIZONS_S) / self._bounds.heat_j_k
        start = pack.cells, table, (soc0, soc0_std), self._scale
        self._charge, self._resistance = CellFilter(*start), CellFilter(*start, updatable=(RESISTANCE,))
        self._reading = np.full((5, pack.cells), np.nan)
        self._reading[[CURRENT, LAGGED]] = 0.0
        self._slow = SlowHealth(widen_table(table), pack.cells, pack.element_ah)
        update_currents(self._reading, 0.0, self._scale, 1.0)  # compile before the loop runs: it takes a second
        spare = CellFilter(*start)
        spare.update(self._reading, 1.0)
        self._read(spare, self._bounds, held=True)

    def update(self, reading: PackReading, dt_s: float) -> HealthEstimate:
        """Predict over `dt_s`, then correct; hold an unknown current at its last value, skip an unknown voltage."""
        own = self._reading
        if dt_s > 0.0:
            own[BALANCING], own[VOLTAGE], own[KELVIN] = reading.balancing_a, reading.voltage_v, reading.temperature_k
            update_currents(own, reading.current_a, self._scale, dt_s)
            self._charge.update(own, dt_s)
            self._resistance.update(own, dt_s)
        bounds = power.narrow_bounds(self._bounds, reading)
        estimate = self._read(self._resistance, bounds, held=power.is_held(reading))
        return replace(estimate, soh=self._slow.update(reading, estimate.soc, dt_s))

    def _read(self, resistance: CellFilter, bounds: PowerBounds, *, held: bool) -> HealthEstimate:
        soc, soc_std = self._charge.x[SOC].copy(), np.sqrt(self._charge.covariance[:, SOC, SOC])
        kelvin = self._reading[KELVIN]
        np.copyto(self._cells[:, power.CELL_KELVIN], kelvin, where=(kelvin > MIN_K) & (kelvin < MAX_K))
        self._cells[:, power.CELL_SOC], self._cells[:, power.CELL_SOC_STD] = soc, soc_std
        able = power.find_power(resistance.predict_voltage(self._reading), self._cells, self._rise_k_w, bounds)
        ohm, ohm_std = resistance.find_resistance(self._reading)
        return HealthEstimate(soc, soc_std, ohm, ohm_std, power.list_powers(able), held)


def build(pack: PackSpec, settings: Mapping[str, Any]) -> Estimator:
    """Build the lane; settings `soc0` (fraction, 0.5), `soc0_std` (0.1), `file` (a circuit; default: of the cell file).

    It uses only the nameplate of `pack` and the cell's circuit for estimators, which is not the twin's.
    """
    unknown = set(settings) - set(SETTINGS)
    if unknown:
        raise ValueError(
            f"twin.ekf has no setting {', '.join(sorted(unknown))}; its settings are soc0, soc0_std and file"
        )
    table = cell_table.load(Path(settings["file"])) if "file" in settings else pack.cell.estimator
    return Ekf(pack, table, float(settings.get("soc0", 0.5)), float(settings.get("soc0_std", 0.1)))
