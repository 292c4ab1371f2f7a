"""A training: stopped and continued to the same course, alarmed, saved in files that only fit themselves."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
import torch

from control.rl import seed_training
from control.rl.checkpoint import SCHEMA, decode_checkpoint, encode_checkpoint
from control.rl.cpo import CpoLearner, CpoSettings
from control.rl.learner import LearnerFigures
from control.rl.policy import Policy
from control.rl.row_times import TIMES, read_times
from control.rl.sac import SacLearner, SacSettings
from control.rl.seed_training import SeedJob
from control.rl.training import require_fresh
from control.rl.training_names import CHECKPOINT, CURVE, POLICY
from control.tasks.task import find_task, read_task
from drivers.errors import Refused, RunLogError
from tests.control.rl.inline import train

if TYPE_CHECKING:
    from pathlib import Path

    from control.rl.learner import Learner

TASK = read_task(find_task("arbitrage"))
SAC = SacSettings(packs=4, random_steps=20, batch=32, hidden=(16,), capacity=300, measure_every=5)
TURNS = 90  # more than the buffer holds
CPO = CpoSettings(packs=4, turns=24, random_turns=24, hidden=(16,), critic_passes=2)


def make_learner(algorithm: str) -> Learner:
    torch.set_num_threads(1)
    return SacLearner(TASK, 3, SAC) if algorithm == "sac" else CpoLearner(TASK, 3, CPO)


def flatten(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return flatten(list(cast("dict[str, Any]", value).values()))
    parts = cast("list[Any]", value)
    return [one for part in parts for one in flatten(part)] if isinstance(value, list | tuple) else [value]


def assert_same(one: Any, other: Any) -> None:
    """Equal to the last bit, whatever is nested in it."""
    first, second = flatten(one), flatten(other)
    assert len(first) == len(second)
    assert all(
        np.array_equal(np.asarray(a), np.asarray(b), equal_nan=False) for a, b in zip(first, second, strict=True)
    )


@pytest.mark.parametrize("algorithm", [pytest.param("sac", marks=pytest.mark.long), "cpo"])
def test_a_stopped_training_continues_bit_for_bit(algorithm: str) -> None:
    straight, first, second = (make_learner(algorithm) for _ in range(3))
    straight.advance(TURNS)
    course = straight.advance(TURNS)
    first.advance(TURNS)
    saved = encode_checkpoint(first.get_state(), {"seed": 3})
    first.advance(50)  # what goes on after the checkpoint does not reach into it
    second.set_state(decode_checkpoint(saved, {"seed": 3}, "here"))
    assert second.advance(TURNS) == course
    assert second.collector.steps == straight.collector.steps
    assert_same(second.get_state(), straight.get_state())


@pytest.mark.parametrize("algorithm", ["sac", "cpo"])
def test_another_seed_takes_another_course(algorithm: str) -> None:
    other = SacLearner(TASK, 4, SAC) if algorithm == "sac" else CpoLearner(TASK, 4, CPO)
    assert make_learner(algorithm).advance(60) != other.advance(60)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> SeedJob:
    """A job that takes a moment."""
    monkeypatch.setitem(seed_training.ALGORITHMS, "sac", lambda task, seed: SacLearner(task, seed, SAC))
    return SeedJob(TASK, "sac", 0, row_steps=160, packs=3)


def test_a_folder_that_was_stopped_holds_the_same_curve_and_policy_in_the_end(small: SeedJob, tmp_path: Path) -> None:
    rows: list[int] = []
    train([small], tmp_path / "straight", 480)
    train(
        [small],
        tmp_path / "stopped",
        480,
        show=lambda seed: rows.append(seed.steps),
        is_stopped=lambda: len(rows) >= 2,
    )
    assert rows == [160, 320], "it stops after the row"
    train([small], tmp_path / "stopped", 480)
    for name in (CURVE, POLICY):
        straight, stopped = (tmp_path / folder / "seed_0" / name for folder in ("straight", "stopped"))
        assert straight.read_bytes() == stopped.read_bytes(), name


def test_the_times_of_a_continued_training_go_on_where_they_were(small: SeedJob, tmp_path: Path) -> None:
    clock = iter(float(n) for n in range(1000))
    train([small], tmp_path, 320, now=lambda: next(clock))
    path = tmp_path / "seed_0" / TIMES
    first = read_times(path, [160, 320])
    assert 0.0 < first[0] < first[1]
    clock = iter(float(n) for n in range(5000, 6000))
    train([small], tmp_path, 640, now=lambda: next(clock))
    times_s = read_times(path, [160, 320, 480, 640])
    assert times_s[:2] == first
    assert first[1] < times_s[2] < times_s[3] < first[1] + 100.0, "the pause does not count"


def test_a_seed_with_an_alarm_ends_alone_and_keeps_its_last_good_checkpoint(
    small: SeedJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train([small], tmp_path, 320)
    before = (tmp_path / "seed_0" / CHECKPOINT).read_bytes()

    def diverge(_self: SacLearner, _turns: int) -> LearnerFigures:
        return LearnerFigures(0.0, 0.0, 0.0, float("nan"), 0.0)

    monkeypatch.setattr(SacLearner, "advance", diverge)
    bad, *_ = train([small], tmp_path, 10_000)
    assert "critic_loss is nan" in bad.alarm
    assert (tmp_path / "seed_0" / CHECKPOINT).read_bytes() == before


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (LearnerFigures(0.0, 0.0, 0.1, float("inf"), 0.0), "critic_loss is inf"),
        (LearnerFigures(0.0, 2e3, 0.1, 0.0, 0.0), "multiplier 2e+03 is above 1000"),
        (LearnerFigures(0.0, 0.0, 200.0, 0.0, 0.0), "temperature 200 is above 100"),
        (LearnerFigures(0.0, 0.0, 0.1, 0.0, 0.0), ""),
    ],
)
def test_alarms_are_sentences(figures: LearnerFigures, words: str) -> None:
    assert words in figures.find_alarm()
    assert bool(words) == bool(figures.find_alarm())


def test_a_checkpoint_of_something_else_is_refused_by_name(small: SeedJob, tmp_path: Path) -> None:
    train([small], tmp_path, 160)
    data = (tmp_path / "seed_0" / CHECKPOINT).read_bytes()
    for other, word in ((replace(small, seed=1), "seed"), (replace(small, row_steps=320), "row_steps")):
        with pytest.raises(RunLogError, match=f"a training with {word}"):
            decode_checkpoint(data, other.describe(), "here")
    with pytest.raises(RunLogError, match="is not a checkpoint"):
        decode_checkpoint(data[:1000], small.describe(), "here")
    file = io.BytesIO()
    torch.save({"schema": "pulsebms.checkpoint/0", "about": {}, "state": {}}, file)
    with pytest.raises(RunLogError, match=r"pulsebms\.checkpoint/0") as caught:
        decode_checkpoint(file.getvalue(), {}, "here")
    assert caught.value.bound == SCHEMA


def test_reading_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    file = io.BytesIO()
    torch.save({"schema": SCHEMA, "about": {}, "state": tmp_path.joinpath}, file)
    with pytest.raises(RunLogError, match="is not a checkpoint"):
        decode_checkpoint(file.getvalue(), {}, "here")


def test_a_training_is_neither_overwritten_nor_continued_by_mistake(small: SeedJob, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="holds no training"):
        require_fresh(tmp_path, resume=True)
    require_fresh(tmp_path, resume=False)
    train([small], tmp_path, 160)
    with pytest.raises(Refused, match="add --resume"):
        require_fresh(tmp_path, resume=False)
    require_fresh(tmp_path, resume=True)


def test_the_policy_of_a_training_is_one_that_the_lane_can_load(small: SeedJob, tmp_path: Path) -> None:
    seed, *_ = train([small], tmp_path, 320)
    policy = Policy.load(tmp_path / "seed_0" / POLICY)
    assert policy.info.task_sha256 == TASK.sha256
    assert policy.info.algorithm == "sac"
    assert policy.find_golden_error() < 1e-6
    assert set(seed.done) == {"steps", "cost_eur", "interventions", "violations", "violations_without_shield"}
