"""What an episode costs, in EUR: tracking, price of energy, wear, time and broken limits; one sum for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from control.tasks.task import TaskKind

if TYPE_CHECKING:
    from control.tasks.pack_batch import PackStep
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

HOUR_S: Final = 3600.0
SLACK_V, SLACK_K, SLACK_SOC = 1e-3, 0.1, 1e-3  # a limit counts as broken beyond this: rounding breaks none


class StepCost(NamedTuple):
    """The parts of the cost of one step (EUR), and whether a limit was broken, one entry a pack."""

    tracking: Floats
    energy: Floats
    wear: Floats
    time: Floats
    broken: Floats

    def sum(self, violation_eur: float) -> Floats:
        """Return the whole cost of the step."""
        return self.tracking + self.energy + self.wear + self.time + violation_eur * self.broken


class TaskCosts:
    """The prices of one task. `wear_eur`: of all capacity that may be lost, so a fraction lost costs its share."""

    def __init__(self, task: ControlTask) -> None:
        self._task, self._weights = task, task.cost
        rows = task.cell.circuit.rows[0]
        grid = np.linspace(0.0, 1.0, len(rows))
        steps_wh = np.diff(grid) * 0.5 * (rows[1:] + rows[:-1]) * task.pack_ah
        self._grid, self._stored_wh = grid, np.concatenate([[0.0], np.cumsum(steps_wh)])
        energy_kwh = task.pack.cells * self._stored_wh[-1] / 1e3
        self.wear_eur = self._weights.replacement_eur_kwh * energy_kwh / self._weights.end_of_life

    def price_step(self, step: PackStep, current_a: Floats, signal: Floats) -> StepCost:
        """Return the cost of one step under `current_a`, which should have followed `signal` (price or current)."""
        task, hours = self._task, self._task.step_s / HOUR_S
        nothing = np.zeros(len(current_a))
        is_market = task.kind is TaskKind.ARBITRAGE
        return StepCost(
            self.price_tracking(current_a, signal),
            -signal * self._meter_kwh(step.energy_wh) if is_market else nothing,
            self.wear_eur * step.wear,
            np.full(len(current_a), self._weights.hour_eur * hours),
            self.find_broken(step),
        )

    def price_tracking(self, current_a: Floats, signal: Floats) -> Floats:
        """Return what one step of `current_a` beside a duty of `signal` costs; 0 without a duty."""
        if self._task.kind is not TaskKind.DUTY:
            return np.zeros(len(current_a))
        return self._weights.tracking_eur_a2_h * (current_a - signal) ** 2 * self._task.step_s / HOUR_S

    def find_broken(self, step: PackStep) -> Floats:
        """Return 1 for each pack that broke a limit within the step, else 0."""
        limits = self._task.limits
        (low_soc, high_soc), (low_v, high_v) = limits.soc, limits.voltage_v
        broken = (step.high_v > high_v + SLACK_V) | (step.low_v < low_v - SLACK_V)
        broken |= step.high_k > limits.high_k + SLACK_K
        broken |= (step.high_soc > high_soc + SLACK_SOC) | (step.low_soc < low_soc - SLACK_SOC)
        broken |= step.anode_v < limits.plating_v
        return broken.astype(np.float64)

    def settle(self, soc0: Floats, soc: Floats, capacity: Floats, mean_price: Floats) -> Floats:
        """Return the cost of having other energy at the end than at the start, all arrays `[packs, cells]`.

        `mean_price[packs]` is that of the episode. Missing energy is bought at it, energy left over is sold at it, both
        through the converter: selling the first charge at the mean price earns nothing.
        """
        if self._task.kind is not TaskKind.ARBITRAGE:
            return np.zeros(len(mean_price))
        more_wh = ((self._store_wh(soc) - self._store_wh(soc0)) * capacity).sum(axis=1)
        return -mean_price * self._meter_kwh(more_wh)

    def _store_wh(self, soc: Floats) -> Floats:
        """Return the energy of a new series element at `soc`."""
        return np.interp(soc, self._grid, self._stored_wh)

    def _meter_kwh(self, energy_wh: Floats) -> Floats:
        """Return what the grid meters for the energy at the terminals: less goes out, more comes in."""
        efficiency = self._weights.efficiency
        return np.where(energy_wh > 0.0, energy_wh * efficiency, energy_wh / efficiency) / 1e3
