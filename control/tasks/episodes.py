"""Episodes of a task: pack, faults of sensors and signal of each are drawn by its own seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from control.tasks.price_source import count_per_hour
from control.tasks.prices import draw_prices
from control.tasks.task import TaskKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.tasks.task import ControlTask, TaskDuty
    from drivers.snapshot import Floats

HOUR_S: Final = 3600.0
ZERO_C_K: Final = 273.15


@dataclass(frozen=True)
class Episodes:
    """What was drawn for each of `packs` episodes; factors over new cells, biases of the sensors.

    `signal[packs, steps + preview]`: what the task follows, a price (EUR/kWh) or a current (A), of each step;
    `voltage_noise_v[packs, steps + 1, 2]`: of the lowest and the highest cell, at the start and after each step.
    """

    soc0: Floats
    capacity: Floats
    resistance: Floats
    ambient_k: Floats
    voltage_bias_v: Floats
    current_bias_a: Floats
    temperature_bias_k: Floats
    soc_error: Floats
    voltage_noise_v: Floats
    signal: Floats

    @property
    def packs(self) -> int:
        return len(self.ambient_k)


def draw_episodes(task: ControlTask, seed: int, numbers: Sequence[int]) -> Episodes:
    """Draw the episodes `numbers` of `seed`; the same number of the same seed is the same episode for everybody."""
    drawn = [_draw(task, np.random.default_rng([seed, number])) for number in numbers]
    return join(drawn)


def join(episodes: Sequence[Episodes]) -> Episodes:
    """Return several episodes as one batch."""
    names = Episodes.__dataclass_fields__
    return Episodes(**{name: np.concatenate([getattr(one, name) for one in episodes]) for name in names})


def _draw(task: ControlTask, random: np.random.Generator) -> Episodes:
    varies, cells = task.varies, task.pack.cells
    soc0 = random.uniform(*varies.soc) + varies.soc_spread * random.standard_normal(cells)
    capacity = random.uniform(*varies.capacity) * (1.0 + varies.capacity_spread * random.standard_normal(cells))
    resistance = random.uniform(*varies.resistance) * (1.0 + varies.resistance_spread * random.standard_normal(cells))
    ambient_k = random.uniform(*varies.ambient_degc) + ZERO_C_K
    voltage, current, temperature, soc_error = (
        np.array([spread * random.uniform(-1.0, 1.0)])
        for spread in (varies.voltage_bias_v, varies.current_bias_a, varies.temperature_bias_k, varies.soc_error)
    )
    low, high = task.limits.soc
    return Episodes(
        soc0=np.clip(soc0, low, high)[None],
        capacity=np.maximum(capacity, 0.1)[None],
        resistance=np.maximum(resistance, 0.1)[None],
        ambient_k=np.array([ambient_k]),
        voltage_bias_v=voltage,
        current_bias_a=current,
        temperature_bias_k=temperature,
        soc_error=soc_error,
        voltage_noise_v=varies.voltage_noise_v * random.standard_normal((1, task.steps + 1, 2)),
        signal=_draw_signal(task, random)[None],
    )


def _draw_signal(task: ControlTask, random: np.random.Generator) -> Floats:
    steps = task.steps + task.preview
    if task.kind is TaskKind.ARBITRAGE and task.prices is not None:
        per_hour = count_per_hour(task.step_s)
        if task.market is not None:
            return task.market.table.draw(random, steps, per_hour)
        return np.repeat(draw_prices(random, task.prices, -(-steps // per_hour)), per_hour)[:steps]
    if task.kind is TaskKind.DUTY and task.duty is not None:
        return _draw_duty(random, task.duty, steps, task.step_s) * task.pack_ah
    return np.zeros(steps)


def _draw_duty(random: np.random.Generator, duty: TaskDuty, steps: int, step_s: float) -> Floats:
    """Return a current in C: levels that last a while, each reached at once or by a ramp."""
    mean_c, levels = random.uniform(*duty.mean_c), list["Floats"]()
    last_c, drawn = 0.0, 0
    while drawn < steps:
        lasts = max(1, round(random.uniform(*duty.lasts_s) / step_s))
        level_c = float(np.clip(mean_c + duty.level_c * random.uniform(-1.0, 1.0), -duty.level_c, duty.level_c))
        begins_c = last_c if random.random() < 0.5 else level_c  # noqa: PLR2004  # a coin
        levels.append(np.linspace(begins_c, level_c, lasts))
        last_c, drawn = level_c, drawn + lasts
    return np.concatenate(levels)[:steps]
