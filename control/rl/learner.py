"""What every algorithm offers to a training, and the alarms on its figures."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from control.rl.collector import Collector
    from control.rl.networks import Actor

MOST_MULTIPLIER: Final = 1e3
MOST_TEMPERATURE: Final = 1e2


class LearnerFigures(NamedTuple):
    """`constraint`: the measured share of steps that count for it; `temperature` is 0 where there is none."""

    constraint: float
    multiplier: float
    temperature: float
    critic_loss: float
    actor_loss: float

    def find_alarm(self) -> str:
        """Return why the training cannot go on, as a sentence; empty if it can."""
        for name, value in self._asdict().items():
            if not math.isfinite(value):
                return f"{name} is {value}: the training has diverged; lower the learning rate"
        if self.multiplier > MOST_MULTIPLIER:
            return (
                f"multiplier {self.multiplier:.3g} is above {MOST_MULTIPLIER:g}: "
                "the constraint cannot be kept; raise its limit or ease the task"
            )
        if self.temperature > MOST_TEMPERATURE:
            return (
                f"temperature {self.temperature:.3g} is above {MOST_TEMPERATURE:g}: "
                "the entropy cannot be reached; lower the target entropy"
            )
        return ""


class Learner(Protocol):
    """One training of one seed. `get_state` and `set_state` continue it bit for bit."""

    actor: Actor
    collector: Collector

    def advance(self, turns: int) -> LearnerFigures: ...

    def get_state(self) -> dict[str, Any]: ...

    def set_state(self, state: dict[str, Any]) -> None: ...


def find_numpy_state(random: np.random.Generator) -> str:
    """Return the state of a generator as text: its numbers are too large for most formats."""
    return json.dumps(random.bit_generator.state)


def make_numpy_random(state: str) -> np.random.Generator:
    """Return the generator of `find_numpy_state`."""
    random = np.random.default_rng(0)
    random.bit_generator.state = json.loads(state)
    return random
