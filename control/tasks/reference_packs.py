"""The packs of an episode on PyBaMM: one reference cell each, for a judge that does not share the controllers' model.

All cells of a pack are equal here: the drawn cell with the least capacity stands for every one. Capacity scales the
current of the reference cell, resistance all its losses but diffusion, as in the DFN lane; the temperature is lumped.
"""

from __future__ import annotations

import weakref
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from control.tasks import pack_batch as rows
from control.tasks.pack_batch import PackStep
from twin import ecm
from twin.cell_physics import require_physics
from twin.half_cycles import follow_charge, make_turns
from twin.pybamm_models import ReferenceCell, read_cell_constants
from twin.thermal import step_temperature
from twin.wear import step_wear

if TYPE_CHECKING:
    from control.tasks.episodes import Episodes
    from control.tasks.task import ControlTask
    from drivers.snapshot import Columns, Floats
    from twin.cell_physics import CellPhysics

HOUR_S: Final = 3600.0
MOST_SUBSTEPS: Final = 2  # PyBaMM chooses its own steps within; more of them only cost time
FIRST_S: Final = 1e-3
ENDED_V: Final = 1.0  # what a model that has ended counts as: every limit broken

# By cell and model: to build one costs half a second.
_IDLE: defaultdict[tuple[CellPhysics, str], list[ReferenceCell]] = defaultdict(list)


class ReferencePacks:
    """Like `PackBatch`, with a cell of PyBaMM's `model` ("DFN" or "SPMe") for each pack; 10 to 50 ms a step."""

    def __init__(self, task: ControlTask, episodes: Episodes, model: str = "DFN") -> None:
        self._task, self.packs = task, episodes.packs
        self._cell, self._wear = task.cell, task.cell.wear.linearise(task.cell.capacity_ah)
        physics = require_physics(task.cell, "the reference")
        self._constants = read_cell_constants(physics)
        self._substeps = min(MOST_SUBSTEPS, max(1, round(task.step_s / task.substep_s)))
        idle = _IDLE[physics, model]
        self._cells = [idle.pop() if idle else ReferenceCell(0.5, physics, model) for _ in range(self.packs)]
        weakref.finalize(self, idle.extend, self._cells)  # the next packs rest them at their own start
        self._capacity, self._resistance = np.ones(self.packs), np.ones(self.packs)
        self._ambient_k = np.zeros(self.packs)
        self._turns = make_turns(np.zeros(self.packs))
        self._state = np.zeros((5, self.packs))
        self.restart(np.arange(self.packs), episodes)

    def restart(self, packs: Columns, episodes: Episodes) -> None:
        """Let `packs` begin again as the `episodes`, at rest."""
        for number, pack in enumerate(packs.tolist()):
            self._restart_pack(pack, episodes, number)

    def _restart_pack(self, pack: int, episodes: Episodes, number: int) -> None:
        weakest = int(episodes.capacity[number].argmin())
        self._capacity[pack] = episodes.capacity[number, weakest]
        self._resistance[pack] = episodes.resistance[number, weakest]
        self._ambient_k[pack] = episodes.ambient_k[number]
        soc = float(episodes.soc0[number, weakest])
        self._cells[pack].rest(soc)
        self._state[:, pack] = 0.0
        self._state[ecm.KELVIN, pack] = self._ambient_k[pack]
        self._turns[pack] = make_turns(np.array([soc]))[0]
        reading = self._cells[pack].step(0.0, float(self._ambient_k[pack]), FIRST_S)
        self._state[ecm.SOC, pack], self._state[ecm.VOLTAGE, pack] = reading.soc, reading.voltage_v

    def read(self, row: int) -> Floats:
        """Return one row of the state as `[packs, cells]`, all cells of a pack equal."""
        return np.repeat(self._state[row][:, None], self._task.pack.cells, axis=1)

    def step(self, current_a: Floats) -> PackStep:
        """Advance every pack by one step of the task under `current_a[packs]`."""
        out = np.array([self._step_pack(pack, float(current_a[pack])) for pack in range(self.packs)]).T
        return PackStep(*out)

    def _step_pack(self, pack: int, current_a: float) -> Floats:
        out = np.zeros(rows.WEAR + 1)
        out[[rows.LOW_V, rows.LOW_K, rows.LOW_SOC, rows.ANODE_V]], out[[rows.HIGH_V, rows.HIGH_SOC]] = np.inf, -np.inf
        dt_s, cells = self._task.step_s / self._substeps, self._task.pack.cells
        cell_a = current_a / (self._task.pack.parallel * self._capacity[pack])
        cell_ah = abs(cell_a) * dt_s / HOUR_S
        for _ in range(self._substeps):
            voltage_v, soc, kelvin, anode_v, ocv_v = self._advance(pack, cell_a, dt_s)
            moved = abs(cell_a) * dt_s / (HOUR_S * self._cell.capacity_ah)
            depth = follow_charge(self._turns[pack], soc, rows.ROUNDING_SOC) - 0.5 * moved
            out[rows.WEAR] += step_wear(self._wear, ocv_v, kelvin, depth, cell_ah, dt_s)
            for row, value in ((rows.HIGH_V, voltage_v), (rows.HIGH_K, kelvin), (rows.HIGH_SOC, soc)):
                out[row] = max(out[row], value)
            for row, value in ((rows.LOW_V, voltage_v), (rows.LOW_K, kelvin), (rows.LOW_SOC, soc)):
                out[row] = min(out[row], value)
            if current_a < 0.0:
                out[rows.ANODE_V] = min(out[rows.ANODE_V], anode_v)
            out[rows.ENERGY_WH] += cells * voltage_v * current_a * dt_s / HOUR_S
            out[rows.CHARGE_AH] += abs(current_a) * dt_s / HOUR_S
        return out

    def _advance(self, pack: int, cell_a: float, dt_s: float) -> tuple[float, float, float, float, float]:
        """Return voltage, SoC, temperature, anode potential and open-circuit voltage after `dt_s` under `cell_a`."""
        kelvin = float(self._state[ecm.KELVIN, pack])
        scaled_a = cell_a * self._cells[pack].capacity_ah / self._cell.capacity_ah
        try:
            reading = self._cells[pack].step(scaled_a, kelvin, dt_s)
        except ArithmeticError:  # the electrodes have no lithium left, or no room: far outside every limit
            soc = 0.0 if cell_a > 0.0 else 1.0
            return ENDED_V, soc, kelvin, -ENDED_V, ENDED_V
        losses_v = self._resistance[pack] * (reading.surface_ocv_v - reading.voltage_v)
        voltage_v = reading.surface_ocv_v - losses_v
        heat_w = scaled_a * (reading.bulk_ocv_v - voltage_v)
        settled_k = self._ambient_k[pack] + heat_w / self._constants.cooling_w_k
        ratio = dt_s * self._constants.cooling_w_k / self._constants.heat_capacity_j_k
        kelvin = float(step_temperature(kelvin, settled_k, ratio))
        self._state[[ecm.SOC, ecm.VOLTAGE, ecm.KELVIN], pack] = reading.soc, voltage_v, kelvin
        return voltage_v, reading.soc, kelvin, reading.anode_v, reading.bulk_ocv_v
