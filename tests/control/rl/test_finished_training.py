"""Trainings that are compared: read whole, and refused by a sentence where they do not belong together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control.rl.finished_training import read_finished, read_trainings
from control.rl.row_times import TIMES, read_times
from control.rl.training_names import CURVE, POLICY, SUMMARY
from control.tasks.task import find_task, read_task
from drivers.errors import BenchFileError, RunLogError
from tests.control.rl.training_folder import NAN, write_training

if TYPE_CHECKING:
    from pathlib import Path

TASK = read_task(find_task("arbitrage"))
CURVES = {0: [(100, -0.5), (200, NAN), (300, 0.1)], 1: [(100, -0.4), (200, 0.2)]}


def test_a_training_is_read_with_its_gaps_alarms_and_seeds_of_different_length(tmp_path: Path) -> None:
    alarm = "critic_loss is nan: the training has diverged"
    training = read_finished(write_training(tmp_path, TASK, CURVES, alarms={1: alarm}))
    first, second = training.seeds
    assert np.array_equal(first.return_eur, [-0.5, NAN, 0.1], equal_nan=True)
    assert second.steps.tolist() == [100.0, 200.0]
    assert (first.alarm, second.alarm) == ("", alarm)
    assert training.load_task() == TASK
    assert first.load_policy().info.seed == 0
    assert first.find_first_above(0.0) == (300.0, 30.0), "a row that is no number is above nothing"
    assert np.isnan(first.find_first_above(0.3)).all()


def test_a_seed_that_never_began_is_counted_and_one_training_needs_one_that_did(tmp_path: Path) -> None:
    folder = write_training(tmp_path, TASK, {0: CURVES[0]})
    content = json.loads((folder / SUMMARY).read_text())
    content["seeds"].append({"seed": 1, "steps": 0, "alarm": "", "best": {}, "policy": None})
    (folder / SUMMARY).write_text(json.dumps(content))
    assert read_finished(folder).not_begun == 1
    content["seeds"] = content["seeds"][1:]
    (folder / SUMMARY).write_text(json.dumps(content))
    with pytest.raises(RunLogError, match="holds no seed that has trained"):
        read_finished(folder)


def test_a_summary_without_packs_and_validation_is_of_the_usual_ones(tmp_path: Path) -> None:
    folder = write_training(tmp_path, TASK, CURVES)
    content = json.loads((folder / SUMMARY).read_text())
    del content["varies"], content["validation"]
    (folder / SUMMARY).write_text(json.dumps(content))
    training = read_finished(folder)
    assert training.validation == (100, 64)
    assert training.load_task() == TASK


def test_a_training_on_recorded_packs_is_compared_on_these(tmp_path: Path) -> None:
    varies = TASK.varies.model_dump(mode="json") | {"capacity": [0.85, 0.87]}
    task = read_finished(write_training(tmp_path, TASK, CURVES, varies=varies)).load_task()
    assert task.varies.capacity == (0.85, 0.87)
    assert task.sha256 == TASK.sha256


OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"task": "duty_tracking"}, "another task than"),
    ({"task_sha256": "0"}, "another version of the task than"),
    ({"cell_sha256": "0"}, "another cell than"),
    ({"varies": {}}, "other packs than"),
    ({"validation": {"seed": 101, "packs": 2}}, "other validation episodes than"),
    ({}, "has seed 0 of sac, as"),
    ({"schema": "pulsebms.training/0"}, "is of the format pulsebms.training/0"),
    ({"seeds": [{}]}, "is no summary of a training"),
    ({"seeds": 3}, "is no summary of a training"),
]


@pytest.mark.parametrize(("changes", "words"), OTHERS)
def test_trainings_that_do_not_compare_are_refused_by_name(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write_training(one, TASK, CURVES)
    write_training(other, TASK, {0: CURVES[0]}, **changes)
    with pytest.raises(RunLogError, match=words) as caught:
        read_trainings([one, other])
    assert str(other) in str(caught.value)


@pytest.mark.parametrize("key", ["task_sha256", "cell_sha256"])
def test_a_training_of_a_task_or_cell_that_has_changed_is_refused(tmp_path: Path, key: str) -> None:
    changes: dict[str, Any] = {key: "0"}
    training = read_finished(write_training(tmp_path, TASK, CURVES, **changes))
    with pytest.raises(RunLogError, match="than arbitrage is now; train again"):
        training.load_task()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no row"),
        ("steps,train_return_eur\n100,0.1\n", "has no column return_eur"),
        ("steps,return_eur\n100,0.1\n200\n", "curve.csv:3 is no row of a curve"),
        ("steps,return_eur\n200,0.1\n100,0.2\n", "has steps that do not grow"),
    ],
)
def test_a_damaged_curve_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    folder = write_training(tmp_path, TASK, CURVES)
    (folder / "seed_1" / CURVE).write_text(text)
    with pytest.raises(RunLogError, match=words):
        read_finished(folder)


def test_a_folder_without_a_training_and_another_policy_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunLogError, match="holds no training that has ended"):
        read_finished(tmp_path)
    folder = write_training(tmp_path / "t", TASK, CURVES)
    (folder / "seed_0" / POLICY).write_bytes((folder / "seed_1" / POLICY).read_bytes())
    with pytest.raises(BenchFileError, match="is not the policy of its summary"):
        read_finished(folder).seeds[0].load_policy()


def test_times_that_are_missing_or_damaged_are_not_known(tmp_path: Path) -> None:
    folder = write_training(tmp_path, TASK, CURVES)
    path = folder / "seed_1" / TIMES
    assert read_times(path, [100, 200, 300])[:2] == [10.0, 20.0]
    path.write_text("steps,train_s\n100,5\n200,fast\n")
    assert np.array_equal(read_times(path, [100, 200]), [5.0, NAN], equal_nan=True)
    path.unlink()
    assert np.isnan(read_finished(folder).seeds[1].times_s).all()
