"""The lane of a trained policy: a shield corrects it, and the MPC takes over where the policy cannot be trusted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from control import mpc
from control.bumpless import BumplessOutput, clamp, is_outside
from control.current_profile import read_current_profile
from control.ports import CurrentRange, Decision, Fallback, Plan
from control.rl.policy import Policy
from control.rl.policy_inputs import PolicyInputs, find_distrust
from control.tasks.simulation import NEEDED
from control.tasks.task import TaskKind, find_task, read_task
from drivers.clock import monotonic
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control.ports import PlanningController
    from drivers.snapshot import Estimate, PackReading
    from twin.ports import PackSpec

SETTINGS: Final = ("policy", "task", *mpc.SETTINGS)  # that a bench file may give
SHIPPED: Final = Path(__file__).parent / "policies" / "duty_tracking.onnx"
LATE_S: Final = 0.005  # an answer that took longer comes too late for its turn
AHEAD: Final = 24  # steps of the plan that is shown
AHEAD_EVERY_S: Final = 1.0


class RlController:
    """Asks the policy once a step of its task; in between its action stays, within what is allowed now.

    `distrust`: why the policy must not act at all, empty for a policy in order. Cost is that of the other controllers:
    the mean squared distance from the duty (A^2). A violation is a request of the policy that the BMS does not allow.
    """

    def __init__(
        self,
        policy: Policy,
        inputs: PolicyInputs,
        instead: PlanningController,
        *,
        distrust: str = "",
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._policy, self._inputs, self._instead = policy, inputs, instead
        self._distrust, self._now = distrust, now
        self._t_s = self._requested_a = self._applied_a = 0.0
        self._since_s, self._interventions = math.inf, 0
        self._note = distrust
        self._plan: Plan | None = None
        self._planned_s, self._safe = -math.inf, CurrentRange(0.0, 0.0)
        self._output = BumplessOutput()

    @property
    def plan_ahead(self) -> Plan | None:
        """What the policy would request along the duty ahead if the pack stayed as it is; None while it must not act.

        One inference of all steps, at most once a second, in the thread that reads it.
        """
        if self._distrust or self._note:
            return None
        if (now_s := monotonic()) - self._planned_s >= AHEAD_EVERY_S:
            self._planned_s = now_s
            self._plan = self._look_ahead()
        return self._plan

    def _look_ahead(self) -> Plan | None:
        safe, rating_a = self._safe, self._inputs.rating_a
        observations = self._inputs.observe(safe, self._applied_a, self._t_s, AHEAD)
        outside = [bool(self._policy.find_outside(row)) for row in observations]
        trusted = observations[: outside.index(True) if True in outside else AHEAD]
        if not len(trusted):
            return None
        wanted_a = np.clip(self._policy.act(trusted), -1.0, 1.0) * rating_a
        return Plan(self._inputs.task.step_s, tuple(np.clip(wanted_a, -safe.charge_a, safe.discharge_a).tolist()))

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
        instead = self._instead.decide(reading, estimate, allowed, dt_s)
        now_s, self._t_s = self._t_s, self._t_s + dt_s
        self._since_s = self._since_s + dt_s if dt_s > 0.0 else math.inf
        known = self._inputs.measure(reading, estimate, dt_s)
        safe = self._safe = self._inputs.find_range(allowed)
        if self._since_s >= self._inputs.task.step_s * 0.999:  # a sum of periods is not exact
            self._since_s = 0.0
            self._ask(safe, now_s, dt_s)
        note = self._distrust or ("" if known else "a measured value is not known") or self._note
        if note:
            wanted_a = instead.current_a
        else:
            wanted_a = clamp(self._requested_a, safe)
            self._interventions += dt_s > 0.0 and abs(wanted_a - self._requested_a) > NEEDED * self._inputs.rating_a
        self._applied_a = self._output.current(wanted_a, allowed, dt_s)
        broken = not note and is_outside(self._requested_a, allowed)
        error_a = self._applied_a - self._inputs.profile.now(now_s)
        scored = self._output.decision(self._applied_a, error_a, dt_s, broken=broken)
        fallback = Fallback.OTHER if note else Fallback.NONE
        return Decision(scored.current_a, scored.cost, scored.violations, self._interventions, fallback, note)

    def take_over(self, current_a: float) -> None:
        self._output.take_over(current_a)
        self._instead.take_over(current_a)

    def plan_early(self, share: float) -> None:
        self._instead.plan_early(share)

    def _ask(self, safe: CurrentRange, now_s: float, dt_s: float) -> None:
        """Ask the policy; keep its request, or the reason why it cannot be used, until the next step."""
        observation = self._inputs.observe(safe, self._applied_a, now_s)
        if outside := self._policy.find_outside(observation[0]):
            self._note = f"outside the trained range: {outside}"
            return
        began_s = self._now()
        action = float(self._policy.act(observation)[0])
        took_s = self._now() - began_s
        if not math.isfinite(action):
            self._note = "the policy returned no number"
        elif took_s > LATE_S and dt_s > 0.0:
            self._note = f"the policy answered after {1e3 * took_s:.1f} ms, limit {1e3 * LATE_S:g} ms"
        else:
            self._note = ""
            self._requested_a = max(-1.0, min(1.0, action)) * self._inputs.rating_a


def build(pack: PackSpec, settings: Mapping[str, Any]) -> PlanningController:
    """Build the controller.

    Settings: `policy`, a file that `train` wrote for a task that follows a duty (default: the shipped one); `task`, the
    file of its task, unless that is a shipped one; the rest as for `control.mpc`, which decides where the policy must
    not.
    """
    own = {key: value for key, value in settings.items() if key not in {"policy", "task"}}
    path = Path(settings.get("policy", SHIPPED))
    policy, profile = Policy.load(path), read_current_profile(own, pack.element_ah)
    task = read_task(Path(settings["task"]) if "task" in settings else find_task(policy.info.task))
    if task.kind is not TaskKind.DUTY:
        hint = "name a policy that follows a duty"
        raise BenchFileError(f"is for the task {task.name}", where=str(path), key="policy", value=task.name, hint=hint)
    inputs = PolicyInputs(task, profile, pack.element_ah / task.cell.capacity_ah)
    return RlController(policy, inputs, mpc.build(pack, own), distrust=find_distrust(policy, task, pack.cell))
