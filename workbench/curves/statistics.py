"""What several seeds show: the band of their curves, and how sure their mean cost is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from control.tasks.statistics import CONFIDENCE, DRAWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.rl.finished_training import FinishedSeed
    from drivers.snapshot import Floats

SEED: Final = 0


class CurveBand(NamedTuple):
    """Lowest, median and highest return (EUR) at each of `steps`, over the seeds that have one there, `known[steps]`.

    All are NaN where no seed has one.
    """

    steps: Floats
    low: Floats
    median: Floats
    high: Floats
    known: Floats


def make_band(seeds: Sequence[FinishedSeed]) -> CurveBand:
    """Return the band of some curves: between two rows of a seed its return is a straight line, outside there is none.

    A row without a number stays one.
    """
    steps = np.unique(np.concatenate([seed.steps for seed in seeds]))
    curves = [np.interp(steps, seed.steps, seed.return_eur, left=np.nan, right=np.nan) for seed in seeds]
    returns = np.array(curves)
    low, median, high = np.full((3, len(steps)), np.nan)
    count = np.isfinite(returns).sum(axis=0).astype(np.float64)
    for n in np.flatnonzero(count):
        known = returns[np.isfinite(returns[:, n]), n]
        low[n], median[n], high[n] = known.min(), np.median(known), known.max()
    return CurveBand(steps, low, median, high, count)


class EpisodeBootstrap:
    """A bootstrap over seeds and over episodes that all controllers share (Efron 1979, Annals of Statistics 7, 1)."""

    def __init__(self, episodes: int, draws: int = DRAWS) -> None:
        self._random = np.random.default_rng(SEED)
        self._episodes = self._draw_weights(draws, episodes)

    def draw(self, cost_eur: Floats) -> Floats:
        """Return the mean of `cost_eur[seeds, episodes]` in each draw."""
        drawn = self._draw_weights(len(self._episodes), len(cost_eur))
        return np.sum((drawn @ cost_eur) * self._episodes, axis=1)

    def _draw_weights(self, draws: int, parts: int) -> Floats:
        """Return `[draws, parts]`: the share of each part among as many as were drawn with replacement."""
        return self._random.multinomial(parts, np.full(parts, 1.0 / parts), size=draws) / parts


def find_interval(draws: Floats) -> tuple[float, float]:
    """Return the two-sided percentile interval of some draws."""
    rest = 0.5 * (1.0 - CONFIDENCE)
    low, high = np.quantile(draws, [rest, 1.0 - rest])
    return float(low), float(high)
