"""The Lagrange multiplier of a constraint, moved by a PID controller (Stooke, Achiam and Abbeel 2020, algorithm 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.snapshot import Floats

SMOOTH: Final = 0.9  # of the last measured rate that the next one keeps


@dataclass
class PidMultiplier:
    """`value` weighs the constraint; it grows while the measured rate is above `limit`."""

    limit: float
    proportional: float
    integral: float
    derivative: float
    value: float = 0.0
    rate: float = 0.0
    summed: float = 0.0

    def update(self, rate: float) -> None:
        """Move the multiplier after a measured `rate` of steps that count for the constraint."""
        before, self.rate = self.rate, SMOOTH * self.rate + (1.0 - SMOOTH) * rate
        error = self.rate - self.limit
        self.summed = max(0.0, self.summed + error)
        rise = max(0.0, self.rate - before)
        self.value = max(0.0, self.proportional * error + self.integral * self.summed + self.derivative * rise)

    def get_state(self) -> Floats:
        """Return what `set_state` needs."""
        return np.array([self.value, self.rate, self.summed])

    def set_state(self, state: Floats) -> None:
        """Continue from `get_state`."""
        self.value, self.rate, self.summed = (float(one) for one in state)
