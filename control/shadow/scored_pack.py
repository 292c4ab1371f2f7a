"""A pack on the circuits of the cell file that is scored as a task scores it, in turns of a bench's loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from control.observed_pack import ObservedPack
from control.ports import CurrentRange
from control.shield import Shield, make_shield_settings
from control.tasks.cost import TaskCosts
from control.tasks.episodes import Episodes
from control.tasks.pack_batch import PackBatch, PackStep
from control.tasks.shadow import StepScore
from control.tasks.simulation import NEEDED
from drivers.snapshot import Estimate, PackReading
from twin import ecm
from twin.cell_table import OCV

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats
    from twin.ports import PackSpec

_JOIN: Final[dict[str, Any]] = {"energy": np.sum, "charge": np.sum, "wear": np.sum, "high": np.max}  # others: the least
NO_TURN: Final = np.zeros(1)
FIRST: Final = np.zeros(1, np.intp)


class ScoredPack:
    """One pack of `spec` under a current of turns of `period_s`; costs, limits and shield are those of `task`.

    The shield looks one step of the task ahead, and what it allows stays for that step, as in the task.
    """

    def __init__(self, task: ControlTask, spec: PackSpec, period_s: float) -> None:
        cell, share = task.cell, spec.cell_ah / task.cell.capacity_ah
        own = task.pack.model_copy(update={"cells": spec.cells, "parallel": spec.parallel})
        turn = task.model_copy(update={"step_s": period_s, "substep_s": period_s, "pack": own})
        self.charge_a, self.discharge_a = turn.charge_a * share, turn.discharge_a * share
        self._needed_a = NEEDED * turn.rating_a * share
        self._spec, self._share, self._period_s = spec, share, period_s
        self._rest_v = np.linspace(0.0, 1.0, cell.circuit.rows.shape[1]), cell.circuit.rows[OCV]
        self._costs = TaskCosts(turn)
        self._observed = ObservedPack(cell, spec.parallel * share)
        self._shield = Shield(cell, make_shield_settings(task, spec.parallel * share))
        self._safe, self._violation_eur = CurrentRange(0.0, 0.0), task.cost.violation_eur
        self._requested_a, self._taken_a = list[float](), list[float]()  # of the turns of this step
        self._packs = PackBatch(turn, self._make_episode(spec.soc0))
        self._current_a = 0.0

    def _make_episode(self, soc: Floats) -> Episodes:
        """Return a start at rest; sensors of a twin have no faults."""
        spec = self._spec
        return Episodes(
            soc0=soc[None],
            capacity=(spec.capacity_factor * self._share)[None],
            resistance=spec.resistance_factor[None],
            ambient_k=np.array([spec.ambient_k]),
            voltage_bias_v=NO_TURN,
            current_bias_a=NO_TURN,
            temperature_bias_k=NO_TURN,
            soc_error=NO_TURN,
            voltage_noise_v=np.zeros((1, 1, 2)),
            signal=np.zeros((1, 1)),
        )

    def begin(self, soc: Floats, temperature_k: Floats) -> None:
        """Begin again at rest, at these states; where one is not known, as the bench file declares the pack."""
        known = np.where(np.isfinite(soc), soc, self._spec.soc0)
        self._packs.restart(FIRST, self._make_episode(known))
        self.correct(soc, temperature_k)
        self._observed.restart(FIRST)
        self._current_a = 0.0

    def correct(self, soc: Floats, temperature_k: Floats) -> None:
        """Take over what is known of each cell; the voltages across its RC pairs stay."""
        for row, values in ((ecm.SOC, soc), (ecm.KELVIN, temperature_k)):
            own = self._packs.read(row)[0]
            np.copyto(own, values, where=np.isfinite(values))

    def copy_from(self, other: ScoredPack) -> None:
        """Continue from the state of another pack of the same kind."""
        arrays = other._packs.list_arrays()  # of its own class
        for name, array in self._packs.list_arrays().items():
            array[...] = arrays[name]
        self._safe = other._safe
        self._requested_a, self._taken_a = [], []

    def begin_step(self, dt_s: float) -> None:
        """Begin a step of the task, `dt_s` after the last one: the shield decides what it allows for this step."""
        soc, voltage_v, kelvin = (self._find_extremes(row) for row in (ecm.SOC, ecm.VOLTAGE, ecm.KELVIN))
        seen = self._observed.observe(np.array([self._current_a]), soc, voltage_v, kelvin, dt_s)
        charge_a, discharge_a = self._shield.find_range(seen)[:, 0].tolist()
        self._safe = CurrentRange(charge_a, discharge_a)
        self._requested_a, self._taken_a = [], []

    def follow(self, current_a: Floats) -> None:
        """Advance under what flowed in each turn, without a score; a value that is not known counts as 0 A."""
        known_a = np.nan_to_num(current_a)
        for one_a in known_a:
            self._packs.step(np.array([one_a]))
        self._current_a = float(known_a.mean()) if len(known_a) else self._current_a

    def take(self, requested_a: float) -> PackStep:
        """Advance by one turn under a request, as far as the shield allows it."""
        self._requested_a.append(requested_a)
        self._current_a = min(max(requested_a, -self._safe.charge_a), self._safe.discharge_a)
        self._taken_a.append(self._current_a)
        return self._packs.step(np.array([self._current_a]))

    def end_step(self, turns: Sequence[PackStep], duty_a: Floats) -> StepScore:
        """Return the score of the step of these turns: tracking, wear, and a limit that was broken.

        The task has no price of energy or of time: it follows a duty.
        """
        safe_a, requested_a = np.array(self._taken_a), np.array(self._requested_a)
        whole = join(turns)
        tracking_eur = float(self._costs.price_tracking(safe_a, duty_a).sum())
        is_broken = bool(self._costs.find_broken(whole)[0])
        cost_eur = tracking_eur + self._costs.wear_eur * float(whole.wear[0]) + self._violation_eur * is_broken
        return StepScore(cost_eur, is_broken, bool((np.abs(safe_a - requested_a) > self._needed_a).any()))

    def read(self, t_s: float) -> tuple[PackReading, Estimate]:
        """Return what sensors and an estimator without errors show."""
        soc, voltage_v, kelvin = (self._packs.read(row)[0].copy() for row in (ecm.SOC, ecm.VOLTAGE, ecm.KELVIN))
        nothing = np.zeros(self._spec.cells)
        return PackReading(t_s, self._current_a, nothing, voltage_v, kelvin), Estimate(soc, nothing)

    def _find_extremes(self, row: int) -> Floats:
        values = self._packs.read(row)
        return np.array([values.min(axis=1), values.max(axis=1)])


def join(turns: Sequence[PackStep]) -> PackStep:
    """Return what happened over several turns as one step."""
    fields = {name: np.array([getattr(turn, name) for turn in turns]) for name in PackStep._fields}
    joined = {name: _JOIN.get(name.partition("_")[0], np.min)(values, axis=0) for name, values in fields.items()}
    return PackStep(**joined)
