"""Many packs at once on the equivalent circuits of the ECM twin: what a task sees of them in each step (numba)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from twin import ecm
from twin.cell_table import OCV
from twin.half_cycles import follow_charge, make_turns
from twin.numba_kernel import kernel
from twin.plating import look_up
from twin.wear import step_wear

if TYPE_CHECKING:
    from control.tasks.episodes import Episodes
    from control.tasks.task import ControlTask
    from drivers.snapshot import Columns, Floats

HOUR_S: Final = 3600.0
ROUNDING_SOC: Final = 1e-6  # a charge that comes back by less has not turned
ENERGY_WH, CHARGE_AH, HIGH_V, LOW_V, HIGH_K, LOW_K, HIGH_SOC, LOW_SOC, ANODE_V, WEAR = range(10)


class PackStep(NamedTuple):
    """What happened in one step, one entry a pack.

    `energy_wh` at the terminals (discharge positive), `charge_ah` through them (magnitude); the highest and lowest cell
    voltage and temperature, SoC and anode potential within the step; `wear`: the mean fraction of capacity lost.
    """

    energy_wh: Floats
    charge_ah: Floats
    high_v: Floats
    low_v: Floats
    high_k: Floats
    low_k: Floats
    high_soc: Floats
    low_soc: Floats
    anode_v: Floats
    wear: Floats


class PackBatch:
    """The packs of some episodes; `state[5, packs x cells]` as in `twin.ecm`."""

    def __init__(self, task: ControlTask, episodes: Episodes) -> None:
        cell = task.cell
        self.cells, self._pack_ah = task.pack.cells, task.pack_ah
        self.ambient_k = episodes.ambient_k.copy()
        self._substeps = max(1, round(task.step_s / task.substep_s))
        self._scale = np.zeros((2, episodes.soc0.size))
        self.state = np.zeros((5, episodes.soc0.size))
        self._turns = make_turns(np.zeros(episodes.packs))
        thermal = (cell.circuit.arrhenius_k, cell.circuit.cooling_w_k, cell.circuit.heat_capacity_j_k)
        dt_s = task.step_s / self._substeps
        self._settings = np.array([dt_s, 0.0, HOUR_S * cell.capacity_ah, *thermal])
        self._rows = cell.circuit.rows
        self._plating = cell.plating.anode_v, cell.plating.rates_c, cell.plating.kelvins
        self._wear = cell.wear.linearise(cell.capacity_ah)
        self._capacity_ah = cell.capacity_ah
        self._out = np.zeros((WEAR + 1, episodes.packs))
        self.restart(np.arange(episodes.packs), episodes)

    @property
    def packs(self) -> int:
        return len(self.ambient_k)

    def restart(self, packs: Columns, episodes: Episodes) -> None:
        """Let `packs` begin again as the `episodes`, at rest."""
        own = (packs[:, None] * self.cells + np.arange(self.cells)).ravel()
        soc0, parallel = episodes.soc0.ravel(), self._pack_ah / self._capacity_ah
        self._scale[0, own] = 1.0 / (parallel * episodes.capacity.ravel())
        self._scale[1, own] = episodes.resistance.ravel()
        self.ambient_k[packs] = episodes.ambient_k
        self.state[:, own] = 0.0
        self.state[ecm.SOC, own], self.state[ecm.KELVIN, own] = soc0, np.repeat(episodes.ambient_k, self.cells)
        self.state[ecm.VOLTAGE, own] = np.interp(soc0, np.linspace(0.0, 1.0, self._rows.shape[1]), self._rows[OCV])
        self._turns[packs] = make_turns(episodes.soc0.mean(axis=1))

    def step(self, current_a: Floats) -> PackStep:
        """Advance every pack by one step of the task under `current_a[packs]`."""
        step_packs(
            self.state,
            self._turns,
            current_a,
            self.ambient_k,
            self._scale,
            self._rows,
            self._settings,
            *self._plating,
            self._wear,
            self._capacity_ah,
            self.cells,
            self._substeps,
            self._out,
        )
        return PackStep(*self._out.copy())

    def list_arrays(self) -> dict[str, Floats]:
        """Return the arrays, not copies, that the next steps depend on."""
        return {"state": self.state, "turns": self._turns, "scale": self._scale, "ambient_k": self.ambient_k}

    def read(self, row: int) -> Floats:
        """Return one row of the state, as `[packs, cells]`: `twin.ecm.SOC`, `VOLTAGE`, `KELVIN`, `V1`, `V2`."""
        return self.state[row].reshape(self.packs, self.cells)


@kernel
def step_packs(  # noqa: PLR0917  # the kernel takes arrays, not records
    state: Floats,
    turns: Floats,
    current_a: Floats,
    ambient_k: Floats,
    scale: Floats,
    rows: Floats,
    settings: Floats,
    anode_v: Floats,
    rates_c: Floats,
    kelvins: Floats,
    wear: Floats,
    capacity_ah: float,
    cells: int,
    substeps: int,
    out: Floats,
) -> None:
    """Advance all packs by `substeps` of `settings[DT]`; fill `out[10, packs]`, see `PackStep`."""
    dt_s = settings[ecm.DT]
    p = np.empty(rows.shape[0])
    for pack in range(len(current_a)):
        i = current_a[pack]
        out[:, pack] = 0.0
        out[LOW_V, pack] = out[LOW_K, pack] = out[LOW_SOC, pack] = out[ANODE_V, pack] = np.inf
        out[HIGH_V, pack] = out[HIGH_SOC, pack] = -np.inf
        first = pack * cells
        mean_soc = np.mean(state[ecm.SOC, first : first + cells])
        moves = -i * np.mean(scale[ecm.SCALE, first : first + cells]) * dt_s / settings[ecm.CAPACITY_AS]
        for _ in range(substeps):
            pack_v = 0.0
            mean_soc += moves
            depth = follow_charge(turns[pack], mean_soc, ROUNDING_SOC) - 0.5 * abs(moves)  # on the way there
            for n in range(first, first + cells):
                ecm.advance_cell(state, n, i, ambient_k[pack], scale, rows, settings, p)
                soc, kelvin, voltage = state[ecm.SOC, n], state[ecm.KELVIN, n], state[ecm.VOLTAGE, n]
                cell_a = i * scale[ecm.SCALE, n]
                pack_v += voltage
                cell_ah = abs(cell_a) * dt_s / HOUR_S
                out[WEAR, pack] += step_wear(wear, p[OCV], kelvin, depth, cell_ah, dt_s) / cells
                anode = look_up(anode_v, rates_c, kelvins, -cell_a / capacity_ah, kelvin, soc) if i < 0.0 else np.inf
                out[HIGH_V, pack] = max(out[HIGH_V, pack], voltage)
                out[LOW_V, pack] = min(out[LOW_V, pack], voltage)
                out[HIGH_K, pack] = max(out[HIGH_K, pack], kelvin)
                out[LOW_K, pack] = min(out[LOW_K, pack], kelvin)
                out[HIGH_SOC, pack] = max(out[HIGH_SOC, pack], soc)
                out[LOW_SOC, pack] = min(out[LOW_SOC, pack], soc)
                out[ANODE_V, pack] = min(out[ANODE_V, pack], anode)
            out[ENERGY_WH, pack] += pack_v * i * dt_s / HOUR_S
            out[CHARGE_AH, pack] += abs(i) * dt_s / HOUR_S
