"""A task on many packs at once: measured values with faulty sensors, a shield, and the cost of every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from control.observed_pack import ObservedPack
from control.shield import Shield, make_shield_settings
from control.tasks.cost import TaskCosts
from control.tasks.episodes import draw_episodes
from control.tasks.observation import Observer
from control.tasks.pack_batch import PackBatch
from control.tasks.task import TaskKind
from twin import ecm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control.tasks.cost import StepCost
    from control.tasks.task import ControlTask
    from drivers.snapshot import Columns, Flags, Floats

NEEDED: Final = 0.01  # of the rating: by so much an action must be changed to count as an intervention


class Outcome(NamedTuple):
    """What one step gave, one entry a pack. `cost_eur` includes the settlement of an episode that `ended`.

    `accrued_eur`: by how much the settlement that would be due has changed; its sum over an episode is `settled_eur`.
    """

    observation: Floats
    cost_eur: Floats
    parts: StepCost
    settled_eur: Floats
    accrued_eur: Floats
    applied_a: Floats
    intervened: Flags
    ended: Flags


class TaskSimulation:
    """Episodes of a task, a fresh one for each pack that ends; the numbers of its episodes count up from `first`."""

    def __init__(self, task: ControlTask, seed: int, packs: int, *, first: int = 0, shielded: bool = True) -> None:
        self.task, self.seed, self.shielded = task, seed, shielded
        self.observer, self.costs = Observer(task), TaskCosts(task)
        self._shield = Shield(task.cell, make_shield_settings(task, task.pack.parallel))
        self._next = first + packs
        self.numbers = np.arange(first, first + packs)
        self.episodes = draw_episodes(task, seed, range(first, first + packs))
        self.batch = PackBatch(task, self.episodes)
        self._observed = ObservedPack(task.cell, task.pack.parallel, packs)
        self.steps = np.zeros(packs, np.intp)
        self.last_a = np.zeros(packs)
        self._soc0 = self.batch.read(ecm.SOC).copy()
        self._due_eur = np.zeros(packs)
        self.observation = self._observe()

    @property
    def packs(self) -> int:
        return self.batch.packs

    def get_signal(self) -> Floats:
        """Return the signal of this step, one entry a pack."""
        return self.episodes.signal[np.arange(self.packs), self.steps]

    def get_ahead(self) -> Floats:
        """Return `[packs, preview]`: the signal from this step on."""
        columns = self.steps[:, None] + np.arange(self.task.preview)  # the preview reaches beyond the last step
        return np.take_along_axis(self.episodes.signal, columns, axis=1)

    def step(self, requested_a: Floats) -> Outcome:
        """Advance all packs under their requested current (A of the pack, discharge positive; NaN counts as 0)."""
        requested_a = np.nan_to_num(requested_a, nan=0.0)
        safe_a = np.clip(requested_a, -self.allowed[0], self.allowed[1])
        applied_a = safe_a if self.shielded else np.clip(requested_a, -self.task.charge_a, self.task.discharge_a)
        signal = self.get_signal()
        step = self.batch.step(applied_a)
        parts = self.costs.price_step(step, applied_a, signal)
        intervened = np.abs(requested_a - safe_a) > NEEDED * self.task.rating_a
        self.last_a = applied_a
        self.steps += 1
        ended = self._find_ended()
        due_eur = self._settle()
        accrued, settled = due_eur - self._due_eur, np.where(ended, due_eur, 0.0)
        self._due_eur = np.where(ended, 0.0, due_eur)
        observation = self._observe()
        cost_eur = parts.sum(self.task.cost.violation_eur) + settled
        outcome = Outcome(observation, cost_eur, parts, settled, accrued, applied_a, intervened, ended)
        if ended.any():
            self._restart(np.flatnonzero(ended))
        return outcome

    def get_state(self) -> dict[str, Floats]:
        """Return copies of all arrays that the next steps depend on, for `set_state`."""
        return {name: array.copy() for name, array in self._list_arrays().items()} | {"next": np.array([self._next])}

    def set_state(self, state: Mapping[str, Floats]) -> None:
        """Continue where `get_state` of a simulation of the same task, seed and number of packs was taken.

        Raise `ValueError` for the state of another one.
        """
        arrays = self._list_arrays()
        if {name: array.shape for name, array in arrays.items()} != {
            name: array.shape for name, array in state.items() if name != "next"
        }:
            raise ValueError("the state is of a simulation of another task or size")
        for name, array in arrays.items():
            array[...] = state[name]
        self._next = int(state["next"][0])

    def _list_arrays(self) -> dict[str, Floats]:
        own: tuple[str, ...] = (
            "numbers",
            "steps",
            "last_a",
            "_soc0",
            "_due_eur",
            "seen",
            "voltage_v",
            "allowed",
            "observation",
        )
        drawn = {f"drawn.{name}": getattr(self.episodes, name) for name in self.episodes.__dataclass_fields__}
        batch = {f"batch.{name}": array for name, array in self.batch.list_arrays().items()}
        return {name: getattr(self, name) for name in own} | drawn | batch | {"observed": self._observed.v}

    def _find_ended(self) -> Flags:
        ended = self.steps >= self.task.steps
        if self.task.kind is TaskKind.CHARGE:
            ended |= self.batch.read(ecm.SOC).mean(axis=1) >= self.task.target_soc
        return ended

    def _settle(self) -> Floats:
        capacity = self.episodes.capacity
        mean = self.episodes.signal.mean(axis=1)
        return self.costs.settle(self._soc0, self.batch.read(ecm.SOC), capacity, mean)

    def _restart(self, packs: Columns) -> None:
        """Let these packs begin new episodes; `observation` then shows their start."""
        fresh = draw_episodes(self.task, self.seed, range(self._next, self._next + len(packs)))
        for number, pack in enumerate(packs):
            for name in fresh.__dataclass_fields__:
                getattr(self.episodes, name)[pack] = getattr(fresh, name)[number]
            self.batch.restart(pack, fresh, number)
            self._observed.restart(pack)
            self.numbers[pack] = self._next + number
        self._next += len(packs)
        self.steps[packs] = 0
        self.last_a = self.last_a.copy()
        self.last_a[packs] = 0.0
        self._soc0[packs] = self.batch.read(ecm.SOC)[packs]
        self.observation = self._observe(dt_s=0.0)

    def _observe(self, dt_s: float | None = None) -> Floats:
        """Measure with the faults of each pack's sensors; keep `allowed`, `seen` and return the observation."""
        episodes = self.episodes
        noise_v = episodes.voltage_noise_v[np.arange(self.packs), self.steps].T
        voltage_v = _extremes(self.batch.read(ecm.VOLTAGE)) + episodes.voltage_bias_v + noise_v
        kelvin = _extremes(self.batch.read(ecm.KELVIN)) + episodes.temperature_bias_k
        soc = _extremes(self.batch.read(ecm.SOC)) + episodes.soc_error
        measured_a = self.last_a + episodes.current_bias_a
        passed_s = self.task.step_s if dt_s is None else dt_s
        self.seen = self._observed.observe(measured_a, soc, voltage_v, kelvin, passed_s)
        self.voltage_v = voltage_v
        self.allowed = self._shield.find_range(self.seen)
        t_s = self.steps.astype(np.float64) * self.task.step_s
        self.observation = self.observer.build(self.seen, voltage_v, self.last_a, self.allowed, self.get_ahead(), t_s)
        return self.observation


def _extremes(values: Floats) -> Floats:
    """Return `[2, packs]`: the lowest and the highest of `values[packs, cells]`."""
    return np.array([values.min(axis=1), values.max(axis=1)])
