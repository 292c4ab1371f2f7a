"""Judges a policy by the rules of a promotion, gate after gate; the file of the result goes into a bundle."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from control.ports import Fallback
from control.tasks import promotion_gates as gates
from control.tasks.adversaries import Adversary, AdversaryKind
from control.tasks.controllers import build_policy_controller, load_policy
from control.tasks.episode_runner import EpisodeRunner, run_episode, run_in_processes
from control.tasks.fast_judge import PACKS, FastScore, run_fast_episodes
from drivers.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from control.rl.policy import Policy
    from control.tasks.episode_runner import EpisodeScore
    from control.tasks.promotion_gates import PromotionGate
    from control.tasks.promotion_rules import PromotionRules
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

SCHEMA: Final = "pulsebms.promotion/1"
STRANGER: Final = "the policy is not the one that was trained for this task"
FAR: Final = 1e6


@dataclass(frozen=True)
class JudgeEffort:
    """How many episodes are run. Less than the rules ask for is a shortened judgement, which never promotes."""

    fast: int
    adversarial: int
    days: int
    processes: int = 1


@dataclass(frozen=True)
class PromotionJudge:
    """Judges the policy of a file for a task; `say` gets lines of progress."""

    path: Path
    task: ControlTask
    rules: PromotionRules
    effort: JudgeEffort
    say: Callable[[str], None]

    def run(self) -> Iterator[PromotionGate]:
        """Yield each gate as soon as it is judged; raise `BenchFileError` for what is no policy."""
        policy = load_policy(str(self.path))
        identity = gates.check_identity(policy, self.task)
        yield from identity
        if not all(gate.is_passed for gate in identity):
            names = "fast environment", *map(str, AdversaryKind), "cost", "monitors"
            yield from (gates.skip(name, STRANGER) for name in names)
            return
        score, bare = self._run_fast(shielded=True), self._run_fast(shielded=False)
        yield from gates.check_fast(score, bare, self.rules.fast, self.effort.fast)
        for kind in AdversaryKind:
            yield self._judge_adversary(kind)
        yield self._judge_cost()
        yield judge_monitors(policy, self.task, self.rules)

    def _run_fast(self, *, shielded: bool) -> FastScore:
        words, score, most = ("with" if shielded else "without"), FastScore(), self.effort.fast
        run = partial(run_fast_episodes, self.path, self.task, self.rules.fast.seed, shielded=shielded)
        calls = [partial(run, first, min(PACKS, most - first)) for first in range(0, most, PACKS)]
        for part in run_in_processes(calls, self.effort.processes):
            score += part
            self.say(f"fast environment {words} the shield: {score.episodes} of {most} episodes")
        return score

    def _judge_adversary(self, kind: AdversaryKind) -> PromotionGate:
        own, scores, instead = self.rules.adversarial, list["EpisodeScore"](), self.rules.monitors.instead
        trouble = Adversary(kind, own, self.task, own.seed)
        run = partial(run_episode, str(self.path), self.task, own.seed, instead=instead, model=own.model)
        calls = [partial(run, number, disturbance=trouble) for number in range(self.effort.adversarial)]
        for score in run_in_processes(calls, self.effort.processes):
            scores.append(score)
            self.say(f"{kind} on {own.model}: {len(scores)} of {len(calls)} episodes")
        return gates.check_adversary(kind, scores, own, self.effort.adversarial)

    def _judge_cost(self) -> PromotionGate:
        own, costs, instead = self.rules.cost, list[float](), self.rules.monitors.instead
        calls = [
            partial(run_episode, name, self.task, own.seed, day, instead=instead)
            for day in range(self.effort.days)
            for name in (str(self.path), own.peer)
        ]
        for score in run_in_processes(calls, self.effort.processes):
            costs.append(score.cost_eur)
            self.say(f"cost beside {own.peer}: {len(costs) // 2} of {self.effort.days} days")
        policy_eur, peer_eur = np.array(costs).reshape(-1, 2).T
        return gates.check_cost(policy_eur, peer_eur, own, self.effort.days)


def judge_monitors(policy: Policy, task: ControlTask, rules: PromotionRules) -> PromotionGate:
    """Try the monitors: what is unknown, far outside, or late must hand over to `instead`."""
    names = len(policy.info.names)
    trials: dict[str, tuple[Floats, Floats]] = {  # observation, and what a clock shows
        "unknown value": (np.full(names, np.nan), np.zeros(2)),
        "far outside": (np.full(names, FAR), np.zeros(2)),
        "late answer": (np.array(policy.info.golden_observations[0]), np.array([0.0, 2.0 * rules.monitors.deadline_s])),
    }
    failed: list[str] = []
    for trial, (observation, times) in trials.items():
        runner, clock = EpisodeRunner(task, rules.fast.seed, 0), iter(times.tolist())
        controller = build_policy_controller(
            policy,
            task,
            runner.signal,
            partial(np.copy, observation),
            rules.monitors.instead,
            deadline_s=rules.monitors.deadline_s,
            now=partial(next, clock),
        )
        if runner.ask(controller, []).fallback is not Fallback.OTHER:
            failed.append(trial)
    evidence = f"tried: {', '.join(trials)}; deadline {1e3 * rules.monitors.deadline_s:g} ms"
    reason = f"the policy still decides after: {', '.join(failed)}" if failed else ""
    return gates.PromotionGate("monitors", not failed, evidence, reason)


def make_result(
    policy: Policy, task: ControlTask, rules: PromotionRules, judged: Sequence[PromotionGate]
) -> dict[str, Any]:
    """Return the content of the file of a result."""
    info = policy.info
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "verdict": str(gates.decide(judged)),
        "policy": {"sha256": policy.sha256, "algorithm": info.algorithm, "seed": info.seed},
        "task": {"name": task.name, "sha256": task.sha256},
        **({} if task.market is None else {"prices": task.market.describe()}),
        "cell": {"name": task.cell.name, "sha256": task.cell.sha256},
        "rules": {"version": rules.version, "sha256": rules.sha256},
        "gates": [asdict(gate) for gate in judged],
    }
