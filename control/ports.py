"""The protocol of controller lanes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drivers.snapshot import Estimate, PackReading


@dataclass(frozen=True, slots=True)
class CurrentRange:
    """What the pack's BMS allows now, in A, both as magnitudes: `charge_a` in, `discharge_a` out."""

    charge_a: float
    discharge_a: float


@dataclass(frozen=True, slots=True)
class Decision:
    """A controller's request: pack current in A (discharge positive), cost and constraint violations so far."""

    current_a: float
    cost: float
    violations: int


class Controller(Protocol):
    """Decides the pack current from measured and estimated values; `take_over` makes the change bumpless.

    `dt_s` is the time of the run since the last decision, 0 while nothing runs: a duty and an integral then stop.
    """

    def decide(self, reading: PackReading, estimate: Estimate, allowed: CurrentRange, dt_s: float) -> Decision: ...

    def take_over(self, current_a: float) -> None:
        """Start from the pack current that flows now."""
        ...
