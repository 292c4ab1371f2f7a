"""Trainings in their folders, as the verb `train` writes them: a curve for each seed, and a summary at the end."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003  # a field of a record names it
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA: Final = "pulsebms.training/1"
SUMMARY, CURVE, CHECKPOINT = "summary.json", "curve.csv", "checkpoint.pt"
STEPS, RETURN, COST, MULTIPLIER, INTERVENTIONS = "steps", "return_eur", "constraint", "multiplier", "interventions"
COLUMNS: Final = (STEPS, RETURN, COST, MULTIPLIER, INTERVENTIONS)


@dataclass(frozen=True, slots=True)
class SeedCurve:
    """The curve of one seed: `values` has one column for each name of `COLUMNS` that the file has."""

    seed: int
    values: dict[str, tuple[float, ...]]
    alarm: str = ""
    policy: str = ""
    return_eur: float = math.nan  # of the policy that was kept

    @property
    def steps(self) -> tuple[float, ...]:
        return self.values.get(STEPS, ())


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What is known of one training; `has_ended` once its summary is written."""

    folder: Path
    seeds: tuple[SeedCurve, ...] = ()
    task: str = ""
    algorithm: str = ""
    has_ended: bool = False
    has_checkpoint: bool = False
    made_s: float = 0.0

    @property
    def alarm(self) -> str:
        """The first alarm, as a sentence; empty for none."""
        return next((f"seed {seed.seed}: {seed.alarm}" for seed in self.seeds if seed.alarm), "")

    @property
    def best(self) -> SeedCurve | None:
        """The seed whose policy returns most; None before one is written."""
        known = [seed for seed in self.seeds if seed.policy and not seed.alarm]
        return max(known, key=lambda seed: seed.return_eur, default=None)


@dataclass(frozen=True, slots=True)
class _Summary:
    task: str = ""
    algorithm: str = ""
    seeds: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    is_known: bool = False


def list_trainings(root: Path) -> list[TrainingRecord]:
    """Return the trainings below `root`, newest first; a folder without any is left out."""
    folders = sorted(path for path in root.glob("*") if path.is_dir()) if root.is_dir() else []
    records = [record for folder in folders if (record := read_training(folder)).seeds]
    return sorted(records, key=lambda record: record.made_s, reverse=True)


def read_training(folder: Path) -> TrainingRecord:
    """Read what stands in a folder of a training; what cannot be read is left out."""
    summary = _read_summary(folder / SUMMARY)
    seeds = tuple(_read_seed(number, path, summary) for number, path in _list_seeds(folder))
    return TrainingRecord(
        folder,
        seeds,
        summary.task,
        summary.algorithm,
        summary.is_known,
        any((path / CHECKPOINT).is_file() for _, path in _list_seeds(folder)),
        max((_read_time(path / CURVE) for _, path in _list_seeds(folder)), default=0.0),
    )


def _list_seeds(folder: Path) -> Iterator[tuple[int, Path]]:
    found = [(int(number), path) for path in folder.glob("seed_*") if (number := path.name[5:]).isdigit()]
    yield from sorted(found)


def _read_time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read_seed(number: int, folder: Path, summary: _Summary) -> SeedCurve:
    about = summary.seeds.get(number, {})
    best: Any = about.get("best")
    cost = cast("dict[str, Any]", best).get("cost_eur") if isinstance(best, dict) else None
    return SeedCurve(
        number,
        read_curve(folder / CURVE),
        str(about.get("alarm") or ""),
        str(about.get("policy") or ""),
        -float(cost) if isinstance(cost, (int, float)) else math.nan,
    )


def read_curve(path: Path) -> dict[str, tuple[float, ...]]:
    """Return the columns that are known here; a line that is not whole ends them."""
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, csv.Error):
        return {}
    columns: dict[str, list[float]] = {}
    for row in rows:
        try:
            values = {name: float(row[name]) for name in COLUMNS if name in row}
        except (TypeError, ValueError):  # a line that is still being written
            break
        for name, value in values.items():
            columns.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in columns.items()}


def _read_summary(path: Path) -> _Summary:
    """Return the summary; an unknown one counts as none."""
    try:
        loaded: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return _Summary()
    content = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
    listed: Any = content.get("seeds")
    if content.get("schema") != SCHEMA or not isinstance(listed, list):
        return _Summary()
    seeds = [cast("dict[str, Any]", one) for one in cast("list[Any]", listed) if isinstance(one, dict)]
    by_number = {one["seed"]: one for one in seeds if isinstance(one.get("seed"), int)}
    return _Summary(str(content.get("task", "")), str(content.get("algorithm", "")), by_number, is_known=True)
