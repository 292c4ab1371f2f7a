"""A policy as a controller of a task: it sees the observation of the simulation, and another decides where it must not.

The bench has a lane of its own (`control.rl.lane`), which builds the observation from measured values.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from control.ports import Decision, Fallback
from drivers.clock import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.ports import Controller, CurrentRange
    from control.rl.policy import Policy
    from control.tasks.task import ControlTask
    from drivers.snapshot import Estimate, Floats, PackReading

NO_DEADLINE: Final = math.inf


class PolicyController:
    """Asks the policy once a step; `build_instead(step)` makes the controller that decides where the policy must not.

    It must not where a value is outside the trained range or unknown, where it answers after `deadline_s`, or where it
    returns no number. A simulation has no real time, so there the deadline is off and the runner times every decision.
    """

    def __init__(
        self,
        policy: Policy,
        task: ControlTask,
        observe: Callable[[], Floats],
        build_instead: Callable[[int], Controller],
        *,
        deadline_s: float = NO_DEADLINE,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._policy, self._rating_a, self._observe = policy, task.rating_a, observe
        self._build_instead, self._instead = build_instead, None
        self._deadline_s, self._now, self._step = deadline_s, now, 0

    _instead: Controller | None

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision:
        step, self._step = self._step, self._step + 1
        action, note = self._ask()
        if not note:
            self._instead = None
            return Decision(action * self._rating_a, 0.0, 0)
        if self._instead is None:
            self._instead = self._build_instead(step)
        decision = self._instead.decide(reading, estimate, allowed, dt_s)
        return Decision(decision.current_a, 0.0, 0, fallback=Fallback.OTHER, note=note)

    def take_over(self, current_a: float) -> None:
        del current_a  # a policy sees the current that flows in its observation

    def _ask(self) -> tuple[float, str]:
        """Return the action, and why it must not be used."""
        observation = self._observe()
        if outside := self._policy.find_outside(observation):
            return 0.0, f"outside the trained range: {outside}"
        began_s = self._now()
        action = float(self._policy.act(observation[None])[0])
        took_s = self._now() - began_s
        if not math.isfinite(action):
            return 0.0, "the policy returned no number"
        if took_s > self._deadline_s:
            return 0.0, f"the policy answered after {1e3 * took_s:.1f} ms, limit {1e3 * self._deadline_s:g} ms"
        return max(-1.0, min(1.0, action)), ""
