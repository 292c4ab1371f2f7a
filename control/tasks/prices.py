"""Day-ahead prices: drawn by a seed, or read from a published table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from control.tasks.task import TaskPrices
    from drivers.snapshot import Floats

HOURS: Final = 24
# Two peaks a day, in the morning and in the evening, and a trough at night and one at noon: the mean day of the Belgian
# day-ahead market, 2022 and 2023, in units of its own standard deviation, rounded.
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
