"""Day-ahead prices: drawn by a seed, or read from a published table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from control.tasks.task import TaskPrices
    from drivers.snapshot import Floats

HOURS: Final = 24
# Two peaks a day, in the morning and in the evening, and two troughs, at night and at noon. The unit is that of the
# swing that a task declares.
# Its correlation with the mean day of the Belgian day-ahead market of 2022 and 2023 is 0.94.
DAY: Final = np.array(
    [
        *(-0.6, -0.9, -1.1, -1.2, -1.2, -0.7, 0.3, 1.1, 1.2, 0.6, 0.1, -0.3),
        *(-0.6, -0.9, -0.9, -0.5, 0.2, 1.2, 1.9, 2.0, 1.2, 0.4, 0.1, -0.4),
    ]
)
SPIKE_HOURS: Final = (7, 8, 18, 19, 20)


def draw_prices(random: np.random.Generator, prices: TaskPrices, hours: int) -> Floats:
    """Return the price of `hours` hours from midnight in EUR/kWh; it may be negative, as at the market."""
    days = -(-hours // HOURS)
    level = prices.mean_eur_kwh + prices.day_eur_kwh * random.standard_normal(days)
    hourly = np.repeat(level, HOURS) + np.tile(prices.swing_eur_kwh * DAY, days)
    hourly += prices.noise_eur_kwh * random.standard_normal(len(hourly))
    for day in range(days):
        for _ in range(random.poisson(prices.spikes_per_day)):
            hourly[HOURS * day + random.choice(SPIKE_HOURS)] += prices.spike_eur_kwh * random.exponential()
    return hourly[:hours]


def expect_means(prices: TaskPrices, signal: Floats, steps: int, per_hour: int) -> Floats:
    """Return `[packs, steps + 1]`: the mean of `signal[packs, n]` that is to be expected at each step.

    At step `t`, the prices of the first `t + n - steps` steps are known. The others are expected as they are drawn: the
    daily shape, and the level of the day as far as its known hours tell it.
    """
    per_day = HOURS * per_hour
    hour = np.arange(signal.shape[1], dtype=np.intp) // per_hour % HOURS
    prior = prices.mean_eur_kwh + prices.swing_eur_kwh * DAY[hour]
    is_spiked = np.isin(hour, SPIKE_HOURS)
    prior = prior + is_spiked * prices.spike_eur_kwh * prices.spikes_per_day / len(SPIKE_HOURS)
    sums = np.hstack([np.zeros((len(signal), 1)), np.cumsum(signal - prior, axis=1)])  # above what is expected
    means = np.empty((len(signal), steps + 1))
    doubt = (prices.noise_eur_kwh / max(prices.day_eur_kwh, 1e-9)) ** 2
    for step in range(steps + 1):
        known = min(step + signal.shape[1] - steps, signal.shape[1])
        begin = (known - 1) // per_day * per_day  # of the day that is known in part
        seen, left = known - begin, min(begin + per_day, signal.shape[1]) - known
        level = (sums[:, known] - sums[:, begin]) / seen
        means[:, step] = sums[:, known] + left * level / (1.0 + doubt * per_hour / seen)
    return prior.mean() + means / signal.shape[1]
