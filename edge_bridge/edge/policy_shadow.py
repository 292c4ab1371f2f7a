"""A promoted policy beside a pack, in shadow: it sees the samples, its requests are scored and never sent."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from control.bumpless import is_outside
from edge_bridge import metrics
from edge_bridge.bundle.promotion import POLICY

if TYPE_CHECKING:
    from pathlib import Path

    from control.ports import CurrentRange
    from control.rl.policy import Policy
    from control.rl.policy_inputs import PolicyInputs
    from drivers.snapshot import Estimate, Floats, PackReading
    from edge_bridge.bundle.runtime import Configuration
    from edge_bridge.metrics import Scalar

SHADOW: Final = "shadow"
PUBLISH_S: Final = 60.0  # the score changes with each step; the fleet gets it once a minute
NO_EXTRA: Final = "the extra edge-rl (onnxruntime) is not installed"
NO_PRICES: Final = "the edge knows no prices"


@dataclass(frozen=True, slots=True)
class PolicyScore:
    """The score of a policy in shadow so far.

    `difference_a2`: sum of the squared difference between its request and the measured current; `violations`: requests
    that the BMS did not allow; `interventions`: requests that the shield would have changed; `outside`: steps whose
    observation was unknown or outside the trained range.
    """

    steps: int = 0
    difference_a2: float = 0.0
    violations: int = 0
    interventions: int = 0
    outside: int = 0

    @property
    def rms_a(self) -> float:
        asked = self.steps - self.outside
        return math.sqrt(self.difference_a2 / asked) if asked else math.nan


class MeasuredDuty:
    """The duty of a pack whose master nobody knows: the measured current, and for the time ahead the same again."""

    def __init__(self) -> None:
        self.current_a = 0.0

    def now(self, t_s: float) -> float:
        del t_s
        return self.current_a

    def at(self, t_s: Floats) -> Floats:
        return 0.0 * t_s + self.current_a


class PolicyShadow:
    """Asks a policy once a step of its task. `refused`: why it does not run, empty if it does."""

    def __init__(self, policy: Policy | None, inputs: PolicyInputs | None, duty: MeasuredDuty, refused: str) -> None:
        self.refused = refused
        self._policy, self._inputs, self._duty = policy, inputs, duty
        self._score = self._published = PolicyScore()
        self._since_s, self._quiet_s, self._t_s = math.inf, math.inf, 0.0

    @property
    def score(self) -> PolicyScore:
        return self._score

    def update(self, reading: PackReading, estimate: Estimate | None, allowed: CurrentRange, dt_s: float) -> None:
        """Let the policy see one sample; it may fail in any way, and is refused from then on."""
        if self.refused or self._policy is None or self._inputs is None or estimate is None:
            return
        try:
            self._step(self._policy, self._inputs, reading, estimate, allowed, dt_s)
        except Exception as error:  # noqa: BLE001  # the edge goes on without it
            self.refused = f"the policy failed: {type(error).__name__}: {error}"

    def describe(self) -> dict[str, Scalar]:
        """Return the metrics of the score; they change once a minute."""
        if self._quiet_s >= PUBLISH_S:
            self._quiet_s, self._published = 0.0, self._score
        score = self._published
        return {
            metrics.POLICY_STATE: self.refused or SHADOW,
            metrics.POLICY_STEPS: score.steps,
            metrics.POLICY_DIFFERENCE: None if math.isnan(score.rms_a) else score.rms_a,
            metrics.POLICY_VIOLATIONS: score.violations,
            metrics.POLICY_INTERVENTIONS: score.interventions,
            metrics.POLICY_OUTSIDE: score.outside,
        }

    def _step(  # noqa: PLR0917  # a sample and what belongs to it
        self,
        policy: Policy,
        inputs: PolicyInputs,
        reading: PackReading,
        estimate: Estimate,
        allowed: CurrentRange,
        dt_s: float,
    ) -> None:
        self._since_s += dt_s
        self._quiet_s += dt_s
        self._t_s += dt_s
        known = inputs.measure(reading, estimate, dt_s)
        if self._since_s < inputs.task.step_s * 0.999:  # a sum of periods is not exact
            return
        self._since_s = 0.0
        score = replace(self._score, steps=self._score.steps + 1)
        self._duty.current_a = reading.current_a
        safe = inputs.find_range(allowed)
        observation = inputs.observe(safe, reading.current_a, self._t_s)
        if not known or policy.find_outside(observation[0]):
            self._score = replace(score, outside=score.outside + 1)
            return
        action = max(-1.0, min(1.0, float(policy.act(observation)[0])))
        requested_a = action * inputs.rating_a
        self._score = replace(
            score,
            difference_a2=score.difference_a2 + (requested_a - reading.current_a) ** 2,
            violations=score.violations + is_outside(requested_a, allowed),
            interventions=score.interventions + is_outside(requested_a, safe),
        )


def make_policy_shadow(configured: Configuration, folder: Path) -> PolicyShadow | None:
    """Return the shadow of the policy that the bundle in `folder` has; None if it has none."""
    path = folder / POLICY
    if not path.is_file():
        return None
    if find_spec("onnxruntime") is None:
        return _refuse(NO_EXTRA)
    from control.rl.policy import Policy  # noqa: PLC0415  # only a bundle with a policy needs them
    from control.rl.policy_inputs import PolicyInputs, find_distrust  # noqa: PLC0415
    from control.tasks.task import TaskKind, find_task, list_tasks, read_task  # noqa: PLC0415

    policy = Policy.load(path)
    if policy.info.task not in list_tasks():
        return _refuse(f"it is for the task {policy.info.task}, which is not a shipped one")
    task = read_task(find_task(policy.info.task))
    if task.kind is TaskKind.ARBITRAGE:
        return _refuse(NO_PRICES)
    duty, pack = MeasuredDuty(), configured.pack
    inputs = PolicyInputs(task, duty, pack.element_ah / task.cell.capacity_ah)
    return PolicyShadow(policy, inputs, duty, find_distrust(policy, task, pack.cell))


def _refuse(reason: str) -> PolicyShadow:
    return PolicyShadow(None, None, MeasuredDuty(), reason)
