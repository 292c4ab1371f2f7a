"""The live shadow score of one controller, its columns, and the messages between the loop and the process that scores.

It has the two counterfactual answers of `control.tasks.shadow`, with the same costs, limits and shield of a task.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats
    from twin.ports import PackSpec

TASK: Final = "duty_tracking"  # the shipped task whose costs, limits and shield score a bench
STEP_S: Final = 0.5  # of that task: a limit is broken, or the shield needed, at most once in it


class ShadowScore(NamedTuple):
    """The score of one controller since the session began, over all time in Running; costs in EUR.

    `open_loop`: its requests in single steps of the task, each from the state of the bench. `closed_loop`: it drives a
    twin of its own along the same duty, from the state at the start of the run. Neither is what would have happened.
    A violation is a step that breaks a limit, an intervention one that the shield changes. NaN where nothing is known.
    """

    open_loop_cost: float = math.nan
    open_loop_violations: float = math.nan
    open_loop_interventions: float = math.nan
    closed_loop_cost: float = math.nan
    closed_loop_violations: float = math.nan
    closed_loop_interventions: float = math.nan


OF_SHADOW: Final = tuple((name, "EUR" if name.endswith("cost") else "1") for name in ShadowScore._fields)
UNKNOWN: Final = ShadowScore()


@dataclass(frozen=True, slots=True)
class ShadowLane:
    """A controller to score, built anew by `module` with `settings` for the closed loop."""

    name: str
    module: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class ShadowOrder:
    """What to score: the controllers of one duty, on this pack, in turns of `period_s`."""

    lanes: tuple[ShadowLane, ...]
    pack: PackSpec
    period_s: float

    @property
    def turns(self) -> int:
        """Turns of the loop in one step of the task."""
        return max(1, round(STEP_S / self.period_s))


class ShadowStep(NamedTuple):
    """Up to one step of the task in turns of the loop.

    `is_start`: a run begins here. `soc[n]`, `temperature_k[n]`: of each cell before the first turn, estimated and
    measured, NaN where unknown. `current_a[k]`: what flowed; `requests_a[k, lanes]`: what each controller requested.
    """

    is_start: bool
    soc: Floats
    temperature_k: Floats
    current_a: Floats
    requests_a: Floats


def choose_lanes(lanes: Mapping[str, tuple[str, Mapping[str, Any]]]) -> tuple[ShadowLane, ...]:
    """Return the controllers that follow the duty of the first one that has a duty; module and settings by name.

    Others have another aim, so their distance from the duty is no score.
    """
    duties = {name: _find_duty(settings) for name, (_, settings) in lanes.items()}
    first = next((duty for duty in duties.values() if duty is not None), None)
    return tuple(
        ShadowLane(name, module, dict(settings))
        for name, (module, settings) in lanes.items()
        if first is not None and duties[name] == first
    )


def _find_duty(settings: Mapping[str, Any]) -> tuple[str, bool] | None:
    file = settings.get("file")
    return (file, bool(settings.get("repeat", True))) if isinstance(file, str) else None
