"""What a policy sees of a pack that is measured: on a bench, or beside a pack at the edge."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from control.observed_pack import ObservedPack
from control.ports import CurrentRange
from control.rl.policy import TOLERANCE
from control.shield import Shield, make_shield_settings
from control.tasks.observation import Observer

if TYPE_CHECKING:
    from control.rl.policy import Policy
    from control.tasks.task import ControlTask
    from drivers.snapshot import Estimate, Floats, PackReading
    from twin.cell_parameters import CellParameters


class DutyAhead(Protocol):
    """The current that should flow, as far as it is known."""

    def now(self, t_s: float) -> float: ...

    def at(self, t_s: Floats) -> Floats: ...


class PolicyInputs:
    """What a policy sees: the pack as measured, and the duty ahead. `rating_a` is that of this pack."""

    def __init__(self, task: ControlTask, profile: DutyAhead, abreast: float) -> None:
        self.task, self.profile = task, profile
        self.rating_a = task.rating_a * abreast / task.pack.parallel
        self._observed, self._observer = ObservedPack(task.cell, abreast), Observer(task)
        self._shield = Shield(task.cell, make_shield_settings(task, abreast))
        self._ahead_s: Floats = (np.arange(task.preview, dtype=np.float64) + 0.5) * task.step_s
        self._seen: Floats | None = None
        self._voltage_v: Floats = np.zeros((2, 1))

    def measure(self, reading: PackReading, estimate: Estimate, dt_s: float) -> bool:
        """Update what is seen of the pack; return False, and keep the past, if a value is not known."""
        voltage_v, kelvin, soc = (
            np.array([[values.min()], [values.max()]])
            for values in (reading.voltage_v, reading.temperature_k, estimate.soc)
        )
        if not (math.isfinite(reading.current_a) and np.isfinite([voltage_v, kelvin, soc]).all()):
            self._seen = None
            return False
        self._seen = self._observed.observe(np.array([reading.current_a]), soc, voltage_v, kelvin, dt_s)
        self._voltage_v = voltage_v
        return True

    def find_range(self, allowed: CurrentRange) -> CurrentRange:
        """Return what the shield and the BMS allow, both."""
        if self._seen is None:
            return CurrentRange(0.0, 0.0)
        charge_a, discharge_a = self._shield.find_range(self._seen)[:, 0]
        return CurrentRange(min(charge_a, allowed.charge_a), min(discharge_a, allowed.discharge_a))

    def observe(self, safe: CurrentRange, last_a: float, now_s: float, steps: int = 1) -> Floats:
        """Return the observation `[steps, names]`; scaled to the rating of the task, as in training.

        Only the duty moves on from one step to the next: the pack stays as it is now.
        """
        seen = self._seen  # replaced as a whole by the loop, while another thread may be here
        if seen is None:
            return np.full((steps, len(self._observer.names)), np.nan)
        scale = self.task.rating_a / self.rating_a
        t_s = now_s + np.arange(steps, dtype=np.float64) * self.task.step_s
        ahead = self.profile.at(t_s[:, None] + self._ahead_s) * scale
        allowed = np.array([[safe.charge_a], [safe.discharge_a]]) * scale
        same = (np.repeat(values, steps, axis=1) for values in (seen, self._voltage_v, np.array([[last_a * scale]])))
        seen, voltage_v, last = same
        return self._observer.build(seen, voltage_v, last[0], np.repeat(allowed, steps, axis=1), ahead, t_s)


def find_distrust(policy: Policy, task: ControlTask, cell: CellParameters | None = None) -> str:
    """Return why a policy must not act: other cell, other task, or other answers than where it was made.

    `cell`: of the pack (default: that of the task).
    """
    here = task.cell if cell is None else cell
    if policy.info.cell_sha256 != here.sha256:
        return f"the policy was trained for another cell ({policy.info.cell_sha256[:8]}, here {here.sha256[:8]})"
    if policy.info.task_sha256 != task.sha256:
        return f"the policy was trained for another version of the task {task.name}"
    if policy.info.names != Observer(task).names:
        return "the policy observes other values than this version gives"
    if not (worst := policy.find_golden_error()) <= TOLERANCE:
        return f"the policy's golden vectors are not repeated here: {worst:.2g} off, limit {TOLERANCE:g}"
    return ""
