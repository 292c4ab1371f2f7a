"""The filters of `soc_filter` as lanes: every cell of a pack at once, on the cell's circuit for estimators."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from twin import power
from twin.hold import CurrentHold, replace_nan
from twin.network.filter_settings import FilterStart, make_circuit, make_settings, make_start
from twin.network.health_filter import KEPT, track_health
from twin.network.power_forecast import RESISTANCE_SHARE, forecast_power
from twin.network.slow_health import SlowHealth
from twin.network.soc_filter import CASE, CURRENT, MEAN, SOC, VOLTAGE, correct_states, predict_states
from twin.network.widening import widen_table
from twin.ports import HealthEstimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats, PackReading
    from twin.ports import Estimator, PackSpec
    from twin.power import PowerBounds

SETTINGS: Final = ("soc0", "soc0_std")  # that a bench file may give
MAX_OFF_V: Final = 1.0  # farther outside the open-circuit voltages a reading is not of this cell: an open wire
COLDEST_K, HOTTEST_K = 200.0, 400.0
UNKNOWN_K: Final = 298.15
OHM: Final = 2  # of what `correct_states` returns


class PackFilter:
    """A filter for each cell; `cubature` and `dual` choose which. It uses only the nameplate of `pack`."""

    def __init__(
        self, pack: PackSpec, start: tuple[float, float], *, cubature: bool = False, dual: bool = False
    ) -> None:
        network = widen_table(pack.cell.estimator)
        self._scale = network.capacity_ah / pack.element_ah
        self._bounds = power.find_bounds(pack)
        self._range_v = float(network.ocv_v[0]) - MAX_OFF_V, float(network.ocv_v[-1]) + MAX_OFF_V
        self._circuit, self._settings = make_circuit(network), make_settings(network, cubature=cubature, dual=dual)
        self._dual = dual
        x, covariance, memory = make_start(network, FilterStart(*start, rested=True))
        self._x, self._memory = np.tile(x, (pack.cells, 1)), np.tile(memory, (pack.cells, 1))
        self._covariance = np.tile(covariance, (pack.cells, 1, 1))
        self._kept: Floats = np.full((pack.cells, KEPT), np.nan)
        self._held = CurrentHold(pack.cells)
        self._slow = SlowHealth(network, pack.cells, pack.element_ah)
        self._reading = np.full((pack.cells, 4), np.nan)
        self._reading[:, [MEAN, CURRENT]], self._reading[:, CASE] = 0.0, UNKNOWN_K
        self._compile()

    def _compile(self) -> None:
        """Compile before the loop runs: it takes a second."""
        kept = self._x.copy(), self._covariance.copy(), self._memory.copy(), self._kept.copy()
        self._step(1.0)
        self._read(self._bounds, held=True)
        self._x, self._covariance, self._memory, self._kept = kept

    def update(self, reading: PackReading, dt_s: float) -> HealthEstimate:
        """Predict over `dt_s`, then correct; hold an unknown current at its last value, skip an unknown voltage."""
        if dt_s > 0.0:
            own = self._reading
            cell_a = self._scale * self._held(reading.current_a + replace_nan(reading.balancing_a))
            own[:, MEAN] = own[:, CURRENT] = cell_a
            low_v, high_v = self._range_v
            plausible = (reading.voltage_v >= low_v) & (reading.voltage_v <= high_v)
            own[:, VOLTAGE] = np.where(plausible, reading.voltage_v, np.nan)
            warm = (reading.temperature_k > COLDEST_K) & (reading.temperature_k < HOTTEST_K)
            own[:, CASE] = np.where(warm, reading.temperature_k, own[:, CASE])
            self._step(dt_s)
        soh = self._slow.update(reading, self._x[:, SOC], dt_s)
        return replace(self._read(power.narrow_bounds(self._bounds, reading), held=power.is_held(reading)), soh=soh)

    def _step(self, dt_s: float) -> None:
        states = self._x, self._covariance, self._memory
        predict_states(*states, self._reading, self._circuit, self._settings, dt_s)
        self._ohm = correct_states(*states, self._reading, self._circuit, self._settings, dt_s)[:, OHM]
        if self._dual:
            track_health(self._kept, self._memory, self._reading, self._circuit, self._settings, dt_s)

    def _read(self, bounds: PowerBounds, *, held: bool) -> HealthEstimate:
        soc, soc_std = self._x[:, SOC].copy(), np.sqrt(self._covariance[:, SOC, SOC])
        states = self._x, self._covariance, self._memory
        able = forecast_power(*states, self._reading, self._circuit, self._settings, self._scale, bounds)
        ohm = self._ohm * self._scale
        return HealthEstimate(soc, soc_std, ohm, RESISTANCE_SHARE * ohm, power.list_powers(able), held)


def build_filter(
    name: str, pack: PackSpec, settings: Mapping[str, Any], *, cubature: bool = False, dual: bool = False
) -> Estimator:
    """Build a lane; settings `soc0` (fraction, 0.5) and `soc0_std` (0.1)."""
    if unknown := set(settings) - set(SETTINGS):
        raise ValueError(
            f"{name} has no setting {', '.join(sorted(unknown))}; its settings are {' and '.join(SETTINGS)}"
        )
    start = float(settings.get("soc0", 0.5)), float(settings.get("soc0_std", 0.1))
    return PackFilter(pack, start, cubature=cubature, dual=dual)
