"""Model predictive control: follows the duty as far as voltage, SoC, temperature and BMS allow over the next seconds.

Real-time iteration (Diehl 2005): each solve linearises once around the last plan, and PIQP solves that quadratic
program. Limits are soft, so a plan always exists; the range that the BMS and the temperature allow is hard.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import piqp

from control import mpc_model as model
from control.bumpless import BumplessOutput, is_outside
from control.current_profile import CurrentProfile, read_current_profile
from control.ports import CurrentRange, Plan
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control.ports import Controller, Decision
    from drivers.snapshot import Estimate, Floats, PackReading
    from twin.ports import PackSpec

SETTINGS: Final = (  # that a bench file may give
    *("file", "repeat", "voltage_v", "soc"),
    *("temperature_degc", "horizon", "step_s", "every_s"),
)
PRICED_AT: Final = 12.0  # parallel cells of 5 Ah of the pack that these prices are for; other packs are scaled to it
SMOOTH: Final = 1e-4  # weight of the squared step between neighbours, against the squared tracking error, both in A^2
SLACK: Final = (2e3, 2e3)  # linear and quadratic price of one unit of slack
ZERO_C_K: Final = 273.15
OBSERVE_S: Final = 2.0  # time constant of the observed distance of the extreme cells from the model
UNBOUND_A: Final = 1e4
BROKEN: Final = 0.05  # of a unit of slack: 0.5 mV
BROKEN_K: Final = 0.1


class MpcPlan:
    """The quadratic program over `horizon` currents and one slack per family; linearised around its last solution."""

    def __init__(self, horizon: int, step_s: float, parallel: int, cell_ah: float, limits: model.MpcLimits) -> None:
        self.step_s = step_s
        self.current_a = np.zeros(horizon)
        self.slack = np.zeros(model.FAMILIES)
        self.high_k = limits.high_k
        self._excess = model.linearise(*model.compute_excess(horizon, step_s, parallel, cell_ah, limits))
        slacks = np.eye(model.FAMILIES) * 2.0 * SLACK[1]
        self._tracks = 2.0 * (PRICED_AT / model.count_parallel_cells(parallel, cell_ah)) ** 2
        self._cost = np.asfortranarray(
            np.block(
                [
                    [
                        self._tracks * (np.eye(horizon) + SMOOTH * _differences(horizon)),
                        np.zeros((horizon, model.FAMILIES)),
                    ],
                    [np.zeros((model.FAMILIES, horizon)), slacks],
                ]
            )
        )
        relief = -np.repeat(np.eye(model.FAMILIES), horizon, axis=0)
        self._rows = np.asfortranarray(np.hstack([np.zeros((model.FAMILIES * horizon, horizon)), relief]))
        self._solver: Any = piqp.DenseSolver()
        self._ready = False

    def solve(self, start: Floats, profile_a: Floats, allowed: CurrentRange) -> bool:
        """Improve the plan by one iteration from `start[5]` towards `profile_a[horizon]`.

        Return False if no solution was found: the plan is 0 A then, and the next solve sets the solver up again.
        """
        horizon = len(self.current_a)
        self._excess.inputs[0][:], self._excess.inputs[1][:] = self.current_a, start
        broken, slope = self._excess()
        self._rows[:, :horizon] = slope
        linear = np.concatenate([-self._tracks * profile_a, np.full(model.FAMILIES, SLACK[0])])
        above = slope @ self.current_a - broken
        charge_a, discharge_a = (min(max(0.0, a), UNBOUND_A) for a in (allowed.charge_a, allowed.discharge_a))
        low = np.concatenate([np.full(horizon, -charge_a), np.zeros(model.FAMILIES)])
        high = np.concatenate([np.full(horizon, discharge_a), np.full(model.FAMILIES, np.inf)])
        if self._ready:
            self._solver.update(c=linear, G=self._rows, h_u=above, x_l=low, x_u=high)
        else:
            self._solver.setup(self._cost, linear, G=self._rows, h_u=above, x_l=low, x_u=high)
            self._ready = True
        solved = self._solver.solve() == piqp.PIQP_SOLVED
        self._ready = solved
        solution = np.array(self._solver.result.x) if solved else np.zeros(horizon + model.FAMILIES)
        self.current_a = np.clip(solution[:horizon], -charge_a, discharge_a)  # it solves to a tolerance
        self.slack = solution[horizon:]
        return solved


class MpcController:
    """Solves every `every_s`; in between, the first current of the plan stays. Limits hold for the extreme cells.

    SoC is the mean over the cells. The controller observes how far the highest and the lowest cell are from the model,
    which covers the differences between cells. Slack in use counts as a violation. Without a measurement, or if no plan
    is found, it requests 0 A, and that counts as a violation too.
    """

    def __init__(self, profile: CurrentProfile, plan: MpcPlan, pack: PackSpec, step_s: float, every_s: float) -> None:
        self._profile, self._plan, self._pack = profile, plan, pack
        self._abreast = model.count_parallel_cells(pack.parallel, pack.cell_ah)
        # the plan's first current stays for `every_s`: aim at the middle of that, or it lags behind the duty
        self._ahead_s: Floats = np.arange(len(plan.current_a), dtype=np.float64) * step_s + every_s / 2
        self._every_s, self._since_s = every_s, math.inf
        self._t_s = self._requested_a = 0.0
        self._planned = self._waits = True
        self._polarisation = model.Polarisation(self._abreast)
        self._off_v: Floats = np.zeros(2)  # highest and lowest cell above the model
        self._follows = False
        self._output = BumplessOutput()

    @property
    def plan_ahead(self) -> Plan:
        return Plan(self._plan.step_s, tuple(self._plan.current_a.tolist()))

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
        soc, kelvin = estimate.pack_soc, float(reading.temperature_k.max())
        now_s, self._t_s = self._t_s, self._t_s + dt_s
        profile_a = self._profile.now(now_s)
        begins, self._waits = self._waits and dt_s > 0.0, dt_s == 0.0
        self._since_s = math.inf if begins else self._since_s + dt_s  # an earlier plan is for another time
        is_known = self._observe(reading, soc, dt_s) and math.isfinite(kelvin)
        if not is_known:
            self._requested_a, self._since_s = 0.0, math.inf
        elif self._since_s >= self._every_s * 0.999:  # a sum of periods is not exact
            self._since_s = 0.0
            profile = self._profile.at(now_s + self._ahead_s)
            self._planned = self._plan.solve(self._start(soc), profile, self._cool(kelvin, allowed))
            self._requested_a = float(self._plan.current_a[0])
        current_a = self._output.current(self._requested_a, allowed, dt_s)
        broken = not (is_known and self._planned) or bool(self._plan.slack.max() > BROKEN)
        broken = broken or is_outside(self._requested_a, allowed) or kelvin > self._plan.high_k + BROKEN_K
        return self._output.decision(current_a, current_a - profile_a, dt_s, broken=broken)

    def take_over(self, current_a: float) -> None:
        self._output.take_over(current_a)

    def _observe(self, reading: PackReading, soc: float, dt_s: float) -> bool:
        """Update the distance of the extreme cells from the model; return False if an input is not a number.

        Until a run's first turn a measurement counts at once: values of cells unpowered until arming must not remain.
        """
        extremes_v = np.array([reading.voltage_v.max(), reading.voltage_v.min()])
        if not (np.isfinite(extremes_v).all() and math.isfinite(reading.current_a) and math.isfinite(soc)):
            return False
        drop_v = self._polarisation.step(reading.current_a, dt_s)
        now_v = extremes_v - (model.ocv_v(soc) - drop_v)
        share = 1.0 - math.exp(-dt_s / OBSERVE_S) if self._follows else 1.0
        self._off_v = self._off_v + share * (now_v - self._off_v)
        self._follows = dt_s > 0.0
        return True

    def _start(self, soc: float) -> Floats:
        return np.array([soc, self._polarisation.v1, self._polarisation.v2, *self._off_v])

    def _cool(self, kelvin: float, allowed: CurrentRange) -> CurrentRange:
        """Return `allowed`, reduced so that the hottest cell keeps its limit."""
        most_a = model.coolest_a(kelvin, self._pack.ambient_k, self._plan.high_k, self._abreast)
        return CurrentRange(min(allowed.charge_a, most_a), min(allowed.discharge_a, most_a))


def build(pack: PackSpec, settings: Mapping[str, Any]) -> Controller:
    """Build the controller.

    Settings: `file` (the duty), limits `voltage_v`, `soc` and `temperature_degc`; `horizon`, `step_s`, `every_s`.
    """
    low_v, high_v = _pair(settings, "voltage_v", (3.0, 4.18))
    low_soc, high_soc = _pair(settings, "soc", (0.05, 0.95))
    high_k = float(settings.get("temperature_degc", 45.0)) + ZERO_C_K
    limits = model.MpcLimits(low_v, high_v, low_soc, high_soc, high_k)
    step_s, every_s = float(settings.get("step_s", 0.5)), float(settings.get("every_s", 0.1))
    plan = MpcPlan(int(settings.get("horizon", 24)), step_s, pack.parallel, pack.cell_ah, limits)
    return MpcController(read_current_profile(settings), plan, pack, step_s, every_s)


def _pair(settings: Mapping[str, Any], key: str, default: tuple[float, float]) -> tuple[float, float]:
    value: Any = settings.get(key, default)
    try:
        low, high = (float(bound) for bound in value)
    except (TypeError, ValueError):
        low = high = math.nan
    if not low < high:
        raise BenchFileError(
            "MPC needs a lower and an upper limit", key=key, value=value, hint=f"set {key} = [low, high]"
        )
    return low, high


def _differences(horizon: int) -> Floats:
    """Return `D^T D` of the steps between neighbours."""
    step = np.diff(np.eye(horizon), axis=0)
    return step.T @ step
