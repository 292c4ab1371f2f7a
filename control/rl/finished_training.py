"""Trainings that have ended, read from their folders to compare them: curves, times, policies. Needs no torch."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from control.rl.policy import Policy
from control.rl.row_times import TIMES, read_times
from control.rl.training_names import CURVE, POLICY, SCHEMA, SUMMARY
from control.rl.validation import PACKS, SEED
from control.tasks.task import TaskVariation, find_task, read_task
from drivers.errors import BenchFileError, RunLogError
from drivers.regular_file import read_regular

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

LARGEST: Final = 16 << 20  # bytes
STEPS, RETURN = "steps", "return_eur"
HINT: Final = "name a folder that train has written"
SAME: Final = {  # what trainings that are compared have in common, in words
    "task": "another task",
    "task_sha256": "another version of the task",
    "cell_sha256": "another cell",
    "varies": "other packs",
    "validation": "other validation episodes",
}


@dataclass(frozen=True)
class FinishedSeed:
    """One seed. `steps`, `return_eur` and `times_s` have one value a row; a return or a time may be NaN.

    `kept_eur`: cost of an episode of the kept policy on the validation episodes, NaN where none was kept.
    """

    algorithm: str
    seed: int
    steps: Floats
    return_eur: Floats
    times_s: Floats
    alarm: str
    kept_eur: float
    policy: Path
    policy_sha256: str

    def load_policy(self) -> Policy:
        """Return the kept policy; raise `BenchFileError` for a file that is missing, or not the one of the summary."""
        policy = Policy.load(self.policy)
        if policy.sha256 != self.policy_sha256:
            raise BenchFileError("is not the policy of its summary", where=str(self.policy), hint=HINT)
        return policy

    def find_first_above(self, return_eur: float) -> tuple[float, float]:
        """Return steps and seconds of the first row with a higher return; NaN where there is none, or no time."""
        above = np.flatnonzero(self.return_eur > return_eur)  # false for NaN
        return (float(self.steps[above[0]]), float(self.times_s[above[0]])) if above.size else (math.nan, math.nan)


@dataclass(frozen=True)
class FinishedTraining:
    """One folder of `train`. `about`: the values of `SAME`; `not_begun`: seeds without a row."""

    folder: Path
    algorithm: str
    command: str
    version: str
    about: dict[str, Any]
    seeds: tuple[FinishedSeed, ...]
    not_begun: int

    @property
    def validation(self) -> tuple[int, int]:
        """The seed and the number of the validation episodes."""
        return int(self.about["validation"]["seed"]), int(self.about["validation"]["packs"])

    def load_task(self, name: str = "") -> ControlTask:
        """Return the task that it was trained on, from `name` (default: the shipped one); raise `RunLogError`."""
        task = read_task(find_task(name or self.about["task"]))
        for key, mine in (("task_sha256", task.sha256), ("cell_sha256", task.cell.sha256)):
            if mine != self.about[key]:
                what = f"is a training of {SAME[key]} than {name or task.name} is now"
                hint = "train again, or name the file of its task with --task"
                raise RunLogError(what, where=str(self.folder), key=key, hint=hint)
        varies = self.about["varies"]
        if varies is None:
            return task
        return task.model_copy(update={"varies": TaskVariation.model_validate(varies)})


def read_trainings(folders: Sequence[Path]) -> list[FinishedTraining]:
    """Read trainings that can be compared; raise `RunLogError` for one that cannot, with the reason."""
    found = [read_finished(folder) for folder in folders]
    for other in found[1:]:
        for key, words in SAME.items():
            if other.about[key] != found[0].about[key]:
                what = f"is a training of {words} than {found[0].folder}"
                raise RunLogError(what, where=str(other.folder), key=key, hint="name trainings of one task")
    places: dict[tuple[str, int], Path] = {}
    for training in found:
        for seed in training.seeds:
            first = places.setdefault((seed.algorithm, seed.seed), training.folder)
            if first is not training.folder:
                what = f"has seed {seed.seed} of {seed.algorithm}, as {first} has"
                raise RunLogError(what, where=str(training.folder), hint="name each training once")
    return found


def read_finished(folder: Path) -> FinishedTraining:
    """Read one folder; raise `RunLogError` if it holds no training, or none that has ended."""
    content = _read_summary(folder / SUMMARY)
    try:
        listed = cast("list[dict[str, Any]]", content["seeds"])
        begun = [seed for seed in listed if seed["best"]]
        training = FinishedTraining(
            folder,
            str(content["algorithm"]),
            str(content["command"]),
            str(content["version"]),
            {"varies": None, "validation": {"seed": SEED, "packs": PACKS}}  # as long as none was written
            | {key: content[key] for key in SAME if key in content},
            tuple(_read_seed(folder, str(content["algorithm"]), seed) for seed in begun),
            len(listed) - len(begun),
        )
        for key in SAME:
            _ = training.about[key]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunLogError(f"is no summary of a training: {error!r}", where=str(folder / SUMMARY), hint=HINT) from error
    if not training.seeds:
        raise RunLogError("holds no seed that has trained", where=str(folder), hint="continue it with --resume")
    return training


def _read_summary(path: Path) -> dict[str, Any]:
    try:
        content: Any = json.loads(read_regular(path, LARGEST))
    except FileNotFoundError as error:
        hint = "name a folder that train has written, after the end of the training"
        raise RunLogError(
            f"holds no training that has ended: it has no {SUMMARY}", where=str(path.parent), hint=hint
        ) from error
    except (OSError, ValueError) as error:
        raise RunLogError(f"cannot be read: {error}", where=str(path), hint=HINT) from error
    schema = cast("dict[str, Any]", content).get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise RunLogError(f"is of the format {schema}", where=str(path), key="schema", bound=SCHEMA, hint=HINT)
    return cast("dict[str, Any]", content)


def _read_seed(folder: Path, algorithm: str, about: dict[str, Any]) -> FinishedSeed:
    place = folder / f"seed_{int(about['seed'])}"
    steps, return_eur = _read_curve(place / CURVE)
    times_s = read_times(place / TIMES, [int(step) for step in steps])
    return FinishedSeed(
        algorithm,
        int(about["seed"]),
        steps,
        return_eur,
        np.array(times_s),
        str(about["alarm"]),
        float(about["best"]["cost_eur"]),
        place / POLICY,
        str(about["policy_sha256"]),
    )


def _read_curve(path: Path) -> tuple[Floats, Floats]:
    """Return steps and return of each row; a return may be NaN."""
    try:
        rows = list(csv.DictReader(io.StringIO(read_regular(path, LARGEST).decode())))
    except (OSError, ValueError, csv.Error) as error:
        raise RunLogError(f"cannot be read: {error}", where=str(path), hint=HINT) from error
    if not rows:
        raise RunLogError("has no row", where=str(path), hint=HINT)
    for name in (STEPS, RETURN):
        if name not in rows[0]:
            raise RunLogError(f"has no column {name}", where=str(path), key=name, hint=HINT)
    values = np.empty((len(rows), 2))
    for number, row in enumerate(rows):
        try:
            values[number] = float(row[STEPS]), float(row[RETURN])
        except (TypeError, ValueError) as error:
            raise RunLogError("is no row of a curve", where=str(path), line=number + 2, hint=HINT) from error
    if not (np.diff(values[:, 0], prepend=0.0) > 0.0).all():
        raise RunLogError("has steps that do not grow", where=str(path), key=STEPS, hint=HINT)
    return values[:, 0], values[:, 1]
