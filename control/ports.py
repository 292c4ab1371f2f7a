"""The protocol of controller lanes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drivers.snapshot import Estimate, PackReading


@dataclass(frozen=True, slots=True)
class CurrentRange:
    """What the pack's BMS allows now, in A, both as magnitudes: `charge_a` in, `discharge_a` out."""

    charge_a: float
    discharge_a: float


class Fallback(IntEnum):
    """Where a controller's request comes from, when it is not its own new plan; a run records the number."""

    NONE = 0
    SHIFTED = 1  # the last plan, one step on
    DERATED = 2  # less and less of the last current
    ZERO = 3
    OTHER = 4  # another controller decides instead

    @property
    def word(self) -> str:
        return ("", "last plan", "derated", "zero", "MPC instead")[self]


@dataclass(frozen=True, slots=True)
class Decision:
    """A controller's request: pack current in A (discharge positive), cost and constraint violations so far.

    `interventions`: decisions so far that a shield had to change; `fallback`: what this one falls back to,
    and `note` why, as a sentence.
    """

    current_a: float
    cost: float
    violations: int
    interventions: int = 0
    fallback: Fallback = Fallback.NONE
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a controller means to request from now on: `current_a[k]` (discharge positive) in step k of `step_s`."""

    step_s: float
    current_a: tuple[float, ...]


class Controller(Protocol):
    """Decides the pack current from measured and estimated values; `take_over` makes the change bumpless.

    `dt_s` is the time of the run since the last decision, 0 while nothing runs: a duty and an integral then stop.
    One that plans ahead is a `PlanningController`.
    """

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision: ...

    def take_over(self, current_a: float) -> None:
        """Start from the pack current that flows now."""
        ...


class PlanningController(Controller, Protocol):
    """A controller that plans ahead, in a turn that takes longer; a lane may have either of the two.

    Another thread reads `plan_ahead` ten times a second while `decide` runs: return what `decide` has replaced as a
    whole.
    """

    @property
    def plan_ahead(self) -> Plan | None: ...

    def plan_early(self, share: float) -> None:
        """Let all plans of a run but its first come earlier by this share (0 to 1) of the time between two."""
        ...
