"""The slow lane beside a filter: capacity between rests and resistance in steps, which feed nothing back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.snapshot import PackReading, StateOfHealth
from twin.network.filter_settings import make_circuit
from twin.network.rest_kernels import COUNTED_VAR, FALLEN, REST_SOC, RESTS
from twin.network.slow_circuit import CASE, CIRCUIT, read_sample
from twin.network.slow_kernels import keep_known, track_cells
from twin.network.step_kernels import LAST_V, STEPS
from twin.network.total_fit import TotalFit

if TYPE_CHECKING:
    from drivers.snapshot import Flags, Floats
    from twin.network.network import Network

UNKNOWN_K: Final = 298.15
GAP_S: Final = 1.0  # more between two samples than `dt_s` is time without a sample
OUTSIDE_V: Final = 1.0  # beyond the open-circuit voltages: a reading of no cell


class SlowHealth:
    """Capacity and resistance of each series element of `element_ah`, from measured values and `network` alone.

    `network` is the circuit of the cell file for estimators, which is not the twin's.
    """

    def __init__(self, network: Network, cells: int, element_ah: float) -> None:
        low_v, high_v = float(network.ocv_v[0]) - OUTSIDE_V, float(network.ocv_v[-1]) + OUTSIDE_V
        scale = network.capacity_ah / element_ah
        core = 3600.0 * network.capacity_ah, network.core_k_w, network.core_s
        self._circuit, self._settings = make_circuit(network), np.array([*core, scale, low_v, high_v])
        self._reading = np.zeros((cells, 4))
        self._reading[:, CASE] = UNKNOWN_K
        now, steps, rests = (np.zeros((cells, size)) for size in (CIRCUIT, STEPS, RESTS))
        steps[:, LAST_V] = rests[:, REST_SOC] = np.nan
        self._kept, self._fit, self._last_s = (now, steps, rests), TotalFit(cells), np.nan
        nothing = np.full(cells, np.nan)
        self._capacity: tuple[Floats, Floats] = nothing, nothing
        self._told = StateOfHealth(nothing, nothing, nothing, nothing)
        self._read(PackReading(np.nan, np.nan, nothing, nothing, nothing), nothing)
        self._step(0.0, 0.0)  # compile before the loop runs: it takes a second; no time passes, so nothing is kept
        self._fit.solve()
        self._tell()

    def update(self, reading: PackReading, soc: Floats, dt_s: float) -> StateOfHealth:
        """Add a sample after `dt_s`; `soc[n]` (fraction) is the filter's, for the tables.

        A current that is not known is no charge that is counted: the time is, and makes the next pair of rests less
        certain.
        """
        lost_s = self._find_lost(reading, dt_s)
        self._last_s = reading.t_s
        if dt_s > 0.0 or lost_s > 0.0:
            self._read(reading, soc)
            self._step(dt_s if np.isfinite(reading.current_a) else 0.0, lost_s)
        return self._told

    @property
    def has_rested(self) -> Flags:
        """Whether a rest was seen `[n]` whose voltage tells the charge."""
        return np.isfinite(self._kept[2][:, REST_SOC])

    @property
    def has_pair(self) -> Flags:
        """Whether two rests gave a capacity `[n]`, known well enough or not."""
        return np.isfinite(self._capacity[0])

    def _find_lost(self, reading: PackReading, dt_s: float) -> float:
        """Return for how long no current was known; the clock of the readings is not as even as `dt_s`."""
        passed_s = reading.t_s - self._last_s if np.isfinite(self._last_s) else 0.0
        if dt_s > 0.0 and np.isfinite(reading.current_a):
            return passed_s - dt_s if passed_s - dt_s > GAP_S else 0.0
        return max(passed_s, dt_s)

    def _read(self, reading: PackReading, soc: Floats) -> None:
        sampled = reading.balancing_a, reading.voltage_v, reading.temperature_k
        read_sample(self._reading, float(reading.current_a), *sampled, np.ascontiguousarray(soc), self._settings)

    def _step(self, dt_s: float, lost_s: float) -> None:
        ended, paired = track_cells(
            self._kept, self._reading, self._circuit, self._settings, float(dt_s), float(lost_s)
        )
        if paired:
            self._add_rests()
        if ended or paired:
            self._told = self._tell()

    def _add_rests(self) -> None:
        fallen, counted, fallen_var, counted_var = self._kept[2].T[FALLEN : COUNTED_VAR + 1]
        self._fit.add(np.isfinite(fallen), fallen, counted, fallen_var, counted_var)
        self._capacity = self._fit.solve()

    def _tell(self) -> StateOfHealth:
        return StateOfHealth(*keep_known(*self._capacity, self._kept[1]))
