"""Constrained policy optimisation on packs behind a shield (Achiam, Held, Tamar and Abbeel 2017, algorithm 1).

Each iteration collects the steps of all packs under the present policy, estimates advantages of the reward and of the
constraint (Schulman et al. 2016), and takes the largest step within a trust region for which the linearised constraint
holds. The constraint: with a shield the share of steps in which it had to correct the action, without one the share of
steps that broke a limit. The reward knows both actions: it lacks the price of what the shield changed.
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
from control.rl.learner import LearnerFigures
from control.rl.networks import Actor, descend, make_layers
from control.tasks.task import TaskKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from control.tasks.task import ControlTask
    from drivers.snapshot import Floats


@dataclass(frozen=True)
class CpoSettings:
    """All that may be set; each where it stands."""

    packs: int = 64  # stepped together
    turns: int = 96  # steps of all packs an iteration
    random_turns: int = 96  # of random actions at the start; they give the normaliser and the scale of rewards
    burn_in: int = 0  # iterations after them that fit the critics alone: wrong ones would spoil the policy's start
    hidden: tuple[int, ...] = (64, 64)
    discount: float = 0.995
    trace: float = 0.95  # lambda of the generalised advantages
    distance: float = 0.01  # KL divergence that one iteration may move
    damping: float = 0.05  # added to the Fisher matrix
    conjugate_steps: int = 10
    searches: int = 10  # halvings of a step until it keeps distance, reward and constraint
    critic_rate: float = 1e-3  # of Adam, for both critics
    critic_passes: int = 8  # over the steps of an iteration
    batch: int = 512
    log_std: float = -1.0  # at the start, of the action
    limit: float = 0.03  # share of steps that may count for the constraint
    shielded: bool = True


def choose_cpo_settings(task: ControlTask) -> CpoSettings:
    """Return the settings for a task, see `control.rl.sac.choose_settings`."""
    match task.kind:
        case TaskKind.DUTY:
            return CpoSettings(discount=0.9)
        case TaskKind.ARBITRAGE:
            many = CpoSettings(packs=128, burn_in=5, batch=1024, critic_passes=4)
            return replace(many, discount=0.99, trace=0.9, distance=0.02)
        case TaskKind.CHARGE:
            return CpoSettings(discount=0.998)


class CpoLearner:
    """One training; the same seed gives the same course on one machine with one thread."""

    def __init__(self, task: ControlTask, seed: int, settings: CpoSettings | None = None) -> None:
        self._settings = s = settings or choose_cpo_settings(task)
        self._random = torch.Generator().manual_seed(seed)
        self.collector = Collector(task, seed, s.packs, shielded=s.shielded)
        width = self.collector.observation.shape[1]
        self.actor = Actor(task, s.hidden, 1, self._random)
        self._log_std = nn.Parameter(torch.full((1,), s.log_std))
        self._critics = nn.ModuleList(make_layers((width, *s.hidden, 1), self._random) for _ in range(2))
        self._optimiser = torch.optim.Adam(self._critics.parameters(), lr=s.critic_rate)
        self._shield_eur, self._scale, self._turns, self._critic_loss = price_shield(task), 1.0, 0, 0.0
        self._constraint = self._multiplier = self._gain = 0.0

    def advance(self, turns: int) -> LearnerFigures:
        """Step all packs at least `turns` times, in whole iterations; return the figures then."""
        if self._turns == 0:
            self._begin()
        goal = self._turns + turns
        while self._turns < goal:
            self._iterate()
        return LearnerFigures(self._constraint, self._multiplier, 0.0, self._critic_loss, -self._gain)

    def _begin(self) -> None:
        """Take the scale of observations and rewards from random actions; both stay, so no input ever moves."""
        s, seen, earned = self._settings, list["Floats"](), list["Floats"]()
        random = np.random.default_rng(int(torch.randint(2**31, (1,), generator=self._random)))
        for _ in range(s.random_turns):
            corrections = torch.as_tensor(self.collector.draw_random(random), dtype=torch.float32)
            own = self.actor.complete(torch.as_tensor(self.collector.observation), corrections)
            step = self.collector.step(own.numpy())
            seen.append(step.observation)
            earned.append(step.earned)
        self.actor.normaliser.fit(np.concatenate(seen).astype(np.float64))
        self._scale = 1.0 / max(float(np.std(earned)), 1e-12)
        self._turns = s.random_turns

    def _mean(self, seen: Tensor) -> Tensor:
        return torch.tanh(self.actor(seen)[:, 0])

    def _value(self, number: int, seen: Tensor) -> Tensor:
        value: Tensor = self._critics[number](self.actor.normaliser(seen))[:, 0]
        return value

    def _iterate(self) -> None:
        """Collect one iteration, move the policy, then fit the critics."""
        s = self._settings
        seen, corrections, gains, goals, constraint = self._collect()
        self._constraint = constraint
        if self._turns > s.random_turns + s.burn_in * s.turns:
            self._move(seen, corrections, *gains)
        self._fit_critics(seen, *goals)

    @torch.no_grad()
    def _collect(self) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor], tuple[Tensor, Tensor], float]:
        """Return observations, corrections, advantages and goals of both critics, and the share that counted."""
        s, steps, drawn = self._settings, list[Any](), list[Tensor]()
        for _ in range(s.turns):
            now = torch.as_tensor(self.collector.observation)
            noise = torch.randn(s.packs, generator=self._random)
            mean = self._mean(now)
            drawn.append(mean + noise * self._log_std.exp())
            steps.append(self.collector.step(self.actor.explore(now, mean, drawn[-1]).clamp(-1.0, 1.0).numpy()))
        self._turns += s.turns
        own, safe, earned, broken, ended = (
            torch.as_tensor(np.array([getattr(step, name) for step in steps]), dtype=torch.float32)
            for name in ("own", "safe", "earned", "broken", "ended")
        )
        rewards = self._scale * (earned - self._shield_eur * (own - safe).abs())
        seen, following = (
            torch.as_tensor(np.array([getattr(step, name) for step in steps])) for name in ("observation", "following")
        )
        results = [
            self._advantages(number, values, seen, following, ended) for number, values in ((0, rewards), (1, broken))
        ]
        gains, counts = (advantage.flatten() for advantage, _ in results)
        flat = seen.flatten(0, 1)
        goals = results[0][1].flatten(), results[1][1].flatten()
        scaled = (gains - gains.mean()) / (gains.std() + 1e-8), counts - counts.mean()
        return flat, torch.cat(drawn), scaled, goals, float(broken.mean())

    def _advantages(
        self, number: int, values: Tensor, seen: Tensor, following: Tensor, ended: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return generalised advantages and the goals of the critic, both `[turns, packs]`."""
        s, (turns, packs) = self._settings, values.shape
        now = self._value(number, seen.flatten(0, 1)).reshape(turns, packs)
        then = self._value(number, following.flatten(0, 1)).reshape(turns, packs)
        surprise = values + s.discount * (1.0 - ended) * then - now
        advantages, running = torch.zeros_like(values), torch.zeros(packs)
        for turn in reversed(range(turns)):
            running = surprise[turn] + s.discount * s.trace * (1.0 - ended[turn]) * running
            advantages[turn] = running
        return advantages, advantages + now

    def _move(self, seen: Tensor, corrections: Tensor, gains: Tensor, counts: Tensor) -> None:
        """Take the step of CPO, shortened until distance, reward and constraint hold."""
        s, own = self._settings, [*self.actor.parameters(), self._log_std]
        with torch.no_grad():
            old_mean, old_log_std = self._mean(seen), self._log_std.clone()
            old_density = _density(corrections, old_mean, old_log_std)

        def weigh(advantages: Tensor) -> Tensor:
            ratio = (_density(corrections, self._mean(seen), self._log_std) - old_density).exp()
            return (ratio * advantages).mean()

        def distance() -> Tensor:
            spread = (2.0 * old_log_std).exp() + (old_mean - self._mean(seen)).square()
            return (self._log_std - old_log_std - 0.5 + 0.5 * spread / (2.0 * self._log_std).exp()).mean()

        def multiply_fisher(vector: Tensor) -> Tensor:
            slope = _flatten(torch.autograd.grad(distance(), own, create_graph=True))
            product = _flatten(torch.autograd.grad((slope * vector).sum(), own))
            return product + s.damping * vector

        g = _flatten(torch.autograd.grad(weigh(gains), own)).detach()
        b = _flatten(torch.autograd.grad(weigh(counts), own)).detach()
        # advantages of the constraint are sums over the discounted horizon; the excess is given in the same unit
        excess = (self._constraint - s.limit) / (1.0 - s.discount)
        step, self._multiplier = find_step(g, b, excess, s.distance, multiply_fisher, conjugate_steps=s.conjugate_steps)
        start = _flatten(own).detach().clone()
        with torch.no_grad():
            reward_before, count_before = float(weigh(gains)), float(weigh(counts))
            for halving in range(s.searches):
                _assign(own, start + step * 0.5**halving)
                self._gain = float(weigh(gains)) - reward_before
                more = float(weigh(counts)) - count_before
                keeps = more <= max(-excess, 0.0) or (excess > 0.0 and more < 0.0)
                if float(distance()) <= 1.5 * s.distance and keeps and (self._gain >= 0.0 or excess > 0.0):
                    return
            _assign(own, start)
            self._gain = 0.0

    def _fit_critics(self, seen: Tensor, reward_goal: Tensor, count_goal: Tensor) -> None:
        s = self._settings
        for _ in range(s.critic_passes):
            order = torch.randperm(len(seen), generator=self._random)
            for begin in range(0, len(seen), s.batch):
                rows = order[begin : begin + s.batch]
                reward_error = self._value(0, seen[rows]) - reward_goal[rows]
                count_error = self._value(1, seen[rows]) - count_goal[rows]
                loss = reward_error.square().mean() + count_error.square().mean()
                descend(loss, self._optimiser)
                self._critic_loss = float(loss.detach())

    def get_state(self) -> dict[str, Any]:
        """Return all that the next steps depend on, for `set_state`."""
        return {
            "collector": self.collector.get_state(),
            "actor": copy.deepcopy(self.actor.state_dict()),
            "critics": copy.deepcopy(self._critics.state_dict()),
            "optimiser": copy.deepcopy(self._optimiser.state_dict()),
            "log_std": self._log_std.detach().clone(),
            "random": self._random.get_state(),
            "numbers": [self._turns, self._scale, self._critic_loss, self._constraint, self._multiplier, self._gain],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from `get_state` of the same task, seed and settings."""
        self.collector.set_state(state["collector"])
        self.actor.load_state_dict(state["actor"])
        self._critics.load_state_dict(state["critics"])
        self._optimiser.load_state_dict(state["optimiser"])
        with torch.no_grad():
            self._log_std.copy_(state["log_std"])
        self._random.set_state(state["random"])
        self._turns, self._scale, self._critic_loss, self._constraint, self._multiplier, self._gain = state["numbers"]


def find_step(
    g: Tensor, b: Tensor, excess: float, distance: float, multiply: Callable[[Tensor], Tensor], *, conjugate_steps: int
) -> tuple[Tensor, float]:
    """Return the step `x` that maximises `g x` for `b x + excess <= 0` and `x H x / 2 <= distance`, and its multiplier.

    `multiply` returns `H` times a vector. Where no step keeps the constraint, the one that lowers it fastest is taken
    (equations 11 to 14 of the paper).
    """
    free = solve_conjugate(multiply, g, conjugate_steps)
    q = float(g @ free)
    if float(b @ b) < 1e-12:  # nothing counts for the constraint  # noqa: PLR2004  # rounding of float64
        return free * math.sqrt(2.0 * distance / max(q, 1e-12)), 0.0
    away = solve_conjugate(multiply, b, conjugate_steps)
    r, s = float(g @ away), max(float(b @ away), 1e-12)
    if excess > 0.0 and excess * excess / s > 2.0 * distance:
        return -away * math.sqrt(2.0 * distance / s), 0.0
    unbound = free * math.sqrt(2.0 * distance / max(q, 1e-12))
    if float(b @ unbound) + excess <= 0.0:
        return unbound, 0.0
    # the constraint binds: on its plane, the rest of the trust region is used for the reward
    left = max(2.0 * distance - excess * excess / s, 0.0)
    along = free - away * (r / s)
    length = max(q - r * r / s, 1e-12)
    scale = math.sqrt(left / length)
    return along * scale - away * (excess / s), max(0.0, (r * scale + excess) / (s * scale)) if scale > 0.0 else 0.0


def solve_conjugate(multiply: Callable[[Tensor], Tensor], right: Tensor, steps: int) -> Tensor:
    """Return `x` with `multiply(x) = right` after some steps of the conjugate gradient method."""
    x, rest = torch.zeros_like(right), right.clone()
    along, size = rest.clone(), float(rest @ rest)
    for _ in range(steps):
        if size < 1e-12:  # solved  # noqa: PLR2004  # rounding of float64
            break
        product = multiply(along)
        share = size / float(along @ product)
        x, rest = x + share * along, rest - share * product
        before, size = size, float(rest @ rest)
        along = rest + size / before * along
    return x


def _density(corrections: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Return the logarithm of the normal density, without its constant."""
    return -0.5 * ((corrections - mean) / log_std.exp()).square() - log_std


def _flatten(parts: Any) -> Tensor:
    return torch.cat([part.reshape(-1) for part in parts])


def _split(flat: Tensor, like: list[Tensor]) -> Iterator[Tensor]:
    begin = 0
    for one in like:
        yield flat[begin : begin + one.numel()].view_as(one)
        begin += one.numel()


def _assign(parameters: list[Any], flat: Tensor) -> None:
    with torch.no_grad():
        for parameter, values in zip(parameters, _split(flat, parameters), strict=True):
            parameter.copy_(values)
