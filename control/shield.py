"""The current that keeps every limit of a pack for one step ahead: a policy's action is projected into it (numba).

A shield of this kind corrects an action only as far as needed (Alshiekh et al. 2018, "Safe reinforcement learning via
shielding"). It predicts the extreme cells with the circuit of the cell file, aged as far as `ShieldSettings` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from twin.cell_table import OCV, R0, R1, R2, TAU1, TAU2, interpolate
from twin.numba_kernel import kernel
from twin.plating import look_up

if TYPE_CHECKING:
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats
    from twin.cell_parameters import CellParameters

HOUR_S: Final = 3600.0
REFERENCE_K: Final = 298.15
BISECTIONS: Final = 12
OCV_SLOPE_V: Final = 1.2  # the steepest open-circuit voltage within 10 to 90 % SoC, V a unit
# rows of the observation `seen[8, packs]`
LOW_SOC, HIGH_SOC, V1, V2, ABOVE_V, BELOW_V, LOW_K, HIGH_K = range(8)
AT_REST: Final = np.array([[0.5], [0.5], [0.0], [0.0], [0.0], [0.0], [REFERENCE_K], [REFERENCE_K]])
# rows of the settings
(LEAST_SOC, MOST_SOC, LEAST_V, MOST_V, MOST_K, LEAST_ANODE_V, CHARGE_A, DISCHARGE_A) = range(8)
(DT, ABREAST, CAPACITY, RESISTANCE, AMBIENT, OFFSET_V, ERROR_K, ERROR_SOC, CELL_AH, ARRHENIUS, HEAT, LOSS) = range(
    8, 20
)


@dataclass(frozen=True)
class ShieldSettings:
    """Limits to keep, margins included; `capacity` and `resistance`: the most aged pack that it must keep safe.

    `abreast`: parallel cells of the cell file; currents of the pack in A, `dt_s` how long an action stays.
    `offset_v`: the least distance assumed between an extreme cell and the circuit, as an aged cell hides its own while
    current flows. `soc_error`, `temperature_error_k`: by how much estimate and sensors may be wrong.
    """

    soc: tuple[float, float]
    voltage_v: tuple[float, float]
    high_k: float
    plating_v: float
    charge_a: float
    discharge_a: float
    dt_s: float
    abreast: float
    capacity: float = 0.8
    resistance: float = 1.6
    ambient_k: float = REFERENCE_K
    offset_v: float = 0.0
    temperature_error_k: float = 0.0
    soc_error: float = 0.0


def make_shield_settings(task: ControlTask, abreast: float) -> ShieldSettings:
    """Return the settings of the shield of a task for `abreast` parallel cells: limits less what sensors may hide."""
    limits, varies, share = task.limits, task.varies, abreast / task.pack.parallel
    margin_v = varies.voltage_bias_v + 3.0 * varies.voltage_noise_v
    (low_soc, high_soc), (low_v, high_v) = limits.soc, limits.voltage_v
    return ShieldSettings(
        soc=(low_soc + varies.soc_error, high_soc - varies.soc_error),
        voltage_v=(low_v + margin_v, high_v - margin_v),
        high_k=limits.high_k - varies.temperature_bias_k,
        temperature_error_k=varies.temperature_bias_k,
        soc_error=varies.soc_error,
        offset_v=OCV_SLOPE_V * varies.soc_error + margin_v,
        plating_v=limits.plating_v,
        charge_a=task.charge_a * share,
        discharge_a=task.discharge_a * share,
        dt_s=task.step_s,
        abreast=abreast,
        capacity=varies.capacity[0] * (1.0 - 3.0 * varies.capacity_spread),
        resistance=varies.resistance[1] * (1.0 + 3.0 * varies.resistance_spread),
        ambient_k=varies.ambient_degc[1] + 273.15,
    )


class Shield:
    """Projects pack currents into the range that the shield allows."""

    def __init__(self, cell: CellParameters, settings: ShieldSettings) -> None:
        thermal = cell.circuit.arrhenius_k, cell.circuit.heat_capacity_j_k, cell.circuit.cooling_w_k
        self._settings = np.array(
            [
                *settings.soc,
                *settings.voltage_v,
                settings.high_k,
                settings.plating_v,
                settings.charge_a,
                settings.discharge_a,
                settings.dt_s,
                settings.abreast,
                settings.capacity,
                settings.resistance,
                settings.ambient_k,
                settings.offset_v,
                settings.temperature_error_k,
                settings.soc_error,
                cell.capacity_ah,
                *thermal,
            ]
        )
        self._rows = cell.circuit.rows
        self._plating = cell.plating.anode_v, cell.plating.rates_c, cell.plating.kelvins
        self.find_range(AT_REST)  # compiles the kernel: that takes seconds, which no turn of a loop has

    def find_range(self, seen: Floats) -> Floats:
        """Return `[2, packs]`: the largest charge and discharge current (A, magnitudes) for what was `seen[8, packs]`.

        `seen`: lowest and highest SoC, both RC voltages of the mean cell, by how much the highest and the lowest cell
        are above and below the circuit (V), lowest and highest temperature (K). A NaN allows nothing.
        """
        allowed = np.zeros((2, seen.shape[1]))
        fill_ranges(seen, self._settings, self._rows, *self._plating, allowed)
        return allowed


@kernel
def fill_ranges(  # noqa: PLR0917  # a kernel takes arrays, not records
    seen: Floats, settings: Floats, rows: Floats, anode_v: Floats, rates_c: Floats, kelvins: Floats, allowed: Floats
) -> None:
    """Fill `allowed[2, packs]` with the charge and discharge current of each pack."""
    p = np.empty(rows.shape[0])
    for pack in range(seen.shape[1]):
        for side in range(2):
            sign = -1.0 if side == 0 else 1.0
            most_a = settings[CHARGE_A] if side == 0 else settings[DISCHARGE_A]
            low_a, high_a = 0.0, most_a
            if keeps(seen, pack, sign * most_a, settings, rows, anode_v, rates_c, kelvins, p):
                low_a = most_a
            else:
                for _ in range(BISECTIONS):
                    middle_a = 0.5 * (low_a + high_a)
                    if keeps(seen, pack, sign * middle_a, settings, rows, anode_v, rates_c, kelvins, p):
                        low_a = middle_a
                    else:
                        high_a = middle_a
            allowed[side, pack] = low_a


@kernel
def keeps(  # noqa: PLR0911, PLR0917  # one limit after the other; arrays, not records
    seen: Floats,
    pack: int,
    current_a: float,
    settings: Floats,
    rows: Floats,
    anode_v: Floats,
    rates_c: Floats,
    kelvins: Floats,
    p: Floats,
) -> bool:
    """Return whether a pack under `current_a` keeps every limit at the end of the step."""
    dt, charges = settings[DT], current_a < 0.0
    cell_a = current_a / settings[ABREAST]
    change = cell_a * dt / HOUR_S / (settings[CELL_AH] * settings[CAPACITY])
    soc = seen[HIGH_SOC if charges else LOW_SOC, pack] - change
    if charges and not soc <= settings[MOST_SOC]:
        return False
    if not charges and not soc >= settings[LEAST_SOC]:
        return False
    interpolate(rows, soc, p)
    cold = np.exp(settings[ARRHENIUS] * (1.0 / seen[LOW_K, pack] - 1.0 / REFERENCE_K))
    a1, a2 = np.exp(-dt / p[TAU1]), np.exp(-dt / p[TAU2])
    ohm = settings[RESISTANCE] * (p[R0] * cold + p[R1] * (1.0 - a1)) + p[R2] * (1.0 - a2)
    middle_v = p[OCV] - a1 * seen[V1, pack] - a2 * seen[V2, pack] - ohm * cell_a
    above_v, below_v = max(seen[ABOVE_V, pack], settings[OFFSET_V]), max(seen[BELOW_V, pack], settings[OFFSET_V])
    if charges and not middle_v + above_v <= settings[MOST_V]:
        return False
    if not charges and not middle_v - below_v >= settings[LEAST_V]:
        return False
    heat_w = cell_a * cell_a * settings[RESISTANCE] * (p[R0] + p[R1] + p[R2])
    settled_k = max(settings[AMBIENT], seen[HIGH_K, pack]) + heat_w / settings[LOSS]
    fade = np.exp(-dt * settings[LOSS] / settings[HEAT])
    warm_k = settled_k + (seen[HIGH_K, pack] - settled_k) * fade
    if not (warm_k <= settings[MOST_K] or heat_w == 0.0):
        return False
    if not charges:
        return True
    rate_c = -cell_a / (settings[CELL_AH] * settings[CAPACITY])
    cold_k = seen[LOW_K, pack] - settings[ERROR_K]
    for place in (seen[LOW_SOC, pack] - settings[ERROR_SOC], soc + settings[ERROR_SOC]):  # where it begins and ends
        if not look_up(anode_v, rates_c, kelvins, rate_c, cold_k, place) >= settings[LEAST_ANODE_V]:
            return False
    return True
