"""The 2RC pack with heat in plain numpy, all cells at once, and its equations in the form for scipy's solver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.integrate

from twin.cell_table import OCV, R0, R1, R2, REFERENCE_K, TAU1, TAU2

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.cell_table import CellTable
    from twin.ports import PackSpec

_SCIPY: Final[Any] = scipy.integrate  # carries no types


class NumpyEcm:
    """States `soc[n]`, `v1[n]`, `v2[n]`, `kelvin[n]`; the same table and pack as `twin.ecm`."""

    def __init__(self, pack: PackSpec, table: CellTable) -> None:
        self._table, self._grid = table, np.linspace(0.0, 1.0, table.rows.shape[1])
        self.scale = table.capacity_ah / (pack.parallel * pack.cell_ah * pack.capacity_factor)
        self._resistance = pack.resistance_factor
        self.state = np.zeros((4, pack.cells))
        self.state[0], self.state[3] = pack.soc0, pack.ambient_k

    def step(self, current_a: Floats, ambient_k: float, dt_s: float) -> Floats:
        """Advance by `dt_s`; return the voltages."""
        i = current_a * self.scale
        p = self._at(self.state[0])
        a1, a2 = np.exp(-dt_s / p[TAU1]), np.exp(-dt_s / p[TAU2])
        self.state[1] = a1 * self.state[1] + (1.0 - a1) * p[R1] * self._resistance * i
        self.state[2] = a2 * self.state[2] + (1.0 - a2) * p[R2] * i
        self.state[0] -= i * dt_s / (3600.0 * self._table.capacity_ah)
        voltage, ocv = self.voltage(self.state, i)
        settled = ambient_k + i * (ocv - voltage) / self._table.cooling_w_k
        ratio = dt_s * self._table.cooling_w_k / self._table.heat_capacity_j_k
        self.state[3] = (self.state[3] + ratio * settled) / (1.0 + ratio)
        return voltage

    def voltage(self, state: Floats, i: Floats) -> tuple[Floats, Floats]:
        """Return terminal and open-circuit voltages of `state[4, n]` under `i[n]` of the table's cell."""
        p = self._at(state[0])
        hot = np.exp(self._table.arrhenius_k * (1.0 / state[3] - 1.0 / REFERENCE_K))
        return p[OCV] - p[R0] * hot * self._resistance * i - state[1] - state[2], p[OCV]

    def rates(self, flat: Floats, current_a: Floats, ambient_k: float) -> Floats:
        """Return d/dt of `state`, flat, for scipy."""
        state, i = flat.reshape(4, -1), current_a * self.scale
        p, (voltage, ocv) = self._at(state[0]), self.voltage(state, i)
        rates = np.empty_like(state)
        rates[0] = -i / (3600.0 * self._table.capacity_ah)
        rates[1] = (p[R1] * self._resistance * i - state[1]) / p[TAU1]
        rates[2] = (p[R2] * i - state[2]) / p[TAU2]
        heat_w = i * (ocv - voltage) + self._table.cooling_w_k * (ambient_k - state[3])
        rates[3] = heat_w / self._table.heat_capacity_j_k
        return rates.ravel()

    def solve(self, current_a: Floats, ambient_k: float, seconds: float) -> Floats:
        """Advance by scipy's LSODA at a constant current; return the voltages."""

        def rates(_t_s: float, flat: Floats) -> Floats:
            return self.rates(flat, current_a, ambient_k)

        start = self.state.ravel()
        solved = _SCIPY.solve_ivp(rates, (0.0, seconds), start, method="LSODA", rtol=1e-9, atol=1e-11)
        self.state = np.asarray(solved.y, np.float64)[:, -1].reshape(4, -1)
        return self.voltage(self.state, current_a * self.scale)[0]

    def _at(self, soc: Floats) -> Floats:
        """Return the table values at `soc[n]`."""
        return np.array([np.asarray(np.interp(soc, self._grid, row), np.float64) for row in self._table.rows])
