"""The numbers of `[prices]` that fit the days of a table, by the moments of what `prices` draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from control.tasks.prices import DAY, HOURS, SPIKE_HOURS

if TYPE_CHECKING:
    from drivers.snapshot import Floats

IS_SPIKED: Final = np.isin(np.arange(HOURS), SPIKE_HOURS)
LEAST_DAYS: Final = 14  # of a fit


class FittedPrices(NamedTuple):
    """The numbers of `[prices]`, in EUR/kWh; see `prices`."""

    mean_eur_kwh: float
    swing_eur_kwh: float
    day_eur_kwh: float
    noise_eur_kwh: float
    spike_eur_kwh: float
    spikes_per_day: float


def fit_prices(hourly: Floats) -> FittedPrices:
    """Fit the numbers to `hourly[days, 24]` (EUR/kWh); raise `ValueError` for less than `LEAST_DAYS` days.

    Level and noise come from the variances of the hours without spikes; rate and mean of the exponential spikes from
    the second and the third moment that the other hours have beyond the noise (those of a compound Poisson
    distribution); mean and swing by least squares of the mean day, without what the spikes add to it.
    """
    days = len(hourly)
    if days < LEAST_DAYS:
        raise ValueError(f"{days} whole days are too few to fit prices to; {LEAST_DAYS} are needed")
    mean_day = hourly.mean(axis=0)
    apart = hourly - mean_day
    level, calm = apart[:, ~IS_SPIKED].mean(axis=1), int((~IS_SPIKED).sum())
    rest = apart - level[:, None]
    noise = float((rest[:, ~IS_SPIKED] ** 2).sum()) / ((days - 1) * (calm - 1))
    of_level = float((level**2).sum()) / (days - 1) - noise / calm
    spike, rate = _fit_spikes(rest[:, IS_SPIKED], noise * (1.0 + 1.0 / calm))
    daily = mean_day - IS_SPIKED * rate * spike / len(SPIKE_HOURS)
    shape = DAY - DAY.mean()
    swing = max(0.0, float(shape @ daily) / float(shape @ shape))
    mean = float((daily - swing * DAY).mean())
    return FittedPrices(mean, swing, max(of_level, 0.0) ** 0.5, noise**0.5, spike, rate)


def _fit_spikes(rest: Floats, noise: float) -> tuple[float, float]:
    """Return the mean (EUR/kWh) and the number a day of the spikes in `rest[days, hours]`; zeros if there are none."""
    beyond, skew = float((rest**2).mean()) - noise, float((rest**3).mean())
    if beyond <= 0.0 or skew <= 0.0:
        return 0.0, 0.0
    spike = skew / (3.0 * beyond)
    return spike, len(SPIKE_HOURS) * beyond / (2.0 * spike**2)
