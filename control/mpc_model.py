"""The pack model of the MPC: one 2RC cell, its limit violations over the horizon, and the current its heat allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, cast

from twin import casadi_functions as sy

CAPACITY_AH: Final = 5.0
# Chen2020 cell of that: open-circuit voltage as a polynomial of 2 soc - 1 (18 mV worst, the offset is observed and
# cancels), 2RC from the answer of PyBaMM's SPMe to 1C at 62 %, heat of an M50 in still air.
OCV_V: Final = (3.7509, 0.41941, 0.08249, 0.37969, 0.02806, -1.08998, -0.42279, 1.05347)
R0_OHM, R1_OHM, R2_OHM = 0.0238, 0.0043, 0.0185
TAU1_S, TAU2_S = 12.8, 96.8
HEAT_J_K, LOSS_W_K = 61.0, 0.053

# One unit of slack, so that all families weigh alike.
UNIT_V, UNIT_SOC = 0.01, 0.01
FAMILIES: Final = 4  # highest voltage, lowest voltage, SoC above, SoC below
APPROACH_S: Final = 60.0  # time in which the temperature may rise to its limit


@dataclass(frozen=True)
class MpcLimits:
    """Limits that the MPC keeps: cell voltages in V, SoC as fractions, temperature in K."""

    low_v: float
    high_v: float
    low_soc: float
    high_soc: float
    high_k: float


def count_parallel_cells(parallel: int, cell_ah: float) -> float:
    """Return how many cells of `CAPACITY_AH` one series element of the declared pack equals.

    Resistance falls and heat capacity grows with capacity, whether a cell is larger or there are more of them.
    """
    return parallel * cell_ah / CAPACITY_AH


def ocv_v(soc: Any) -> Any:
    """Return the open-circuit voltage of the mean cell; `soc` is a number or an expression (Horner)."""
    x, value = 2.0 * soc - 1.0, OCV_V[-1]
    for coefficient in reversed(OCV_V[:-1]):
        value = value * x + coefficient
    return value


def compute_excess(
    horizon: int, step_s: float, parallel: int, cell_ah: float, limits: MpcLimits
) -> tuple[Any, Any, Any]:
    """Return `(u, x, g)`: pack currents `u[horizon]`, start `x[5]`, and `g[4 horizon]`, by how much they break limits.

    `x` is soc, both RC voltages, and how far the highest and lowest cell are from the model (V). `g <= 0` keeps the
    limits; `g` is family by family, in units of slack.
    """
    currents, start = sy.symbol("u", horizon), sy.symbol("x", 5)
    soc, v1, v2, above_v, below_v = (start[n] for n in range(5))
    fade1, fade2 = _fade(step_s, TAU1_S), _fade(step_s, TAU2_S)
    abreast = count_parallel_cells(parallel, cell_ah)
    families: list[list[Any]] = [[] for _ in range(FAMILIES)]
    for k in range(horizon):
        cell_a = currents[k] / abreast
        soc = soc - cell_a * step_s / (3600.0 * CAPACITY_AH)
        v1 = fade1 * v1 + (1.0 - fade1) * R1_OHM * cell_a
        v2 = fade2 * v2 + (1.0 - fade2) * R2_OHM * cell_a
        drop_v = R0_OHM * cell_a + v1 + v2
        voltage_v = ocv_v(soc) - drop_v
        families[0].append((voltage_v + above_v - limits.high_v) / UNIT_V)
        families[1].append((limits.low_v - voltage_v - below_v) / UNIT_V)
        families[2].append((soc - limits.high_soc) / UNIT_SOC)
        families[3].append((limits.low_soc - soc) / UNIT_SOC)
    broken = cast("Any", sy.vertcat(*(g for family in families for g in family)))  # CasADi's stubs leave it open
    return currents, start, broken


def coolest_a(kelvin: float, ambient_k: float, high_k: float, abreast: float) -> float:
    """Return the pack current, in either direction, whose heat brings the hottest cell to `high_k` and no further.

    It is a bound, not a constraint of the plan: heat grows with the current squared, so the linearised plan could cool
    a warm cell by charging it; and over seconds the temperature hardly changes.
    """
    room_w = HEAT_J_K / APPROACH_S * (high_k - kelvin) + LOSS_W_K * (high_k - ambient_k)
    return abreast * math.sqrt(max(0.0, room_w) / (R0_OHM + R1_OHM + R2_OHM))


def linearise(currents: Any, start: Any, broken: Any) -> sy.CompiledFunction:
    """Return `g` and its Jacobian over the currents, evaluated in place: inputs u, x; outputs g, dg/du."""
    slope = cast("Any", sy.jacobian(broken, currents))
    inputs, outputs = {"u": currents, "x": start}, {"g": sy.dense(broken), "dg": sy.dense(slope)}
    return sy.CompiledFunction(sy.function("mpc_excess", inputs, outputs))


class Polarisation:
    """Both RC voltages of the mean cell (V), stepped with the measured current."""

    def __init__(self, abreast: float) -> None:
        self._abreast = abreast
        self.v1 = self.v2 = 0.0

    def step(self, current_a: float, dt_s: float) -> float:
        """Advance by `dt_s`; return the whole voltage drop of the cell under `current_a` (A of the pack)."""
        cell_a = current_a / self._abreast
        fade1, fade2 = _fade(dt_s, TAU1_S), _fade(dt_s, TAU2_S)
        self.v1 = fade1 * self.v1 + (1.0 - fade1) * R1_OHM * cell_a
        self.v2 = fade2 * self.v2 + (1.0 - fade2) * R2_OHM * cell_a
        return R0_OHM * cell_a + self.v1 + self.v2


def _fade(dt_s: float, tau_s: float) -> float:
    return math.exp(-dt_s / tau_s)
