"""The pack as equivalent circuits: R0 and two RC pairs over state of charge, one temperature per cell (numba)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from twin import cell_table
from twin.cell_table import OCV, R0, R1, R2, TAU1, TAU2, interpolate
from twin.hold import CurrentHold
from twin.numba_kernel import kernel
from twin.ports import PackState
from twin.thermal import step_temperature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats
    from twin.cell_table import CellTable
    from twin.ports import PackSpec, Twin

SOC, V1, V2, KELVIN, VOLTAGE = range(5)
SCALE, RESISTANCE = range(2)
DT, AMBIENT, CAPACITY_AS, ARRHENIUS, COOLING, HEAT_CAPACITY = range(6)
SETTINGS: Final = ()  # that a bench file may give
_STEP_TEMPERATURE: Final = kernel(step_temperature)


@kernel
def advance(state: Floats, current_a: Floats, cells: Floats, rows: Floats, settings: Floats) -> None:
    """Advance `state[5, n]` under `current_a[n]`: exact for a constant current while the parameters stay.

    `cells[2, n]`: the scale of the current to the table's cell, and the factor on R0 and R1 (what ages, not diffusion).
    """
    p = np.empty(rows.shape[0])
    for n in range(state.shape[1]):
        advance_cell(state, n, current_a[n], settings[AMBIENT], cells, rows, settings, p)


@kernel
def advance_cell(  # noqa: PLR0917  # numba inlines it: a record of its arguments would cost more than the step
    state: Floats,
    n: int,
    current_a: float,
    ambient_k: float,
    cells: Floats,
    rows: Floats,
    settings: Floats,
    p: Floats,
) -> None:
    """Advance cell `n` of `state` in surroundings of `ambient_k`; `p[6]` becomes the table's values at its new SoC."""
    dt, i = settings[DT], current_a * cells[SCALE, n]
    interpolate(rows, state[SOC, n], p)
    a1, a2 = np.exp(-dt / p[TAU1]), np.exp(-dt / p[TAU2])
    state[V1, n] = a1 * state[V1, n] + (1.0 - a1) * p[R1] * cells[RESISTANCE, n] * i
    state[V2, n] = a2 * state[V2, n] + (1.0 - a2) * p[R2] * i
    state[SOC, n] -= i * dt / settings[CAPACITY_AS]
    interpolate(rows, state[SOC, n], p)
    hot = np.exp(settings[ARRHENIUS] * (1.0 / state[KELVIN, n] - 1.0 / cell_table.REFERENCE_K))
    state[VOLTAGE, n] = p[OCV] - p[R0] * hot * cells[RESISTANCE, n] * i - state[V1, n] - state[V2, n]
    settled = ambient_k + i * (p[OCV] - state[VOLTAGE, n]) / settings[COOLING]
    ratio = dt * settings[COOLING] / settings[HEAT_CAPACITY]
    state[KELVIN, n] = _STEP_TEMPERATURE(state[KELVIN, n], settled, ratio)


class EcmPack:
    """A pack in which each series element is the table's cell with scaled current, so that a cell's charge is exact."""

    def __init__(self, pack: PackSpec, table: CellTable) -> None:
        self._table = table
        self._held = CurrentHold(pack.cells)
        scale = table.capacity_ah / (pack.parallel * pack.cell_ah * pack.capacity_factor)
        self._cells = np.vstack([scale, pack.resistance_factor])
        self._state = np.zeros((5, pack.cells))
        self._state[SOC], self._state[KELVIN] = pack.soc0, pack.ambient_k
        thermal = (table.arrhenius_k, table.cooling_w_k, table.heat_capacity_j_k)
        self._settings = np.array([0.0, pack.ambient_k, 3600.0 * table.capacity_ah, *thermal])

    @property
    def columns(self) -> tuple[int, ...]:
        return tuple(range(self._state.shape[1]))

    def step(self, current_a: Floats, ambient_k: float, dt_s: float) -> PackState:
        """Step all cells by `dt_s`, any length over which the table's parameters hardly change."""
        held_a = self._held(current_a)
        self._settings[DT], self._settings[AMBIENT] = dt_s, ambient_k
        advance(self._state, held_a, self._cells, self._table.rows, self._settings)
        soc, _, _, kelvin, voltage = self._state.copy()
        outside = tuple(int(cell) for cell in np.flatnonzero((soc < 0.0) | (soc > 1.0)))  # the table ends there
        return PackState(soc, kelvin, voltage, held_a.copy(), outside)

    def take_over(self, state: PackState) -> None:
        """Keep SoC and temperature; assign to the slow pair what R0 and a settled fast pair do not explain: exact."""
        current_a = np.nan_to_num(state.current_a)
        self._state[SOC], self._state[KELVIN] = state.soc, state.temperature_k
        self._state[V1] = self._state[V2] = 0.0
        self._settings[DT] = 0.0
        advance(self._state, current_a, self._cells, self._table.rows, self._settings)
        grid = np.linspace(0.0, 1.0, self._table.rows.shape[1])
        fast_ohm = np.asarray(np.interp(state.soc, grid, self._table.rows[R1]), dtype=np.float64)
        self._state[V1] = fast_ohm * self._cells[RESISTANCE] * self._cells[SCALE] * current_a
        self._state[V2] = self._state[VOLTAGE] - self._state[V1] - state.voltage_v
        self._state[VOLTAGE] = state.voltage_v

    def age_s(self) -> float:
        return 0.0

    def close(self) -> None:
        """Do nothing: the lane holds only memory."""


def build(pack: PackSpec, settings: Mapping[str, Any]) -> Twin:
    """Build the lane; no settings."""
    if settings:
        raise ValueError(f"twin.ecm has no settings, got {', '.join(settings)}")
    return EcmPack(pack, pack.cell.circuit)
