"""One stage of the MPC in CasADi: how a cell goes on for one step, how far it breaks its limits, and what that costs.

State: SoC, both RC voltages (V), temperature (K), depth of the present half cycle (fraction). Input: discharge and
charge, both >= 0 and in C of the new cell, so that the price of an Ah is linear in them. Everything is that of the mean
cell; what the extreme cells differ from it is in the limits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, cast

from twin import casadi_functions as sy
from twin import wear
from twin.cell_table import OCV, R0, R1, R2, TAU1, TAU2
from twin.smooth_cell import fit_cell

if TYPE_CHECKING:
    from twin.cell_parameters import CellParameters

HOUR_S: Final = 3600.0
SOC, V1, V2, KELVIN, DEPTH = range(5)
STATES, INPUTS = 5, 2
UNIT_V, UNIT_K, UNIT_SOC = (
    0.01,
    0.1,
    0.001,
)  # one unit of slack; slow values have small ones, or a short plan ignores them
HELD: Final = 1e-4  # price of a squared input: it keeps discharge and charge from growing together


class StageData(IntEnum):
    """Rows of what one stage is given, in units of the cost.

    `REFERENCE_C` is followed with `WEIGHT_C`, `REFERENCE_W` (W per Ah of the cell) with `WEIGHT_W`. Prices of energy
    are of one Wh per Ah: `STORE` of what is stored at the start, `LOSS` of heat, `CONVERTER` of what flows either way.
    `WEAR` is the price of all capacity. `IDLE` is a price of any current. `GOES_ON` says
    that the half cycle of the stage began before, `ENDS` that it ends with this stage.
    """

    REFERENCE_C = 0
    WEIGHT_C = 1
    REFERENCE_W = 2
    WEIGHT_W = 3
    STORE = 4
    LOSS = 5
    CONVERTER = 6
    WEAR = 7
    IDLE = 8
    GOES_ON = 9
    ENDS = 10


class StageLimits(IntEnum):
    """Rows of the limits of the mean cell; `AMBIENT_K`: of the surroundings, `COLD_K`: how much colder a cell is."""

    HIGH_V = 0
    LOW_V = 1
    HIGH_K = 2
    HIGH_SOC = 3
    LOW_SOC = 4
    ANODE_V = 5
    AMBIENT_K = 6
    COLD_K = 7


FAMILY: Final = (0, 0, 1, 2, 2, 3)  # of each limit: which slack relieves it
SLACKS: Final = ("voltage", "temperature", "SoC", "plating margin")


@dataclass(frozen=True)
class ModelSettings:
    """The cell that the model assumes: `capacity` and `resistance` are shares of a new one."""

    cell: CellParameters
    step_s: float
    capacity: float = 1.0
    resistance: float = 1.0


@dataclass(frozen=True)
class MpcLimits:
    """Limits that the MPC keeps: cell voltages in V, SoC as fractions, temperature in K, least anode potential in V."""

    low_v: float
    high_v: float
    low_soc: float
    high_soc: float
    high_k: float
    anode_v: float = -1.0

    def narrow(self, above_v: float, below_v: float, above_soc: float, below_soc: float) -> MpcLimits:
        """Return the limits of the mean cell, where the extreme cells are that far above and below it."""
        return replace(
            self,
            low_v=self.low_v + below_v,
            high_v=self.high_v - above_v,
            low_soc=self.low_soc + below_soc,
            high_soc=self.high_soc - above_soc,
        )

    def list_rows(self, ambient_k: float, cold_k: float) -> tuple[float, ...]:
        """Return the rows of `StageLimits`."""
        return (
            *(self.high_v, self.low_v, self.high_k, self.high_soc),
            *(self.low_soc, self.anode_v, ambient_k, cold_k),
        )


@dataclass(frozen=True)
class StageExpressions:
    """The symbols of a stage and what follows: next state, excess over the limits (units of slack), cost.

    The cost is `sum(weights residuals^2) + economy`.
    """

    state: Any
    inputs: Any
    data: Any
    limits: Any
    next_state: Any
    excess: Any
    residuals: Any
    weights: Any
    economy: Any


def build_stage(settings: ModelSettings) -> StageExpressions:
    """Return one stage of `settings.step_s`."""
    cell, smooth, any_sy = settings.cell, fit_cell(settings.cell), cast("Any", sy)
    x, u = sy.symbol("x", STATES), sy.symbol("u", INPUTS)
    p, m = sy.symbol("p", len(StageData)), sy.symbol("m", len(StageLimits))
    dt, hours = settings.step_s, settings.step_s / HOUR_S
    rate_c, flow_c = u[0] - u[1], u[0] + u[1]
    aged_c, hours_aged = rate_c / settings.capacity, hours / settings.capacity
    cell_a = cell.capacity_ah * aged_c  # an aged cell behaves as a new one under more current
    rows = smooth.compute_rows(x[SOC], any_sy.exp)
    r1_ohm, r2_ohm = settings.resistance * rows[R1], rows[R2]
    r0_ohm = settings.resistance * rows[R0] * smooth.scale_r0(x[KELVIN], any_sy.exp)
    fade1, fade2 = any_sy.exp(-dt / rows[TAU1]), any_sy.exp(-dt / rows[TAU2])
    soc = x[SOC] - hours * aged_c
    v1 = fade1 * x[V1] + (1.0 - fade1) * r1_ohm * cell_a
    v2 = fade2 * x[V2] + (1.0 - fade2) * r2_ohm * cell_a
    drop_v = r0_ohm * cell_a + v1 + v2
    squared = u[0] ** 2 + u[1] ** 2
    heat_w = (r0_ohm + r1_ohm + r2_ohm) * (cell.capacity_ah / settings.capacity) ** 2 * squared
    settled_k = m[StageLimits.AMBIENT_K] + heat_w / cell.circuit.cooling_w_k
    cools = any_sy.exp(-dt * cell.circuit.cooling_w_k / cell.circuit.heat_capacity_j_k)
    kelvin = settled_k + cools * (x[KELVIN] - settled_k)
    depth = p[StageData.GOES_ON] * x[DEPTH] + hours_aged * flow_c  # what flows the other way counts too, too much
    voltage_v = smooth.compute_ocv(soc) - drop_v
    anode_v = smooth.compute_anode(soc, u[1] / settings.capacity, kelvin - m[StageLimits.COLD_K])
    excess = any_sy.vertcat(
        (voltage_v - m[StageLimits.HIGH_V]) / UNIT_V,
        (m[StageLimits.LOW_V] - voltage_v) / UNIT_V,
        (kelvin - m[StageLimits.HIGH_K]) / UNIT_K,
        (soc - m[StageLimits.HIGH_SOC]) / UNIT_SOC,
        (m[StageLimits.LOW_SOC] - soc) / UNIT_SOC,
        (m[StageLimits.ANODE_V] - anode_v) / UNIT_V,
    )
    wears = cell.wear.linearise(cell.capacity_ah)
    # a half cycle of depth D costs the integral of its depth over the charge that moves: D^2 / 2 of all capacity
    deepens = 0.5 * wears[wear.CYCLING_DEPTH] * cell.capacity_ah
    residuals = any_sy.vertcat(rate_c - p[StageData.REFERENCE_C], voltage_v * rate_c - p[StageData.REFERENCE_W], depth)
    weights = any_sy.vertcat(
        p[StageData.WEIGHT_C], p[StageData.WEIGHT_W], p[StageData.ENDS] * p[StageData.WEAR] * deepens
    )
    ages = wear.rate_calendar(wears, rows[OCV], x[KELVIN], any_sy.exp) * dt
    ages += wear.rate_cycling(wears, rows[OCV], 0.0) * flow_c * cell.capacity_ah * hours_aged
    economy = p[StageData.STORE] * settings.capacity * smooth.compute_energy(x[SOC])
    economy += hours * (p[StageData.LOSS] * drop_v * rate_c + p[StageData.CONVERTER] * rows[OCV] * flow_c)
    economy += p[StageData.WEAR] * ages + p[StageData.IDLE] * flow_c + HELD * squared
    next_state = any_sy.vertcat(soc, v1, v2, kelvin, depth)
    return StageExpressions(x, u, p, m, next_state, excess, residuals, weights, economy)


def build_step(stage: StageExpressions) -> sy.Function:
    """Return `(state, inputs, data, limits)` to the next state, as a function."""
    return sy.function("mpc_step", _name_inputs(stage), {"next": sy.dense(stage.next_state)})


def build_stage_function(stage: StageExpressions) -> sy.Function:
    """Return the same to next state, excess and cost: what a solver of the whole problem needs."""
    cost = cast("Any", sy).dot(stage.weights, stage.residuals**2) + stage.economy
    outputs = {"next": stage.next_state, "excess": stage.excess, "cost": cost}
    return sy.function("mpc_stage", _name_inputs(stage), {name: sy.dense(value) for name, value in outputs.items()})


def build_linear_stage(stage: StageExpressions) -> sy.Function:
    """Return the same to excess, slopes `[5 + 6, 7]` of next state and excess, gradient `[7]` and Hessian `[7, 7]`.

    Slopes and Hessian are sparse; of the Hessian, the upper triangle.

    The Hessian is that of the squared residuals (Gauss-Newton) and the convex part of the rest: the concave part is
    only linearised, so that each quadratic program is an upper bound (Lipp and Boyd 2016, convex-concave procedure).
    """
    any_sy = cast("Any", sy)
    z = any_sy.vertcat(stage.state, stage.inputs)
    slopes = any_sy.jacobian(any_sy.vertcat(stage.next_state, stage.excess), z)
    of_residuals = any_sy.jacobian(stage.residuals, z)
    economic = any_sy.gradient(stage.economy, z)
    weighted = any_sy.mtimes(of_residuals.T, any_sy.diag(2.0 * stage.weights))
    gradient = any_sy.mtimes(weighted, stage.residuals) + economic
    hessian = any_sy.mtimes(weighted, of_residuals)
    bends = [any_sy.fmax(0.0, any_sy.jacobian(economic[n], z[n])) for n in range(STATES + 1)]
    for n in range(STATES):
        hessian[n, n] += bends[n]
    first, second = STATES, STATES + 1  # only their difference flows
    for row, column, sign in ((first, first, 1.0), (second, second, 1.0), (first, second, -1.0), (second, first, -1.0)):
        hessian[row, column] += sign * bends[STATES]
    for n in (first, second):
        hessian[n, n] += HELD
    results = sy.share([sy.dense(stage.excess), slopes, sy.dense(gradient), any_sy.triu(hessian)])
    names = ("excess", "slopes", "gradient", "hessian")
    return sy.function("mpc_linear", _name_inputs(stage), dict(zip(names, results, strict=True)))


def _name_inputs(stage: StageExpressions) -> dict[str, Any]:
    return {"x": stage.state, "u": stage.inputs, "p": stage.data, "m": stage.limits}
