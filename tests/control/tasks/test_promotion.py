"""The gates of a promotion: a good policy passes all, a bad one is refused for its own reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.rl.policy import Policy
from control.tasks import promotion_gates as gates
from control.tasks.adversaries import AdversaryKind
from control.tasks.fast_judge import FastScore, run_fast_episodes
from control.tasks.promotion_gates import PromotionGate, PromotionVerdict
from control.tasks.promotion_judge import JudgeEffort, PromotionJudge, judge_monitors, make_result
from control.tasks.promotion_rules import FILE, read_rules
from control.tasks.simulation import TaskSimulation
from drivers.errors import BenchFileError
from tests.control.rl.handmade import make_policy
from tests.control.tasks.small import make_rules, make_task, write_rules

if TYPE_CHECKING:
    from pathlib import Path

    from control.tasks.task import ControlTask


def judge(
    folder: Path, task: ControlTask, data: bytes, effort: JudgeEffort | None = None, **rules: str
) -> tuple[PromotionVerdict, dict[str, PromotionGate]]:
    path = folder / "policy.onnx"
    path.write_bytes(data)
    asked = make_rules(folder, **rules)
    wanted = effort or JudgeEffort(asked.fast.episodes, asked.adversarial.episodes, asked.cost.days)
    said: list[str] = []
    found = list(PromotionJudge(path, task, asked, wanted, said.append).run())
    assert all(gate.reason for gate in found if gate.is_passed is not True)
    return gates.decide(found), {gate.name: gate for gate in found}


def failed(found: dict[str, PromotionGate]) -> set[str]:
    return {name for name, gate in found.items() if gate.is_passed is False}


FEW = JudgeEffort(30, 1, 2)


@pytest.mark.long
def test_a_policy_that_knows_its_limits_passes_every_gate(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    verdict, found = judge(tmp_path, task, make_policy(task))
    assert failed(found) == set()
    assert verdict is PromotionVerdict.PROMOTED
    assert found["no violation"].values["episodes"] == 3000
    assert found["no violation"].values["bound"] < 0.001
    assert set(map(str, AdversaryKind)) < set(found)


def test_an_unsafe_policy_is_refused_because_it_needs_the_shield(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    verdict, found = judge(tmp_path, task, make_policy(task, 0.0, bias=0.9, is_limited=False), FEW)
    assert verdict is PromotionVerdict.REFUSED
    assert "interventions" in failed(found)
    assert found["interventions"].values["broken_without_shield"] > 0
    assert found["no violation"].is_passed, "with the shield nothing is broken: that gate only tests the shield"


def test_a_policy_whose_training_did_not_cover_the_task_is_refused(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    names = len(Policy(make_policy(task), "by hand").info.names)
    verdict, found = judge(tmp_path, task, make_policy(task, low=(0.5,) + (-1e4,) * (names - 1)), FEW)
    assert verdict is PromotionVerdict.REFUSED
    assert failed(found) == {"trained range"}
    assert "soc = " in found["trained range"].reason


def test_actions_beyond_the_rating_are_refused(tmp_path: Path) -> None:
    task, path = make_task(tmp_path), tmp_path / "policy.onnx"
    path.write_bytes(make_policy(task, 0.0, bias=-3.0, is_limited=False))
    score = run_fast_episodes(path, task, 1000, 0, 10)
    found = {gate.name: gate for gate in gates.check_fast(score, score, read_rules(FILE).fast, 10)}
    assert found["actions in range"].is_passed is False
    assert found["actions in range"].values["wrong"] == 10 * task.steps


def test_a_tampered_policy_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    honest, other = make_policy(task), np.float32(10.5).tobytes()
    assert honest.count(np.float32(10.0).tobytes()) == 1
    verdict, found = judge(tmp_path, task, honest.replace(np.float32(10.0).tobytes(), other))
    assert verdict is PromotionVerdict.REFUSED
    assert failed(found) == {"golden vectors"}
    assert "was changed after its training" in found["golden vectors"].reason
    assert found["cost"].is_passed is None


@pytest.mark.parametrize(
    ("change", "gate"),
    [({"cell_sha256": "0" * 64}, "cell hash"), ({"task_sha256": "0" * 64}, "task hash")],
)
def test_a_policy_for_another_cell_or_task_is_refused(change: dict[str, Any], gate: str, tmp_path: Path) -> None:
    task = make_task(tmp_path)
    verdict, found = judge(tmp_path, task, make_policy(task, **change))
    assert (verdict, failed(found)) == (PromotionVerdict.REFUSED, {gate})
    assert found[gate].evidence.startswith("trained for 00000000")


def test_a_shortened_judgement_never_promotes_but_may_refuse(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    verdict, found = judge(tmp_path, task, make_policy(task), JudgeEffort(30, 1, 6))
    assert verdict is PromotionVerdict.NOT_JUDGED
    assert found["no violation"].is_shortened
    assert not found["cost beside rule"].is_shortened


def test_a_policy_that_costs_more_than_the_peer_is_refused(tmp_path: Path) -> None:
    rules = read_rules(FILE).cost
    peer = -0.05 + 0.01 * np.random.default_rng(1).standard_normal(100)
    assert gates.check_cost(peer + 0.0005, peer, rules, 100).is_passed
    dear = gates.check_cost(peer + 0.002, peer, rules, 100)
    assert dear.is_passed is False
    assert "more than 2 % over mpc" in dear.reason
    assert dear.values["difference"] == pytest.approx(0.04, abs=0.005)


def test_enough_episodes_are_needed_and_one_violation_is_too_many() -> None:
    rules = read_rules(FILE).fast
    good = FastScore(episodes=3000, actions=9000)
    for score, passes in ((good, True), (replace(good, violated=1, broken=1), False)):
        found = {gate.name: gate for gate in gates.check_fast(score, good, rules, 3000)}
        assert found["no violation"].is_passed is passes
    few = {gate.name: gate for gate in gates.check_fast(replace(good, episodes=2000), good, rules, 3000)}
    assert few["no violation"].is_passed is False, "2000 episodes do not show less than 0.1 %"
    five = replace(good, interventions=460)
    found = {gate.name: gate for gate in gates.check_fast(five, good, rules, 3000)}
    assert found["interventions"].is_passed is False


def test_the_fast_score_of_parts_is_that_of_the_whole(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    path = tmp_path / "p.onnx"
    path.write_bytes(make_policy(task, 20.0, is_limited=False))
    whole = run_fast_episodes(path, task, 1000, 0, 20)
    parts = run_fast_episodes(path, task, 1000, 0, 12) + run_fast_episodes(path, task, 1000, 12, 8)
    assert replace(whole, cost_eur=0.0) == replace(parts, cost_eur=0.0)
    assert whole.cost_eur == pytest.approx(parts.cost_eur)
    policy, simulation, total_eur = Policy.load(path), TaskSimulation(task, 1000, 20), 0.0
    for _ in range(task.steps):
        action = np.clip(policy.act(simulation.observation), -1.0, 1.0)
        total_eur += float(simulation.step(action * task.rating_a).cost_eur.sum())
    assert whole.cost_eur == pytest.approx(total_eur)
    assert whole.actions == 20 * task.steps


def test_the_monitors_hand_over_what_is_unknown_far_outside_or_late(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    rules = make_rules(tmp_path)
    assert judge_monitors(Policy(make_policy(task), "by hand"), task, rules).is_passed
    names = len(Policy(make_policy(task), "by hand").info.names)
    endless = make_policy(task, low=(-1e9,) * names, high=(1e9,) * names)
    careless = judge_monitors(Policy(endless, "by hand"), task, rules)
    assert careless.is_passed is False
    assert "far outside" in careless.reason


def test_the_result_names_policy_rules_and_verdict(tmp_path: Path) -> None:
    task, rules = make_task(tmp_path), make_rules(tmp_path)
    policy = Policy(make_policy(task), "by hand")
    result = make_result(policy, task, rules, gates.check_identity(policy, task))
    assert result["schema"] == "pulsebms.promotion/1"
    assert result["policy"]["sha256"] == policy.sha256
    assert result["rules"] == {"version": 1, "sha256": rules.sha256}
    assert result["verdict"] == "promoted"
    assert gates.decide([]) is PromotionVerdict.NOT_JUDGED


def test_a_mistake_in_the_rules_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BenchFileError, match="days") as caught:
        read_rules(write_rules(tmp_path, **{"days = 100": "days = 0"}))
    assert caught.value.line
