"""Extended Kalman filter of each cell on a 2RC circuit (Plett 2004, part 3), with parameters of its own.

What the model gets wrong is not white: it stays for minutes. White noise of the same size would let 100 samples a
second talk the filter into certainty, so every error enters with a correlation time and counts per second of time,
not per sample; the result does not depend on `dt_s`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.snapshot import Estimate
from twin import cell_table
from twin.cell_table import OCV, R0, R1, R2, TAU1, TAU2, looked_up
from twin.compiled import kernel
from twin.held import HeldCurrent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats, PackReading
    from twin.cell_table import CellTable
    from twin.ports import Estimator, PackSpec

SOC, V1, V2 = range(3)
CURRENT, VOLTAGE, KELVIN = range(3)
DT, CAPACITY_AS, ARRHENIUS = range(3)

MODEL_V: Final = 0.008  # what table and two pairs leave unexplained, and for how long it lasts
MODEL_S: Final = 300.0
RESISTANCE_SHARE: Final = 0.10  # a cell's own R0 against the table's
CAPACITY_SHARE: Final = 0.06  # a cell's own capacity against the nameplate
SENSOR_A: Final = 0.02  # offset of the current sensor, on one cell of the table's size
DRIFT_PER_S: Final = 1e-7  # variance of SoC that nothing above explains
PAIR_SHARE: Final = 0.10  # the pairs' resistances against the table's


@kernel
def predict(x: Floats, covariance: Floats, reading: Floats, rows: Floats, settings: Floats) -> None:
    """Move `x[3, n]` (SoC, V1, V2) and `covariance[n, 3, 3]` by one step of the current in `reading[3, n]`."""
    dt = settings[DT]
    p = np.empty(rows.shape[0])
    kept = np.empty(3)
    for n in range(x.shape[1]):
        i = reading[CURRENT, n]
        looked_up(rows, x[SOC, n], p)
        kept[SOC], kept[V1], kept[V2] = 1.0, np.exp(-dt / p[TAU1]), np.exp(-dt / p[TAU2])
        x[SOC, n] -= i * dt / settings[CAPACITY_AS]
        x[V1, n] = kept[V1] * x[V1, n] + (1.0 - kept[V1]) * p[R1] * i
        x[V2, n] = kept[V2] * x[V2, n] + (1.0 - kept[V2]) * p[R2] * i
        for a in range(3):
            for b in range(3):
                covariance[n, a, b] *= kept[a] * kept[b]
        unsure_a2 = (CAPACITY_SHARE * i) ** 2 + SENSOR_A**2
        covariance[n, SOC, SOC] += dt * (unsure_a2 * MODEL_S / settings[CAPACITY_AS] ** 2 + DRIFT_PER_S)
        covariance[n, V1, V1] += (1.0 - kept[V1] ** 2) * (PAIR_SHARE * p[R1] * i) ** 2
        covariance[n, V2, V2] += (1.0 - kept[V2] ** 2) * (PAIR_SHARE * p[R2] * i) ** 2


@kernel
def correct(x: Floats, covariance: Floats, reading: Floats, rows: Floats, settings: Floats) -> None:
    """Weigh the measured voltages in; a voltage that is not finite leaves its cell alone."""
    p, slope, gain, seen = np.empty(rows.shape[0]), np.empty(3), np.empty(3), np.empty(3)
    slope[V1] = slope[V2] = -1.0
    for n in range(x.shape[1]):
        if not np.isfinite(reading[VOLTAGE, n]):
            continue
        i = reading[CURRENT, n]
        slope[SOC] = looked_up(rows, x[SOC, n], p)
        r0 = p[R0]
        if np.isfinite(reading[KELVIN, n]):
            r0 *= np.exp(settings[ARRHENIUS] * (1.0 / reading[KELVIN, n] - 1.0 / cell_table.REFERENCE_K))
        error = reading[VOLTAGE, n] - (p[OCV] - r0 * i - x[V1, n] - x[V2, n])
        noise = (MODEL_V**2 + (RESISTANCE_SHARE * r0 * i) ** 2) * MODEL_S / settings[DT]
        for a in range(3):
            seen[a] = covariance[n, a, SOC] * slope[SOC] - covariance[n, a, V1] - covariance[n, a, V2]
        spread = seen[SOC] * slope[SOC] - seen[V1] - seen[V2] + noise
        for a in range(3):
            gain[a] = seen[a] / spread
            x[a, n] += gain[a] * error
        for a in range(3):
            for b in range(3):
                covariance[n, a, b] -= gain[a] * seen[b]
        x[SOC, n] = min(max(x[SOC, n], -0.05), 1.05)


class Ekf:
    """One filter per cell on measured voltage and current, the nameplate's capacity and its own table."""

    def __init__(self, pack: PackSpec, table: CellTable, soc0: float, soc0_std: float) -> None:
        self._scale = table.capacity_ah / (pack.parallel * pack.cell_ah)
        self._rows = table.rows
        self._settings = np.array([0.0, 3600.0 * table.capacity_ah, table.arrhenius_k])
        self._x = np.zeros((3, pack.cells))
        self._x[SOC] = soc0
        self._covariance = np.zeros((pack.cells, 3, 3))
        self._covariance[:, SOC, SOC] = soc0_std**2
        self._covariance[:, V1, V1] = self._covariance[:, V2, V2] = MODEL_V**2
        self._reading = np.zeros((3, pack.cells))
        self._held = HeldCurrent(pack.cells)
        self._load_kernels()

    def _load_kernels(self) -> None:
        """Compile, or load from the cache, before the loop turns: the first call takes a third of a second."""
        unknown = np.full_like(self._reading, np.nan)
        predict(self._x.copy(), self._covariance.copy(), unknown, self._rows, self._settings)
        correct(self._x.copy(), self._covariance.copy(), unknown, self._rows, self._settings)

    def update(self, reading: PackReading, dt_s: float) -> Estimate:
        """Predict over `dt_s`, then correct; an unknown current is held as last known, an unknown voltage left out."""
        if dt_s > 0.0:
            self._settings[DT] = dt_s
            self._reading[CURRENT] = self._held(reading.current_a + np.nan_to_num(reading.balancing_a)) * self._scale
            self._reading[VOLTAGE], self._reading[KELVIN] = reading.voltage_v, reading.temperature_k
            predict(self._x, self._covariance, self._reading, self._rows, self._settings)
            correct(self._x, self._covariance, self._reading, self._rows, self._settings)
        return Estimate(self._x[SOC].copy(), np.sqrt(self._covariance[:, SOC, SOC]))


def build(pack: PackSpec, settings: Mapping[str, Any]) -> Estimator:
    """The lane; settings `soc0` (fraction, 0.5) and `soc0_std` (0.1). Of `pack` it knows the nameplate alone."""
    unknown = set(settings) - {"soc0", "soc0_std"}
    if unknown:
        raise ValueError(f"twin.ekf does not know {', '.join(sorted(unknown))}; it takes soc0 and soc0_std")
    table = cell_table.load(cell_table.SHIPPED / "ekf.toml")
    return Ekf(pack, table, float(settings.get("soc0", 0.5)), float(settings.get("soc0_std", 0.1)))
