"""A short task and short rules, so that a judgement takes seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control.tasks.promotion_rules import FILE, PromotionRules, read_rules
from control.tasks.task import ControlTask, find_task, read_task

if TYPE_CHECKING:
    from pathlib import Path


def write_task(folder: Path, steps: int = 8) -> Path:
    """Write the arbitrage task with fewer steps."""
    path = folder / "short.toml"
    path.write_text(find_task("arbitrage").read_text().replace("steps = 96 ", f"steps = {steps} "))
    return path


def write_own_task(folder: Path, shipped: str) -> Path:
    """Write a shipped task under the name of one of the user's own."""
    path = folder / "own_task.toml"
    path.write_text(find_task(shipped).read_text().replace(f'name = "{shipped}"', 'name = "own"'))
    return path


def make_task(folder: Path, steps: int = 8) -> ControlTask:
    return read_task(write_task(folder, steps))


def write_rules(folder: Path, **changes: str) -> Path:
    """Write the shipped rules with few episodes on the SPMe, and the rule as the peer."""
    changed = {
        "episodes = 100": "episodes = 1",
        '"DFN"': '"SPMe"',
        "days = 100": "days = 6",
        '"mpc"': '"rule"',
        "margin = 0.02": "margin = 1.0",
        "draws = 10000": "draws = 200",
        **changes,
    }
    text = FILE.read_text()
    for old, new in changed.items():
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "rules.toml"
    path.write_text(text)
    return path


def make_rules(folder: Path, **changes: str) -> PromotionRules:
    return read_rules(write_rules(folder, **changes))
