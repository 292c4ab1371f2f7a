"""Five kinds of trouble that a judge adds to an episode; how much of it stands in the rules of the promotion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from control.tasks.episodes import Episodes
    from control.tasks.simulation import MeasuredPacks
    from control.tasks.task import ControlTask
    from drivers.snapshot import Columns, Floats

SENSORS, WHEN = 1, 2  # numbers of the two random streams of an episode


class AdversaryKind(StrEnum):
    """What goes wrong."""

    BIAS = "sensor bias"
    FREEZE = "frozen voltages"
    PARAMETERS = "other R and Q"
    AMBIENT = "other ambient"
    DROPOUT = "dropped telemetry"


class AdversaryRules(BaseModel):
    """How much goes wrong.

    `bias`: of the declared bias of every sensor, with a drawn sign. `freeze_share`: of an episode in which the cell
    voltages repeat their last value. `parameters`: R and Q are each this fraction above or below the cell file.
    `ambient_k`: above or below the drawn ambient. `dropout_share`: of the steps without cell voltages and temperatures.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bias: Annotated[float, Field(ge=0.0)]
    freeze_share: Annotated[float, Field(ge=0.0, le=1.0)]
    parameters: Annotated[float, Field(ge=0.0, lt=1.0)]
    ambient_k: Annotated[float, Field(ge=0.0)]
    dropout_share: Annotated[float, Field(ge=0.0, le=1.0)]


@dataclass
class Adversary:
    """One kind of trouble for one pack, a `Disturbance` of its simulation; each episode has its own, by number."""

    kind: AdversaryKind
    rules: AdversaryRules
    task: ControlTask
    seed: int

    def __post_init__(self) -> None:
        self._frozen_v: Floats | None = None

    def change(self, episodes: Episodes, numbers: Columns) -> Episodes:
        """Return the episode with other sensors, cells or surroundings."""
        random, varies = self._make_random(numbers, SENSORS), self.task.varies
        signs = random.choice([-1.0, 1.0], 4)
        match self.kind:
            case AdversaryKind.BIAS:
                volts, amperes, kelvins, soc = signs * self.rules.bias
                return replace(
                    episodes,
                    voltage_bias_v=np.array([volts * varies.voltage_bias_v]),
                    current_bias_a=np.array([amperes * varies.current_bias_a]),
                    temperature_bias_k=np.array([kelvins * varies.temperature_bias_k]),
                    soc_error=np.array([soc * varies.soc_error]),
                )
            case AdversaryKind.PARAMETERS:
                capacity, resistance = 1.0 + signs[:2] * self.rules.parameters
                shape = episodes.capacity.shape
                return replace(episodes, capacity=np.full(shape, capacity), resistance=np.full(shape, resistance))
            case AdversaryKind.AMBIENT:
                return replace(episodes, ambient_k=episodes.ambient_k + signs[0] * self.rules.ambient_k)
            case AdversaryKind.FREEZE | AdversaryKind.DROPOUT:
                return episodes

    def spoil(self, measured: MeasuredPacks, numbers: Columns, steps: Columns) -> MeasuredPacks:
        """Return what the sensors show at this step."""
        step, random = int(steps[0]), self._make_random(numbers, WHEN)
        if self.kind is AdversaryKind.FREEZE:
            lasts = max(1, round(self.rules.freeze_share * self.task.steps))
            begins = int(random.integers(max(1, self.task.steps - lasts)))
            if not begins < step <= begins + lasts:
                self._frozen_v = measured.voltage_v
            return measured._replace(voltage_v=measured.voltage_v if self._frozen_v is None else self._frozen_v)
        if self.kind is AdversaryKind.DROPOUT:
            dropped = random.random(self.task.steps + 1) < self.rules.dropout_share
            nothing = np.full((2, 1), np.nan)
            return measured._replace(voltage_v=nothing, kelvin=nothing) if dropped[step] else measured
        return measured

    def _make_random(self, numbers: Columns, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, int(numbers[0]), stream])
