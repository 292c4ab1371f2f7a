"""The policy that ships with the bench is the one that its record describes, and the lane trusts it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from control.rl import lane
from control.rl.lane import find_distrust
from control.rl.policy import Policy
from control.rl.seed_training import MOST_INTERVENTIONS
from control.rl.validation import SEED, validate
from control.tasks.task import find_task, read_task

POLICY: Final = Path(lane.__file__).parent / "policies" / "duty_tracking.onnx"
RECORD: Final[dict[str, Any]] = tomllib.loads(POLICY.with_suffix(".toml").read_text(encoding="utf-8"))
TASK: Final = read_task(find_task("duty_tracking"))


def test_it_is_small_and_in_order() -> None:
    policy = Policy.load(POLICY)
    assert POLICY.stat().st_size < 200_000
    assert find_distrust(policy, TASK) == ""


def test_its_record_names_what_made_it() -> None:
    info = Policy.load(POLICY).info
    assert RECORD["policy_sha256"] == Policy.load(POLICY).sha256
    assert (RECORD["task_sha256"], RECORD["cell_sha256"]) == (TASK.sha256, TASK.cell.sha256)
    assert (RECORD["algorithm"], RECORD["seed"]) == (info.algorithm, info.seed)
    assert RECORD["command"].startswith("python main.py train duty_tracking")
    assert len({len(values) for values in RECORD["curve"].values()}) == 1


def test_it_is_as_good_as_its_record_says() -> None:
    packs = 8
    tried = validate(TASK, Policy.load(POLICY).act, seed=SEED, packs=packs)
    rested = validate(TASK, lambda observations: 0.0 * observations[:, 0], seed=SEED, packs=packs)
    assert tried.violations == 0.0
    assert tried.interventions <= MOST_INTERVENTIONS
    assert tried.cost_eur < 0.3 * rested.cost_eur
    assert RECORD["cost_eur"] == pytest.approx(tried.cost_eur, rel=0.5), "of other packs"
