"""Model predictive control of a pack: a lane that follows the duty as far as the limits allow over the next seconds.

`MpcController` is the same on the bench and on the tasks (`control.task_mpc`): it observes the pack, improves its plan
once a sample, and requests the first current of it, or what `control.mpc_fallback` chooses where there is no new plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from control.bumpless import BumplessOutput, is_outside
from control.current_profile import read_current_profile
from control.mpc_fallback import FallbackChain
from control.mpc_goal import mark_half_cycles, track_current
from control.mpc_model import ModelSettings, MpcLimits, StageData
from control.mpc_observer import PackObserver
from control.mpc_plan import InputRange, MpcPlan
from control.ports import CurrentRange, Fallback, Plan
from control.shield import Shield, ShieldSettings
from drivers.errors import BenchFileError
from twin.cell_parameters import ZERO_C_K
from twin.cell_table import R0, R1, R2
from twin.plating import NO_LIMIT_V

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from control.current_profile import CurrentProfile
    from control.mpc_fallback import MpcRequest
    from control.mpc_goal import MpcGoal
    from control.ports import Decision, PlanningController
    from drivers.snapshot import Estimate, Floats, PackReading
    from twin.ports import PackSpec

SETTINGS: Final = (  # that a bench file may give
    *("file", "repeat", "voltage_v", "soc", "plating_v"),
    *("temperature_degc", "horizon", "step_s", "every_s"),
)
APPROACH_S: Final = 60.0  # time in which the temperature may rise to its limit
BEYOND_K: Final = 0.5  # where the range keeps the temperature, its soft limit is so much higher: two would swing
BROKEN: Final = (0.05, 1.0, 1.0, 0.05)  # units of slack: 0.5 mV, 0.1 K, 0.1 % SoC, 0.5 mV
BROKEN_K: Final = 0.1
DUE: Final = 0.001  # of the time between two plans: a sum of periods is not exact
UNKNOWN: Final = "a measured value is not known"
UNSOLVED: Final = "no new plan was found"


class GoalSource(Protocol):
    """What a controller is asked for as time goes on."""

    def begin(self, dt_s: float) -> None:
        """Begin a decision, `dt_s` after the last one."""
        ...

    def make(self, soc: float) -> MpcGoal:
        """Return the goal of a plan that begins now, at `soc`."""
        ...

    def find_error(self, current_a: float) -> float:
        """Return how far `current_a` is from what was asked for, in A."""
        ...


class Planner(Protocol):
    """`MpcPlan`, or a peer that is measured beside it."""

    inputs: Floats
    slack: Floats

    @property
    def current_c(self) -> Floats: ...

    def shift(self) -> None:
        """Go on by one stage."""
        ...

    def solve(self, start: Floats, goal: MpcGoal, limits: Sequence[float], allowed: InputRange) -> bool:
        """Improve the plan; return False if no plan was found."""
        ...


@dataclass(frozen=True)
class MpcSettings:
    """`model` and `horizon` of the plan; `pack_ah` of a new pack; `limits` of its cells; a new plan every `every_s`.

    `later_c`: hard range of charge and discharge in all stages but the first; not given, it is that of the first.
    """

    model: ModelSettings
    horizon: int
    pack_ah: float
    limits: MpcLimits
    every_s: float
    later_c: tuple[float, float] | None = None
    first_solves: int = 1

    @property
    def abreast(self) -> float:
        return self.pack_ah / self.model.cell.capacity_ah


class MpcController:
    """Solves every `every_s`; in between, the first current of the plan stays. Limits hold for the extreme cells.

    Slack in use counts as a violation, and so does a decision without a new plan. `plan_a` is the plan ahead, a current
    (A) for each step of `plan_step_s`.
    """

    def __init__(  # the parts of a controller
        self, settings: MpcSettings, goals: GoalSource, observer: PackObserver, shield: Shield, plan: Planner
    ) -> None:
        self._settings, self._goals, self._observer, self._shield = settings, goals, observer, shield
        self.plan = plan
        cell = settings.model.cell
        self._chain = FallbackChain(
            max(cell.limits.charge_c, cell.limits.discharge_c) * settings.pack_ah, settings.horizon
        )
        self._request = self._chain.stop("")
        self._cools, limits = settings.model.step_s <= APPROACH_S, settings.limits
        self._soft_limits = replace(limits, high_k=limits.high_k + BEYOND_K) if self._cools else limits
        self._since_s, self._on_stage_s, self._early_s = math.inf, 0.0, 0.0
        self._waits, self._solves = True, settings.first_solves
        self._output = BumplessOutput()
        self._plan_ahead = self._copy_plan()

    @property
    def plan_a(self) -> Floats:
        return self.plan.current_c * self._settings.pack_ah

    @property
    def plan_step_s(self) -> float:
        return self._settings.model.step_s

    @property
    def plan_ahead(self) -> Plan:
        """The last plan that was decided on; one under way is not seen."""
        return self._plan_ahead

    def plan_early(self, share: float) -> None:
        self._early_s = share * self._settings.every_s

    def _copy_plan(self) -> Plan:
        return Plan(self.plan_step_s, tuple(self.plan_a.tolist()))

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
        self._goals.begin(dt_s)
        begins, self._waits = self._waits and dt_s > 0.0, dt_s == 0.0
        self._since_s = math.inf if begins else self._since_s + dt_s  # an earlier plan is for another time
        self._on_stage_s += dt_s
        known = self._observer.observe(reading, estimate, dt_s)
        kelvin = float(reading.temperature_k.max())
        if not known:
            self._request, self._since_s = self._chain.stop(UNKNOWN), math.inf
        elif self._since_s >= self._settings.every_s * (1.0 - DUE):
            self._since_s = self._find_rest()
            self._request = self._renew(self._cool(kelvin, allowed))
            self._plan_ahead = self._copy_plan()
        current_a = self._output.current(self._request.current_a, allowed, dt_s)
        broken = self._request.fallback is not Fallback.NONE or bool((self.plan.slack.max(axis=1) > BROKEN).any())
        broken = broken or is_outside(self._request.current_a, allowed)
        broken = broken or kelvin > self._settings.limits.high_k + BROKEN_K
        error_a = self._goals.find_error(current_a)
        scored = self._output.decision(current_a, error_a, dt_s, broken=broken)
        return replace(scored, fallback=self._request.fallback, note=self._request.note)

    def take_over(self, current_a: float) -> None:
        self._output.take_over(current_a)

    def _find_rest(self) -> float:
        """Return how long ago this plan was due, so that a turn left out delays no later one."""
        if math.isinf(self._since_s):
            return self._early_s
        every_s = self._settings.every_s
        return max(0.0, self._since_s - every_s * math.floor(self._since_s / every_s + DUE))

    def _renew(self, allowed: CurrentRange) -> MpcRequest:
        """Improve the plan by one iteration (more for the first one), and request its first current."""
        step_s = self._settings.model.step_s
        if self._on_stage_s >= step_s * 0.999:
            self._on_stage_s = 0.0
            self.plan.shift()
        start, pack_ah = self._observer.start, self._settings.pack_ah
        goal = self._goals.make(float(start[0]))
        limits = self._observer.narrow(self._soft_limits)
        now_c = allowed.charge_a / pack_ah, allowed.discharge_a / pack_ah
        most = InputRange(now_c, self._settings.later_c or now_c)
        for solve in range(self._solves):
            mark_half_cycles(goal.data, self.plan.inputs, self._observer.direction)
            if self._solves > 1 and solve == 0:
                goal.data[StageData.ENDS] = 0.0  # first as if depth were free: which cycles pay is seen from above
            if not self.plan.solve(start, goal, limits, most):
                return self._chain.choose(float(self.plan_a[0]), self._find_safe(allowed), UNSOLVED)
        self._solves = 1
        return self._chain.accept(float(self.plan_a[0]))

    def _find_safe(self, allowed: CurrentRange) -> CurrentRange:
        """Return what the shield and the BMS allow, both."""
        charge_a, discharge_a = self._shield.find_range(self._observer.seen)[:, 0]
        return CurrentRange(min(charge_a, allowed.charge_a), min(discharge_a, allowed.discharge_a))

    def _cool(self, kelvin: float, allowed: CurrentRange) -> CurrentRange:
        """Return `allowed`, reduced so that the hottest cell reaches its limit and goes no further.

        It is hard: over the seconds of a plan the temperature hardly changes, so slack would only end a warm cell's
        current at the limit, at once. Long plans keep the temperature by themselves.
        """
        if not self._cools:
            return allowed
        most_a = find_coolest_a(self._settings, kelvin, self._observer.ambient_k)
        return CurrentRange(min(allowed.charge_a, most_a), min(allowed.discharge_a, most_a))


def find_coolest_a(settings: MpcSettings, kelvin: float, ambient_k: float) -> float:
    """Return the pack current (A), in either direction, whose heat brings the hottest cell to its limit in a minute."""
    circuit, high_k = settings.model.cell.circuit, settings.limits.high_k
    room_w = circuit.heat_capacity_j_k / APPROACH_S * (high_k - kelvin) + circuit.cooling_w_k * (high_k - ambient_k)
    r0_ohm, r1_ohm, r2_ohm = (float(np.median(circuit.rows[row])) for row in (R0, R1, R2))
    ohm = settings.model.resistance * (r0_ohm + r1_ohm) + r2_ohm
    return settings.abreast * settings.model.capacity * math.sqrt(max(0.0, room_w) / ohm)


class DutyGoals:
    """Follow a current profile; the first stage of a plan lasts until the next plan: aim at the middle of that."""

    def __init__(self, profile: CurrentProfile, settings: MpcSettings) -> None:
        self._profile, self._pack_ah = profile, settings.pack_ah
        self._now_s = self._next_s = 0.0
        stages = np.arange(settings.horizon, dtype=np.float64)
        self._ahead_s: Floats = stages * settings.model.step_s + settings.every_s / 2

    def begin(self, dt_s: float) -> None:
        self._now_s, self._next_s = self._next_s, self._next_s + dt_s

    def make(self, soc: float) -> MpcGoal:
        del soc
        return track_current(self._profile.at(self._now_s + self._ahead_s) / self._pack_ah)

    def find_error(self, current_a: float) -> float:
        return current_a - self._profile.now(self._now_s)


def build(pack: PackSpec, settings: Mapping[str, Any]) -> PlanningController:
    """Build the controller.

    Settings: `file` (the duty), limits `voltage_v`, `soc`, `temperature_degc` and `plating_v` (the least anode
    potential; not given, it is no limit); `horizon`, `step_s`, `every_s`.
    """
    cell = pack.cell
    low_v, high_v = _pair(settings, "voltage_v", cell.control_v)
    low_soc, high_soc = _pair(settings, "soc", (0.05, 0.95))
    high_k = float(settings["temperature_degc"]) + ZERO_C_K if "temperature_degc" in settings else cell.control_high_k
    limits = MpcLimits(low_v, high_v, low_soc, high_soc, high_k, float(settings.get("plating_v", NO_LIMIT_V)))
    model = ModelSettings(cell, float(settings.get("step_s", 0.5)))
    horizon, every_s = int(settings.get("horizon", 24)), float(settings.get("every_s", 0.1))
    own = MpcSettings(model, horizon, pack.element_ah, limits, every_s)
    shield = Shield(cell, make_lane_shield(own, pack.ambient_k))
    goals = DutyGoals(read_current_profile(settings, pack.element_ah), own)
    observer = PackObserver(model, own.abreast, pack.ambient_k)
    return MpcController(own, goals, observer, shield, MpcPlan(model, horizon))


def make_lane_shield(settings: MpcSettings, ambient_k: float) -> ShieldSettings:
    """Return the range that a fallback on the bench keeps to: the same limits, over one step of the plan."""
    limits, cell = settings.limits, settings.model.cell
    return ShieldSettings(
        soc=(limits.low_soc, limits.high_soc),
        voltage_v=(limits.low_v, limits.high_v),
        high_k=limits.high_k,
        plating_v=limits.anode_v,
        charge_a=cell.limits.charge_c * settings.pack_ah,
        discharge_a=cell.limits.discharge_c * settings.pack_ah,
        dt_s=settings.model.step_s,
        abreast=settings.abreast,
        ambient_k=ambient_k,
    )


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
