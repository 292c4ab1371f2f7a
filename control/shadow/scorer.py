"""Scores the controllers of a bench step by step: open loop on the same states, closed loop on a twin of its own."""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from control.current_profile import read_current_profile
from control.ports import CurrentRange
from control.shadow.scored_pack import ScoredPack
from control.shadow.scores import TASK, ShadowScore
from control.tasks.task import find_task, read_task, replace_cell

if TYPE_CHECKING:
    from control.ports import Controller
    from control.shadow.scores import ShadowLane, ShadowOrder, ShadowStep
    from control.tasks.pack_batch import PackStep
    from control.tasks.shadow import StepScore
    from drivers.snapshot import Floats


@dataclass
class Sum:
    """Cost (EUR), violations and interventions so far; NaN for ever after a turn that is not known."""

    cost_eur: float = 0.0
    violations: float = 0.0
    interventions: float = 0.0

    def add(self, step: StepScore) -> None:
        self.cost_eur += step.cost_eur
        self.violations += step.is_broken
        self.interventions += step.is_changed

    def stop(self) -> None:
        self.cost_eur = self.violations = self.interventions = math.nan


@dataclass
class ScoredLane:
    """One controller: its sums, and its own instance with its own pack; `own` is None once it has failed."""

    pack: ScoredPack
    own: Controller | None
    opened: Sum = field(default_factory=Sum)
    closed: Sum = field(default_factory=Sum)

    def make_score(self) -> ShadowScore:
        opened, closed = self.opened, self.closed
        return ShadowScore(
            *(opened.cost_eur, opened.violations, opened.interventions),
            *(closed.cost_eur, closed.violations, closed.interventions),
        )


class ShadowScorer:
    """Scores what an order names; a controller that fails here has no closed loop from then on."""

    def __init__(self, order: ShadowOrder) -> None:
        task = replace_cell(read_task(find_task(TASK)), order.pack.cell)
        self._period_s = order.period_s
        self._duty = read_current_profile(order.lanes[0].settings, order.pack.element_ah)
        self._bench, self._trial = (ScoredPack(task, order.pack, order.period_s) for _ in range(2))
        self._lanes = {
            lane.name: ScoredLane(ScoredPack(task, order.pack, order.period_s), _build(lane, order))
            for lane in order.lanes
        }
        self._t_s = 0.0

    def score(self, step: ShadowStep) -> dict[str, ShadowScore]:
        """Return the score of each controller after one more step."""
        turns, passed_s = len(step.current_a), len(step.current_a) * self._period_s
        times_s = self._t_s + self._period_s * np.arange(turns, dtype=np.float64)
        duty_a = self._duty.at(times_s)
        if step.is_start:
            self._begin(step)
        self._bench.correct(step.soc, step.temperature_k)
        self._bench.begin_step(0.0 if step.is_start else passed_s)
        for place, lane in enumerate(self._lanes.values()):
            self._try_step(lane, step.requests_a[:, place].tolist(), duty_a)
            self._drive(lane, times_s.tolist(), duty_a, 0.0 if step.is_start else passed_s)
        self._bench.follow(step.current_a)
        self._t_s += passed_s
        return {name: lane.make_score() for name, lane in self._lanes.items()}

    def _begin(self, step: ShadowStep) -> None:
        """Let the bench's model and every twin begin at the state of the bench."""
        for pack in (self._bench, *(lane.pack for lane in self._lanes.values())):
            pack.begin(step.soc, step.temperature_k)
        for lane in self._lanes.values():
            self._decide(lane, self._t_s, 0.0)  # as in the turns before a run: no time of the duty passes

    def _try_step(self, lane: ScoredLane, requests_a: list[float], duty_a: Floats) -> None:
        """Score the requests from the state of the bench, on a copy of it."""
        if not np.isfinite(requests_a).all():
            lane.opened.stop()  # the lane has failed
            return
        self._trial.copy_from(self._bench)
        turns = [self._trial.take(requested_a) for requested_a in requests_a]
        lane.opened.add(self._trial.end_step(turns, duty_a))

    def _drive(self, lane: ScoredLane, times_s: list[float], duty_a: Floats, passed_s: float) -> None:
        """Let the controller drive its own pack."""
        lane.pack.begin_step(passed_s)
        turns: list[PackStep] = []
        for t_s in times_s:
            requested_a = self._decide(lane, t_s, self._period_s)
            if not math.isfinite(requested_a):
                lane.own = None
                lane.closed.stop()
                return
            turns.append(lane.pack.take(requested_a))
        lane.closed.add(lane.pack.end_step(turns, duty_a))

    def _decide(self, lane: ScoredLane, t_s: float, dt_s: float) -> float:
        """Return the request of the controller on its own pack; NaN if it failed."""
        if lane.own is None:
            return math.nan
        reading, estimate = lane.pack.read(t_s)
        allowed = CurrentRange(lane.pack.charge_a, lane.pack.discharge_a)
        try:
            return float(lane.own.decide(reading, estimate, allowed, dt_s).current_a)
        except Exception:  # noqa: BLE001  # it may fail in any way; the others go on
            lane.own = None
            return math.nan


def _build(lane: ShadowLane, order: ShadowOrder) -> Any:
    try:
        return importlib.import_module(lane.module).build(order.pack, lane.settings)
    except Exception:  # noqa: BLE001  # its lane on the bench has failed too, and says why
        return None
