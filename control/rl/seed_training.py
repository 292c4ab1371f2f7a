"""The training of one seed: its curve, its best policy by validation, its checkpoint. It touches no file."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch

from control.rl.checkpoint import decode_checkpoint, encode_checkpoint
from control.rl.cpo import CpoLearner
from control.rl.export import export_policy
from control.rl.sac import SacLearner
from control.rl.validation import PACKS, SEED, validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from control.rl.learner import Learner, LearnerFigures
    from control.rl.networks import Actor
    from control.rl.validation import Validation
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

ALGORITHMS: Final[dict[str, Callable[[ControlTask, int], Learner]]] = {"sac": SacLearner, "cpo": CpoLearner}
MOST_INTERVENTIONS: Final = 0.05  # share of the actions; a policy that needs the shield more often is not chosen


@dataclass(frozen=True)
class SeedJob:
    """What one seed trains. A row of its curve comes every `row_steps` pack-steps, after a validation on `packs`."""

    task: ControlTask
    algorithm: str
    seed: int
    row_steps: int = 32_000
    packs: int = PACKS

    def describe(self) -> dict[str, Any]:
        """Return what must be the same for a checkpoint to be continued."""
        market, prices = self.task.market, self.task.prices
        return {
            "task": self.task.name,
            "task_sha256": self.task.sha256,
            "varies": self.task.varies.model_dump_json(),
            "cell_sha256": self.task.cell.sha256,
            "algorithm": self.algorithm,
            "seed": self.seed,
            "row_steps": self.row_steps,
            "packs": self.packs,
            "prices_sha256": None if market is None else market.table.sha256,
            "prices": None if market is None or prices is None else prices.model_dump_json(),
        }


class CurveRow(NamedTuple):
    """One row of a curve after `steps` pack-steps.

    `return_eur` is the negative cost of an episode under the mean action, on the validation episodes;
    `train_return_eur` that of the latest training episodes. `interventions` and `violations` are shares of the steps
    of the validation; `constraint`: the measured share that the multiplier holds at its limit.
    """

    steps: int
    return_eur: float
    train_return_eur: float
    constraint: float
    multiplier: float
    temperature: float
    interventions: float
    violations: float
    critic_loss: float
    actor_loss: float


class SeedTraining:
    """One training, from its start or from a checkpoint; `rows` is its curve, `alarm` why it cannot go on."""

    def __init__(self, job: SeedJob, checkpoint: bytes | None = None, where: str = "the checkpoint") -> None:
        """Raise `RunLogError` for a checkpoint of another training."""
        torch.set_num_threads(1)  # sums of several threads are not repeatable
        self._job, self._learner = job, ALGORITHMS[job.algorithm](job.task, job.seed)
        self.rows: list[CurveRow] = []
        self.alarm = ""
        self._best, self._best_rank = copy.deepcopy(self._learner.actor.state_dict()), (np.inf, np.inf)
        self._best_steps = 0
        if checkpoint is not None:
            self._restore(decode_checkpoint(checkpoint, job.describe(), where))

    @property
    def steps(self) -> int:
        return self._learner.collector.steps

    def advance(self) -> CurveRow:
        """Train up to the next row; keep the policy if it is the best so far. Do nothing more after an alarm."""
        turns = max(1, round(self._job.row_steps / self._learner.collector.packs))
        figures = self._learner.advance(turns)
        self.alarm = figures.find_alarm()
        tried = validate(self._job.task, self._decide, packs=self._job.packs)
        if not self.alarm:
            self._keep_best(tried)
        self.rows.append(self._make_row(figures, tried))
        return self.rows[-1]

    def save(self) -> bytes:
        """Return the checkpoint."""
        best = {"actor": self._best, "rank": list(self._best_rank), "steps": self._best_steps}
        state = {"learner": self._learner.get_state(), "best": best, "rows": [list(row) for row in self.rows]}
        return encode_checkpoint(state, self._job.describe())

    def export(self) -> tuple[bytes, dict[str, Any]]:
        """Return the best policy as a file, and its figures on the validation episodes."""
        job, collector, actor = self._job, self._learner.collector, self._make_best()
        seen, spread = collector.observation, (collector.low, collector.high)
        data = export_policy(job.task, actor, algorithm=job.algorithm, seed=job.seed, seen=seen, spread=spread)
        tried, bare = (self.judge(SEED, job.packs, shielded=shielded) for shielded in (True, False))
        return data, {
            "steps": self._best_steps,
            "cost_eur": tried.cost_eur,
            "interventions": tried.interventions,
            "violations": tried.violations,
            "violations_without_shield": bare.violations,
        }

    def judge(self, seed: int, packs: int, *, shielded: bool = True) -> Validation:
        """Return the figures of the best policy on the episodes of `seed`."""
        actor = self._make_best()

        def decide(observations: Floats) -> Floats:
            return _decide(actor, observations)

        return validate(self._job.task, decide, seed=seed, packs=packs, shielded=shielded)

    def _make_best(self) -> Actor:
        actor = copy.deepcopy(self._learner.actor)
        actor.load_state_dict(self._best)
        return actor

    def _decide(self, observations: Floats) -> Floats:
        return _decide(self._learner.actor, observations)

    def _keep_best(self, tried: Validation) -> None:
        rank = max(0.0, tried.interventions - MOST_INTERVENTIONS), tried.cost_eur
        if rank < self._best_rank:
            self._best, self._best_rank = copy.deepcopy(self._learner.actor.state_dict()), rank
            self._best_steps = self.steps

    def _make_row(self, figures: LearnerFigures, tried: Validation) -> CurveRow:
        return CurveRow(
            self.steps,
            -tried.cost_eur,
            -self._learner.collector.recent_cost_eur,
            figures.constraint,
            figures.multiplier,
            figures.temperature,
            tried.interventions,
            tried.violations,
            figures.critic_loss,
            figures.actor_loss,
        )

    def _restore(self, state: dict[str, Any]) -> None:
        self._learner.set_state(state["learner"])
        self.rows = [CurveRow(*row) for row in state["rows"]]
        best = state["best"]
        self._best, self._best_rank, self._best_steps = best["actor"], tuple(best["rank"]), best["steps"]


@torch.no_grad()
def _decide(actor: Any, observations: Floats) -> Floats:
    actions: Floats = actor.decide(torch.as_tensor(observations, dtype=torch.float32)).numpy().astype(np.float64)
    return actions
