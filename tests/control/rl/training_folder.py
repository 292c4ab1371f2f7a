"""Folders of trainings written by hand, as `train` would leave them."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from control.rl.policy import Policy
from control.rl.row_times import TIMES, encode_times
from control.rl.training_names import CURVE, POLICY, SCHEMA, SUMMARY
from tests.control.rl.handmade import make_policy

if TYPE_CHECKING:
    from pathlib import Path

    from control.tasks.task import ControlTask

NAN = math.nan


def write_training(
    folder: Path,
    task: ControlTask,
    curves: dict[int, list[tuple[int, float]]],
    /,
    *,
    algorithm: str = "sac",
    alarms: dict[int, str] | None = None,
    **changes: Any,
) -> Path:
    """Write seeds with `(steps, return)` of each row, a row each 10 s; `changes` are other values of the summary."""
    seeds: list[dict[str, Any]] = []
    for seed, rows in curves.items():
        place = folder / f"seed_{seed}"
        place.mkdir(parents=True)
        lines = ["steps,return_eur,train_return_eur", *(f"{steps},{value!r},nan" for steps, value in rows)]
        (place / CURVE).write_text("\n".join(lines) + "\n")
        steps = [row[0] for row in rows]
        (place / TIMES).write_bytes(encode_times(steps, [10.0 * n for n in range(1, len(rows) + 1)]))
        data = make_policy(task, gain=5.0 + seed, dead_band=0.0, algorithm=algorithm, seed=seed)
        (place / POLICY).write_bytes(data)
        about = {"seed": seed, "steps": steps[-1], "alarm": (alarms or {}).get(seed, "")}
        best = {"cost_eur": -max(value for _, value in rows if not math.isnan(value)), "steps": steps[-1]}
        seeds.append(about | {"best": best, "policy_sha256": Policy(data, "by hand").sha256})
    content = {
        "schema": SCHEMA,
        "version": "0.1.0",
        "command": "python main.py train",
        "task": task.name,
        "task_sha256": task.sha256,
        "cell_sha256": task.cell.sha256,
        "varies": task.varies.model_dump(mode="json"),
        "validation": {"seed": 100, "packs": 2},
        "algorithm": algorithm,
        "seeds": seeds,
    }
    (folder / SUMMARY).write_text(json.dumps(content | changes))
    return folder
