"""A small pack with two controllers that follow a duty, and the steps that a bench would send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from control.shadow.scores import ShadowLane, ShadowOrder, ShadowStep
from twin.ports import PackSpec

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

CELLS = 2
PERIOD_S = 0.1
DUTY_A = 20.0


def write_duty(folder: Path, current_a: float = DUTY_A) -> dict[str, object]:
    """The settings of a lane that follows a constant current."""
    file = folder / f"duty_{current_a:g}.csv"
    file.write_text(f"t_s,current_a\n0,{current_a}\n100,{current_a}\n")
    return {"file": str(file)}


def make_order(folder: Path, *more: ShadowLane, soc: float = 0.5, duty_a: float = DUTY_A) -> ShadowOrder:
    pack = PackSpec(CELLS, 12, 5.0, np.full(CELLS, soc), np.ones(CELLS), np.ones(CELLS), 298.15)
    settings = write_duty(folder, duty_a)
    lanes = tuple(ShadowLane(name, "control.profile", settings) for name in ("acts", "watches"))
    return ShadowOrder((*lanes, *more), pack, PERIOD_S)


def make_step(requests_a: Floats, *, is_start: bool = False, soc: float = np.nan) -> ShadowStep:
    """A step in which the first controller acts."""
    return ShadowStep(is_start, np.full(CELLS, soc), np.full(CELLS, np.nan), requests_a[:, 0], requests_a)


def repeat(*requests_a: float, turns: int = 5) -> Floats:
    return np.tile(np.array(requests_a), (turns, 1))
