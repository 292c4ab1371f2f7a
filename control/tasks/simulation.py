"""A task on many packs at once: measured values with faulty sensors, a shield, and the cost of every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from control.observed_pack import ObservedPack
from control.shield import Shield, make_shield_settings
from control.tasks.cost import TaskCosts
from control.tasks.episodes import HOUR_S, draw_episodes
from control.tasks.observation import Observer
from control.tasks.pack_batch import PackBatch
from control.tasks.prices import expect_means
from control.tasks.task import TaskKind
from twin import ecm
from twin.half_cycles import TURN_SOC, follow_charges, make_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control.tasks.cost import StepCost
    from control.tasks.episodes import Episodes
    from control.tasks.pack_batch import PackStep
    from control.tasks.task import ControlTask
    from drivers.snapshot import Columns, Flags, Floats

NEEDED: Final = 0.01  # of the rating: by so much an action must be changed to count as an intervention


class SimulatedPacks(Protocol):
    """The packs of some episodes on any model: `PackBatch`, or `reference_packs.ReferencePacks` on PyBaMM."""

    @property
    def packs(self) -> int: ...

    def step(self, current_a: Floats) -> PackStep:
        """Advance every pack by one step of the task under `current_a[packs]`."""
        ...

    def read(self, row: int) -> Floats:
        """Return `[packs, cells]` of one row of `twin.ecm`: `SOC`, `VOLTAGE` or `KELVIN`."""
        ...

    def restart(self, packs: Columns, episodes: Episodes) -> None:
        """Let `packs` begin again as the `episodes`, at rest."""
        ...


class MeasuredPacks(NamedTuple):
    """What the sensors of each pack show: its current, and `[2, packs]` of the lowest and of the highest cell."""

    current_a: Floats
    soc: Floats
    voltage_v: Floats
    kelvin: Floats


class Disturbance(Protocol):
    """What a judge adds to the drawn episodes: other packs, and sensors that fail."""

    def change(self, episodes: Episodes, numbers: Columns) -> Episodes:
        """Return the episodes `numbers` with other values."""
        ...

    def spoil(self, measured: MeasuredPacks, numbers: Columns, steps: Columns) -> MeasuredPacks:
        """Return what the sensors show at these steps of the episodes `numbers`."""
        ...


class Outcome(NamedTuple):
    """What one step gave, one entry a pack. `cost_eur` includes the settlement of an episode that `ended`.

    `accrued_eur`: by how much this step changed the settlement, at the price that was expected for it when it began;
    over many episodes its sum is `settled_eur`. `unavoidable_eur`: the least cost of a duty behind the shield.
    """

    observation: Floats
    cost_eur: Floats
    parts: StepCost
    settled_eur: Floats
    accrued_eur: Floats
    unavoidable_eur: Floats
    applied_a: Floats
    intervened: Flags
    ended: Flags
    step: PackStep


class TaskSimulation:
    """Episodes of a task, a fresh one for each pack that ends; the numbers of its episodes count up from `first`."""

    def __init__(
        self,
        task: ControlTask,
        seed: int,
        packs: int,
        *,
        first: int = 0,
        shielded: bool = True,
        make_packs: Callable[[ControlTask, Episodes], SimulatedPacks] = PackBatch,
        disturbance: Disturbance | None = None,
    ) -> None:
        self.task, self.seed, self.shielded = task, seed, shielded
        self._disturbance = disturbance
        self.observer, self.costs = Observer(task), TaskCosts(task)
        self._shield = Shield(task.cell, make_shield_settings(task, task.pack.parallel))
        self._next = first + packs
        self.numbers = np.arange(first, first + packs)
        self.episodes = self._draw(self.numbers)
        self.batch = make_packs(task, self.episodes)
        self._observed = ObservedPack(task.cell, task.pack.parallel, packs)
        self._turns = make_turns(np.full(packs, np.nan))
        self.steps = np.zeros(packs, np.intp)
        self.last_a = np.zeros(packs)
        self._soc0 = self.batch.read(ecm.SOC).copy()
        self._settling = self._expect_settling(self.episodes)
        self.observation = self._observe()

    @property
    def packs(self) -> int:
        return self.batch.packs

    def get_signal(self) -> Floats:
        """Return the signal of this step, one entry a pack."""
        return self.episodes.signal[np.arange(self.packs), self.steps]

    def get_ahead(self) -> Floats:
        """Return `[packs, preview]`: the signal from this step on."""
        windows = sliding_window_view(self.episodes.signal, self.task.preview, axis=1)
        return windows[np.arange(self.packs), self.steps]

    def get_settling(self) -> Floats:
        """Return the price at which stored energy will be settled, as it is expected at this step; one a pack."""
        return self._settling[np.arange(self.packs), self.steps]

    def step(self, requested_a: Floats) -> Outcome:
        """Advance all packs under their requested current (A of the pack, discharge positive; NaN counts as 0)."""
        requested_a = np.nan_to_num(requested_a, nan=0.0)
        safe_a = np.clip(requested_a, -self.allowed[0], self.allowed[1])
        applied_a = safe_a if self.shielded else np.clip(requested_a, -self.task.charge_a, self.task.discharge_a)
        signal, settling, before = self.get_signal(), self.get_settling(), self.batch.read(ecm.SOC).copy()
        step = self.batch.step(applied_a)
        parts = self.costs.price_step(step, applied_a, signal)
        nearest_a = np.clip(signal, -self.allowed[0], self.allowed[1])
        unavoidable = self.costs.price_tracking(nearest_a, signal)
        intervened = np.abs(requested_a - safe_a) > NEEDED * self.task.rating_a
        self.last_a = applied_a
        self.steps += 1
        ended = self._find_ended()
        soc = self.batch.read(ecm.SOC)
        accrued = self._settle(soc, settling) - self._settle(before, settling)
        settled = np.where(ended, self._settle(soc, self.episodes.signal.mean(axis=1)), 0.0)
        observation = self._observe()
        cost_eur = parts.sum(self.task.cost.violation_eur) + settled
        outcome = Outcome(
            observation, cost_eur, parts, settled, accrued, unavoidable, applied_a, intervened, ended, step
        )
        if ended.any():
            self._restart(np.flatnonzero(ended))
        return outcome

    def _draw(self, numbers: Columns) -> Episodes:
        episodes = draw_episodes(self.task, self.seed, numbers.tolist())
        return episodes if self._disturbance is None else self._disturbance.change(episodes, numbers)

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
        if not isinstance(self.batch, PackBatch):
            raise TypeError("only packs of the fast environment can be saved")
        own: tuple[str, ...] = (
            "numbers",
            "steps",
            "last_a",
            "_soc0",
            "_settling",
            "_turns",
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

    def _settle(self, soc: Floats, price: Floats) -> Floats:
        return self.costs.settle(self._soc0, soc, self.episodes.capacity, price)

    def _expect_settling(self, episodes: Episodes) -> Floats:
        """Return `[packs, steps + 1]`: the price of the settlement as it is expected at each step; 0 without prices."""
        task = self.task
        if task.prices is None:
            return np.zeros((episodes.packs, task.steps + 1))
        return expect_means(task.prices, episodes.signal, task.steps, max(1, round(HOUR_S / task.step_s)))

    def _restart(self, packs: Columns) -> None:
        """Let these packs begin new episodes; `observation` then shows their start."""
        fresh = self._draw(np.arange(self._next, self._next + len(packs)))
        self._settling[packs] = self._expect_settling(fresh)
        for name in fresh.__dataclass_fields__:
            getattr(self.episodes, name)[packs] = getattr(fresh, name)
        self.batch.restart(packs, fresh)
        self._observed.restart(packs)
        self._turns[packs] = make_turns(np.full(len(packs), np.nan))
        self.numbers[packs] = self._next + np.arange(len(packs))
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
        measured = MeasuredPacks(self.last_a + episodes.current_bias_a, soc, voltage_v, kelvin)
        if self._disturbance is not None:
            measured = self._disturbance.spoil(measured, self.numbers, self.steps)
        passed_s = self.task.step_s if dt_s is None else dt_s
        self.measured, self.voltage_v = measured, measured.voltage_v
        self.seen = self._observed.observe(*measured, passed_s)
        self.allowed = self._shield.find_range(self.seen)
        moved = follow_charges(self._turns, measured.soc.mean(axis=0), TURN_SOC)
        t_s = self.steps.astype(np.float64) * self.task.step_s
        self.observation = self.observer.build(
            self.seen, self.voltage_v, self.last_a, self.allowed, self.get_ahead(), t_s, self.get_settling(), moved
        )
        return self.observation


def _extremes(values: Floats) -> Floats:
    """Return `[2, packs]`: the lowest and the highest of `values[packs, cells]`."""
    columns = np.ascontiguousarray(values.T)  # a few cells, many packs: ten times faster this way round
    return np.array([columns.min(axis=0), columns.max(axis=0)])
