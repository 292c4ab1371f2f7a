"""The policy that ships with the bench is the one that its record describes, and the lane trusts it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from control.current_profile import read_current_profile
from control.ports import CurrentRange
from control.rl import lane
from control.rl.lane import build, find_distrust
from control.rl.policy import Policy
from control.rl.seed_training import MOST_INTERVENTIONS
from control.rl.validation import validate
from control.tasks.task import find_task, read_task
from drivers.snapshot import Estimate, PackReading
from tests.docs.markdown import ROOT
from twin.cell_parameters import CELL, load_cell
from twin.ecm import EcmPack
from twin.ports import PackSpec

FOLDER: Final = Path(lane.__file__).parent / "policies"
POLICY: Final = FOLDER / "duty_tracking.onnx"
TASK: Final = read_task(find_task("duty_tracking"))
each_policy = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.onnx")), ids=lambda path: path.stem)


def read_record(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))


@each_policy
def test_it_is_small_and_in_order(path: Path) -> None:
    assert path.stat().st_size < 200_000
    assert find_distrust(Policy.load(path), read_task(find_task(path.stem))) == ""


@each_policy
def test_it_does_not_act_beside_another_cell(path: Path) -> None:
    other = load_cell(CELL.with_name("prada2013.toml"))
    said = find_distrust(Policy.load(path), read_task(find_task(path.stem)), other)
    assert said.startswith("the policy was trained for another cell")


@each_policy
def test_its_record_names_what_made_it(path: Path) -> None:
    policy, record, task = Policy.load(path), read_record(path), read_task(find_task(path.stem))
    assert record["policy_sha256"] == policy.sha256
    assert (record["task_sha256"], record["cell_sha256"]) == (task.sha256, task.cell.sha256)
    assert (record["algorithm"], record["seed"]) == (policy.info.algorithm, policy.info.seed)
    assert record["command"].startswith(f"python main.py train {path.stem} ")
    assert len({len(values) for values in record["curve"].values()}) == 1


@each_policy
def test_it_is_as_good_as_its_record_says(path: Path) -> None:
    task, record = read_task(find_task(path.stem)), read_record(path)
    tried = validate(task, Policy.load(path).act)
    rested = validate(task, lambda observations: 0.0 * observations[:, 0])
    assert tried.violations == 0.0
    assert tried.interventions <= MOST_INTERVENTIONS
    assert tried.cost_eur < 0.3 * rested.cost_eur
    assert record["cost_eur"] == pytest.approx(tried.cost_eur, rel=0.01)


def test_it_follows_the_duty_of_the_emulated_bench_and_hands_over_to_nobody() -> None:
    cells, random = 24, np.random.default_rng(24)
    soc0 = 0.62 + 0.01 * random.standard_normal(cells)
    factors = 1.0 + 0.03 * random.standard_normal(cells), 1.0 + 0.08 * random.standard_normal(cells)
    spec = PackSpec(cells, 12, 5.0, soc0, *factors, 298.15)
    duty = ROOT / "fixtures" / "benches" / "duty.csv"
    controller: Any = build(spec, {"policy": str(POLICY), "file": str(duty), "horizon": 12})
    controller._now = lambda: 0.0  # whether an answer is late is not the question here
    twin, current_a, notes, errors_a = EcmPack(spec, TASK.cell.circuit), 0.0, set[str](), list[float]()
    profile = read_current_profile({"file": str(duty)}, 60.0)
    for number in range(400):
        state = twin.step(np.full(cells, current_a), 298.15, 0.1)
        reading = PackReading(0.1 * number, current_a, np.zeros(cells), state.voltage_v, state.temperature_k)
        estimate = Estimate(state.soc, np.full(cells, 0.01))
        decision = controller.decide(reading, estimate, CurrentRange(60.0, 60.0), 0.1 if number else 0.0)
        notes.add(decision.note)
        errors_a.append(decision.current_a - profile.now(0.1 * (number - 1)))
        current_a = decision.current_a
    assert notes == {""}
    assert np.median(np.abs(errors_a)) < 1.0
