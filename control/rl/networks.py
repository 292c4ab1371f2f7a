"""Networks that both algorithms use: layers drawn from a given generator, and the actor that is exported."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from control.tasks.observation import Observer
from control.tasks.task import TaskKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats


class Base(NamedTuple):
    """What a policy corrects: `sign` times this observed value, by up to `reach` of the rating.

    Corrections up to `least` are none: a trader that jitters around rest by 2 % of the rating loses a sixth of what it
    earns.
    """

    name: str
    sign: float
    reach: float
    least: float


BASES: Final = {
    TaskKind.DUTY: Base("duty_0", 1.0, 0.1, 0.0),
    TaskKind.ARBITRAGE: Base("rule", 1.0, 1.2, 0.15),
    TaskKind.CHARGE: Base("charge", -1.0, 0.5, 0.15),
}
FAR: Final = 8.0  # standard deviations: a normalised value is cut here


def make_layers(sizes: Sequence[int], generator: torch.Generator, *, last: float = 1.0) -> nn.Sequential:
    """Return linear layers with ReLU between them, uniform within 1 / sqrt(inputs); the last one times `last`."""
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(pairwise(sizes)):
        layer = nn.Linear(inputs, outputs)
        is_last = number == len(sizes) - 2
        bound = (last if is_last else 1.0) / math.sqrt(inputs)
        with torch.no_grad():
            layer.weight.uniform_(-bound, bound, generator=generator)
            layer.bias.uniform_(-bound, bound, generator=generator)
        layers += [layer] if is_last else [layer, nn.ReLU()]
    return nn.Sequential(*layers)


def descend(loss: Any, optimiser: Any) -> None:
    """Take one step of the optimiser down the gradient of `loss`."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


class Normaliser(nn.Module):
    """Scales observations to mean 0 and standard deviation 1, as they were in the random start of a training."""

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def fit(self, observations: Floats) -> None:
        """Take mean and standard deviation of `observations[n, width]`; a value that never changed keeps its unit."""
        spread = observations.std(axis=0)
        self.mean.copy_(torch.as_tensor(observations.mean(axis=0)))
        self.scale.copy_(torch.as_tensor(np.where(spread > 1e-6, spread, 1.0)))  # noqa: PLR2004  # rounding of float32

    def forward(self, observations: Tensor) -> Tensor:
        return ((observations - self.mean) / self.scale).clamp(-FAR, FAR)


class Actor(nn.Module):
    """A policy. Its action is a correction `tanh(mean)` of what the task asks for now, cut to the rating.

    A duty asks for its current, a market for what the tuned rule would do, both as far as the shield allows; a charge
    asks for all that the shield allows (residual policy: Johannink et al. 2019). `BASES` says how far a correction
    reaches. The second output, where there is one, is the logarithm of the standard deviation before the tanh.
    """

    def __init__(self, task: ControlTask, hidden: Sequence[int], outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        names = Observer(task).names
        base, self.sign, self.reach, self.least = BASES[task.kind]
        self.base = names.index(base)
        self.limits = names.index("charge"), names.index("discharge")
        self.normaliser = Normaliser(len(names))
        self.layers = make_layers((len(names), *hidden, outputs), generator, last=0.1)

    def forward(self, observations: Tensor) -> Tensor:
        """Return the raw outputs `[n, outputs]`."""
        out: Tensor = self.layers(self.normaliser(observations))
        return out

    def complete(self, observations: Tensor, corrections: Tensor) -> Tensor:
        """Return the actions `[n]` for `corrections[n]`, before the shield."""
        asked = self.project(observations, self.sign * observations[:, self.base])
        return (asked + self.reach * nn.functional.softshrink(corrections, self.least)).clamp(-1.0, 1.0)

    def project(self, observations: Tensor, actions: Tensor) -> Tensor:
        """Return what the shield makes of `actions[n]`: it allows what the observation tells."""
        charge, discharge = (observations[:, column] for column in self.limits)
        return torch.minimum(torch.maximum(actions, -charge), discharge)

    def explore(self, observations: Tensor, mean: Tensor, corrections: Tensor) -> Tensor:
        """Return the actions `[n]` for random `corrections[n]` around `mean[n]`.

        Noise alone never needs the shield: beyond the range that the shield allows an action is cut, unless the mean
        action is there itself. Otherwise a policy would learn to keep a distance from every limit, as noise would cross
        it in half of the steps.
        """
        middle = self.complete(observations, mean)
        charge, discharge = (observations[:, column] for column in self.limits)
        actions = torch.minimum(self.complete(observations, corrections), torch.maximum(discharge, middle))
        return torch.maximum(actions, torch.minimum(-charge, middle))

    def decide(self, observations: Tensor) -> Tensor:
        """Return the actions `[n]` of the exported policy."""
        return self.complete(observations, torch.tanh(self(observations)[:, 0]))
