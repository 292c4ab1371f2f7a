"""The gates of a promotion: each takes its evidence and says whether it holds, and why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from control.rl.policy import TOLERANCE
from control.tasks.observation import Observer
from control.tasks.statistics import bound_relative_difference, bound_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.rl.policy import Policy
    from control.tasks.adversaries import AdversaryKind
    from control.tasks.episode_runner import EpisodeScore
    from control.tasks.fast_judge import FastScore
    from control.tasks.price_table import PriceTable
    from control.tasks.promotion_rules import AdversarialRules, CostRules, FastRules
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

SHORT: Final = 8  # characters of a hash


class PromotionVerdict(StrEnum):
    """What a judge decides. A judgement that was shortened never promotes."""

    PROMOTED = "promoted"
    REFUSED = "refused"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class PromotionGate:
    """One gate: `is_passed` is None if it was not judged; `evidence` in words, `values` for scripts."""

    name: str
    is_passed: bool | None
    evidence: str
    reason: str = ""
    is_shortened: bool = False
    values: dict[str, Any] = field(default_factory=dict[str, Any])


def decide(gates: Sequence[PromotionGate]) -> PromotionVerdict:
    """Return the verdict: a failed gate refuses, whatever was shortened."""
    if any(gate.is_passed is False for gate in gates):
        return PromotionVerdict.REFUSED
    if not gates or any(gate.is_passed is None or gate.is_shortened for gate in gates):
        return PromotionVerdict.NOT_JUDGED
    return PromotionVerdict.PROMOTED


def check_identity(policy: Policy, task: ControlTask) -> tuple[PromotionGate, ...]:
    """Check that the policy is what its training wrote, for this task and cell, and has not seen the judged days."""
    worst, info = policy.find_golden_error(), policy.info
    evidence = f"{len(info.golden_actions)} vectors, at most {worst:.2g} off, limit {TOLERANCE:g}"
    repeats = worst <= TOLERANCE
    changed = "the file was changed after its training, or this machine computes otherwise"
    golden = _gate("golden vectors", holds=repeats, evidence=evidence, reason=changed, error=worst)
    return (
        golden,
        _compare("cell", info.cell_sha256, task.cell.sha256),
        _compare("task", info.task_sha256, task.sha256),
        _gate(
            "observation",
            holds=info.names == Observer(task).names,
            evidence=f"{len(info.names)} values",
            reason="the policy observes other values than this version gives",
        ),
        *(() if task.market is None else (_check_unseen(policy, task.market.table),)),
    )


def _check_unseen(policy: Policy, table: PriceTable) -> PromotionGate:
    """Check that no day of a price table was in the training: seeds do not part the days of a table."""
    seen = count_trained_days(policy, table)
    return _gate(
        "unseen prices",
        holds=seen == 0,
        evidence=f"{seen} of {len(table.days)} days of {table.path.name} were in the training",
        reason="it is judged on days that it was trained on",
        seen=seen,
        days=len(table.days),
    )


def count_trained_days(policy: Policy, table: PriceTable) -> int:
    """Return how many days of a table the policy was trained on."""
    return len(set(policy.info.price_days) & set(table.day_hashes))


def check_fast(score: FastScore, bare: FastScore, rules: FastRules, wanted: int) -> tuple[PromotionGate, ...]:
    """Check the episodes of the fast environment; `bare` are the same without the shield, which are reported."""
    bound = bound_share(score.violated, score.episodes)
    is_shortened, needed = wanted < rules.episodes, _divide(score.interventions, score.actions)
    outside = _divide(score.outside, score.actions)
    safe = f"{score.violated} of {score.episodes} episodes broke a limit, 95 % bound {100.0 * bound:.3g} %"
    alone = f"without the shield {bare.broken} steps in {bare.violated} episodes broke a limit"
    is_safe = score.violated == 0 and (bound < rules.violation_bound or is_shortened)
    return (
        _gate(
            "actions in range",
            holds=score.wrong == 0,
            evidence=f"{score.wrong} of {score.actions} actions are no number, or beyond the rating",
            reason="an action is no number, or beyond the rating",
            is_shortened=is_shortened,
            wrong=score.wrong,
            actions=score.actions,
        ),
        _gate(
            "trained range",
            holds=outside <= rules.outside,
            evidence=f"{100.0 * outside:.3g} % of observations outside, limit {100.0 * rules.outside:g} %",
            reason=f"the training did not cover the task: {score.first_outside}",
            is_shortened=is_shortened,
            share=outside,
        ),
        _gate(
            "no violation",
            holds=is_safe,
            evidence=safe,
            reason="a limit was broken although the shield acted",
            is_shortened=is_shortened,
            violated=score.violated,
            episodes=score.episodes,
            bound=bound,
        ),
        _gate(
            "interventions",
            holds=needed <= rules.interventions,
            evidence=f"{100.0 * needed:.3g} % of actions, limit {100.0 * rules.interventions:g} %; {alone}",
            reason="the policy is unsafe by itself: it relies on the shield",
            is_shortened=is_shortened,
            share=needed,
            broken_without_shield=bare.broken,
            violated_without_shield=bare.violated,
        ),
    )


def check_adversary(
    kind: AdversaryKind, scores: Sequence[EpisodeScore], rules: AdversarialRules, wanted: int
) -> PromotionGate:
    """Check the episodes of one kind of trouble."""
    violated = [score for score in scores if score.violations]
    handed = sum(score.fallbacks for score in scores)
    evidence = f"{len(violated)} of {len(scores)} episodes on {rules.model} broke a limit; {handed} steps handed over"
    first = f"a limit was broken in {sum(score.violations for score in violated)} steps" if violated else ""
    if violated:
        first += f", first in episode {violated[0].number} of seed {violated[0].seed}"
    return _gate(
        str(kind),
        holds=not violated,
        evidence=evidence,
        reason=first,
        is_shortened=wanted < rules.episodes,
        violated=len(violated),
        episodes=len(scores),
        fallbacks=handed,
    )


def check_cost(cost_eur: Floats, peer_eur: Floats, rules: CostRules, wanted: int) -> PromotionGate:
    """Check the cost day by day beside the peer's."""
    more, bound = bound_relative_difference(cost_eur, peer_eur, seed=rules.seed, draws=rules.draws)
    means = f"{cost_eur.mean():.4f} EUR a day, {rules.peer} {peer_eur.mean():.4f} EUR"
    return _gate(
        f"cost beside {rules.peer}",
        holds=bound < rules.margin,
        evidence=f"{len(cost_eur)} days: {means}; {100.0 * more:+.3g} %, 95 % bound {100.0 * bound:+.3g} %",
        reason=f"it may cost more than {100.0 * rules.margin:g} % over {rules.peer}",
        is_shortened=wanted < rules.days,
        cost_eur=float(cost_eur.mean()),
        peer_eur=float(peer_eur.mean()),
        difference=more,
        bound=bound,
    )


def skip(name: str, why: str) -> PromotionGate:
    """Return a gate that was not judged."""
    return PromotionGate(name, None, "not run", why)


def _compare(what: str, trained: str, here: str) -> PromotionGate:
    evidence = f"trained for {trained[:SHORT]}, here {here[:SHORT]}"
    reason = f"the policy was trained for another {what}"
    return _gate(f"{what} hash", holds=trained == here, evidence=evidence, reason=reason)


def _gate(
    name: str, *, holds: bool, evidence: str, reason: str, is_shortened: bool = False, **values: Any
) -> PromotionGate:
    return PromotionGate(name, bool(holds), evidence, "" if holds else reason, is_shortened, values)


def _divide(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
