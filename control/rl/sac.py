"""Soft actor-critic with a constraint, on packs behind a shield.

Haarnoja et al. 2018, "Soft actor-critic algorithms and applications"; the constraint by a Lagrange multiplier that a
PID controller moves (Stooke, Achiam and Abbeel 2020).

Both actions are stored. The critics of the reward learn the action that was applied, because cost and next state depend
on it alone; the shield in between is known (its range is observed), so it is computed and not learned. The critic of
the constraint learns the policy's own action, because only that one tells whether the shield was needed.

The constraint: with a shield the share of steps in which it had to correct the action, without one the share of steps
that broke a limit. It is that of the exported policy, which takes the mean action.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from control.rl.collector import Collector
from control.rl.environment import price_shield
from control.rl.learner import LearnerFigures, find_numpy_state, make_numpy_random
from control.rl.multiplier import PidMultiplier
from control.rl.networks import Actor, descend, make_layers
from control.rl.replay_buffer import ReplayBuffer
from control.tasks.simulation import NEEDED
from control.tasks.task import TaskKind

if TYPE_CHECKING:
    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats

STD_LOG: tuple[float, float] = (-5.0, 1.0)  # range of the logarithm of the standard deviation


@dataclass(frozen=True)
class SacSettings:
    """All that may be set; each where it stands."""

    packs: int = 32  # stepped together; one update of all networks a step
    random_steps: int = 300  # steps of random actions at the start; they give the normaliser and the scale of rewards
    burn_in: int = 0  # steps after them in which only the critics learn: wrong ones would spoil the actor's start
    capacity: int = 200_000  # transitions kept
    batch: int = 256
    hidden: tuple[int, ...] = (64, 64)
    discount: float = 0.98
    rate: float = 5e-4  # of Adam, for the critics
    actor_rate: float = 5e-4  # of Adam, for actor and temperature
    follow: float = 0.005  # share by which the target critics follow the critics after each update
    average: float = 0.001  # share by which the exported actor follows the trained one: the mean of its last thousand
    temperature: float = 0.1  # at the start
    log_std: float = 0.0  # at the start, of the correction before the tanh
    entropy: float = -2.0  # the target entropy (nat); 0 for an action that is uniform within the rating
    limit: float = 0.03  # share of steps that may count for the constraint
    pid: tuple[float, float, float] = (1.0, 0.02, 1.0)  # of the multiplier
    measure_every: int = 50  # steps between two moves of the multiplier
    shielded: bool = True


def choose_settings(task: ControlTask) -> SacSettings:
    """Return the settings for a task: a duty is followed step by step, all else needs to look far ahead.

    At a market the policy starts as the tuned rule: the critics come first and learn from more, and noise stays small.
    """
    match task.kind:
        case TaskKind.DUTY:
            return SacSettings(discount=0.9)
        case TaskKind.ARBITRAGE:
            many = SacSettings(burn_in=1500, capacity=400_000, batch=1024, discount=0.99)
            return replace(many, rate=1e-3, actor_rate=3e-4, temperature=0.02, log_std=-2.0)
        case TaskKind.CHARGE:
            far = SacSettings(burn_in=1500, batch=512, discount=0.998)
            return replace(far, rate=1e-3, actor_rate=3e-4, temperature=0.02, log_std=-2.0)


class SacLearner:
    """One training; the same seed gives the same course on one machine with one thread."""

    def __init__(self, task: ControlTask, seed: int, settings: SacSettings | None = None) -> None:
        self._settings = s = settings or choose_settings(task)
        self._random, self._torch_random = np.random.default_rng([seed, 1]), torch.Generator().manual_seed(seed)
        self.collector = Collector(task, seed, s.packs, shielded=s.shielded)
        width = self.collector.observation.shape[1]
        self._trained = Actor(task, s.hidden, 2, self._torch_random)
        self.actor = copy.deepcopy(self._trained).requires_grad_(requires_grad=False)
        self._critics = nn.ModuleList(make_layers((width + 1, *s.hidden, 1), self._torch_random) for _ in range(3))
        self._targets = copy.deepcopy(self._critics).requires_grad_(requires_grad=False)
        self._pairs = [
            *((slow, fast, s.follow) for slow, fast in _pair(self._targets, self._critics)),
            *((slow, fast, s.average) for slow, fast in _pair(self.actor, self._trained)),
        ]
        self._log_temperature = torch.tensor(math.log(s.temperature), requires_grad=True)
        self._actor_optimiser = torch.optim.Adam(self._trained.parameters(), lr=s.actor_rate, fused=True)
        self._critic_optimiser = torch.optim.Adam(self._critics.parameters(), lr=s.rate, fused=True)
        self._temperature_optimiser = torch.optim.Adam([self._log_temperature], lr=s.actor_rate)
        self._buffer = ReplayBuffer(s.capacity, width)
        self._multiplier = PidMultiplier(s.limit, *s.pid)
        self._shield_eur, self._scale = price_shield(task), 1.0
        self._turns, self._needed, self._losses = 0, 0.0, (0.0, 0.0)

    def advance(self, turns: int) -> LearnerFigures:
        """Step all packs `turns` times; return the figures then."""
        for _ in range(turns):
            if self._turns < self._settings.random_steps:
                self._buffer.add(self.collector.step(self._act_at_random()))
            else:
                if self._turns == self._settings.random_steps:
                    self._fit_scales()
                self._buffer.add(self.collector.step(self._act()))
                self._update(*self._buffer.draw(self._random, self._settings.batch))
            self._turns += 1
        critic_loss, actor_loss = self._losses
        temperature = float(self._log_temperature.detach().exp())
        return LearnerFigures(self._multiplier.rate, self._multiplier.value, temperature, critic_loss, actor_loss)

    def _act_at_random(self) -> Floats:
        corrections = torch.as_tensor(self.collector.draw_random(self._random), dtype=torch.float32)
        seen = torch.as_tensor(self.collector.observation)
        return self._trained.complete(seen, corrections).numpy()

    @torch.no_grad()
    def _act(self) -> Floats:
        seen = torch.as_tensor(self.collector.observation)
        out = self._trained(seen)
        own, _ = self._sample(seen, out)
        mean = self._trained.complete(seen, torch.tanh(out[:, 0]))
        self._measure(mean, self._project(seen, mean))
        return own.numpy()

    def _measure(self, mean: Tensor, safe: Tensor) -> None:
        """Count how often the mean action needs the shield, and move the multiplier."""
        s = self._settings
        self._needed += float(((mean - safe).abs() > NEEDED).float().mean()) / s.measure_every
        if self._turns % s.measure_every == 0:
            self._multiplier.update(self._needed)
            self._needed = 0.0

    def _fit_scales(self) -> None:
        """Take the scale of observations and rewards from the random start; both stay, so no input ever moves."""
        for actor in (self._trained, self.actor):
            actor.normaliser.fit(self._buffer.get_observations())
        self._scale = 1.0 / max(float(self._buffer.get_earned().std()), 1e-12)

    def _sample(self, seen: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
        """Return a random action for each observation, and the logarithm of its density before the cut."""
        mean, log_std = out[:, 0], (out[:, 1] + self._settings.log_std).clamp(*STD_LOG)
        noise = torch.randn(mean.shape, generator=self._torch_random)
        raw = mean + noise * log_std.exp()
        density = -0.5 * noise.square() - log_std - 0.5 * math.log(2.0 * math.pi)
        bend = 2.0 * (math.log(2.0) - raw - nn.functional.softplus(-2.0 * raw))  # of the tanh
        return self._trained.explore(seen, torch.tanh(mean), torch.tanh(raw)), density - bend

    def _project(self, seen: Tensor, own: Tensor) -> Tensor:
        return self._trained.project(seen, own) if self._settings.shielded else own

    def _value(self, critics: nn.ModuleList, number: int, seen: Tensor, action: Tensor) -> Tensor:
        inputs = torch.cat([self._trained.normaliser(seen), action[:, None]], dim=1)
        value: Tensor = critics[number](inputs)[:, 0]
        return value

    def _update(self, seen: Tensor, following: Tensor, numbers: Tensor) -> None:
        """Update critics, actor and temperature with one batch."""
        s, (own, safe, earned, broken, ended) = self._settings, numbers
        temperature, price = float(self._log_temperature.detach().exp()), self._shield_eur * self._scale
        with torch.no_grad():
            out = self._trained(following)
            next_own, density = self._sample(following, out)
            next_safe = self._project(following, next_own)
            next_value = torch.minimum(
                self._value(self._targets, 0, following, next_safe), self._value(self._targets, 1, following, next_safe)
            )
            next_value -= temperature * density + price * (next_own - next_safe).abs()
            goal = earned * self._scale + s.discount * (1.0 - ended) * next_value
            next_mean = self._trained.complete(following, torch.tanh(out[:, 0]))
            next_broken = self._value(self._targets, 2, following, next_mean).clamp(0.0, 1.0)
            # the share of steps from here on, not their sum: it stays within 0 and 1
            broken_goal = (1.0 - s.discount) * broken + s.discount * (1.0 - ended) * next_broken
        critic_loss = (
            (self._value(self._critics, 0, seen, safe) - goal).square().mean()
            + (self._value(self._critics, 1, seen, safe) - goal).square().mean()
            + (self._value(self._critics, 2, seen, own) - broken_goal).square().mean()
        )
        descend(critic_loss, self._critic_optimiser)
        self._losses = float(critic_loss.detach()), self._losses[1]
        if self._turns < s.random_steps + s.burn_in:
            self._follow(self._pairs[: len(list(self._critics.parameters()))])
            return

        self._critics.requires_grad_(requires_grad=False)
        out = self._trained(seen)
        action, density = self._sample(seen, out)
        mean = self._trained.complete(seen, torch.tanh(out[:, 0]))
        kept, kept_mean = self._project(seen, action), self._project(seen, mean)
        value = torch.minimum(self._value(self._critics, 0, seen, kept), self._value(self._critics, 1, seen, kept))
        value = value - price * (action - kept).abs()
        count = self._value(self._critics, 2, seen, mean) / (1.0 - s.discount) + (mean - kept_mean).abs()
        weight = self._multiplier.value
        actor_loss = ((temperature * density - value + weight * count) / (1.0 + weight)).mean()
        descend(actor_loss, self._actor_optimiser)
        self._critics.requires_grad_(requires_grad=True)

        spare = (density.detach() + s.entropy).mean()
        descend(-self._log_temperature * spare, self._temperature_optimiser)
        self._follow(self._pairs)
        self._losses = self._losses[0], float(actor_loss.detach())

    @torch.no_grad()
    def _follow(self, pairs: list[tuple[Tensor, Tensor, float]]) -> None:
        for slow, fast, share in pairs:
            slow.lerp_(fast, share)

    def get_state(self) -> dict[str, Any]:
        """Return all that the next steps depend on, for `set_state`."""
        return {
            "collector": self.collector.get_state(),
            "buffer": self._buffer.get_state(),
            "modules": {name: module.state_dict() for name, module in self._list_modules().items()},
            "optimisers": {name: one.state_dict() for name, one in self._list_optimisers().items()},
            "log_temperature": self._log_temperature.detach().clone(),
            "random": find_numpy_state(self._random),
            "torch_random": self._torch_random.get_state(),
            "multiplier": self._multiplier.get_state(),
            "numbers": [self._turns, self._needed, *self._losses, self._scale],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from `get_state` of the same task, seed and settings."""
        self.collector.set_state(state["collector"])
        self._buffer.set_state(state["buffer"])
        for name, module in self._list_modules().items():
            module.load_state_dict(state["modules"][name])
        for name, optimiser in self._list_optimisers().items():
            optimiser.load_state_dict(state["optimisers"][name])
        with torch.no_grad():
            self._log_temperature.copy_(state["log_temperature"])
        self._random = make_numpy_random(state["random"])
        self._torch_random.set_state(state["torch_random"])
        self._multiplier.set_state(state["multiplier"])
        self._turns, self._needed, critic_loss, actor_loss, self._scale = state["numbers"]
        self._losses = critic_loss, actor_loss

    def _list_modules(self) -> dict[str, nn.Module]:
        return {"actor": self.actor, "trained": self._trained, "critics": self._critics, "targets": self._targets}

    def _list_optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {
            "actor": self._actor_optimiser,
            "critic": self._critic_optimiser,
            "temperature": self._temperature_optimiser,
        }


def _pair(slow: nn.Module, fast: nn.Module) -> list[tuple[Tensor, Tensor]]:
    return list(zip(slow.parameters(), fast.parameters(), strict=True))
