"""The two bounds of a judge: of a share that was counted, and of a difference in cost between pairs of days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import betaincinv

if TYPE_CHECKING:
    from drivers.snapshot import Floats

CONFIDENCE: Final = 0.95
DRAWS: Final = 10_000
AT_ONCE: Final = 1000  # draws in memory


def bound_share(failures: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """Return the one-sided upper bound of a share (Clopper and Pearson 1934, Biometrika 26, 404).

    Without a failure it is about 3 / `trials`, the rule of three. Without a trial it is 1.
    """
    if trials <= failures:
        return 1.0
    return float(betaincinv(failures + 1, trials - failures, confidence))


def bound_relative_difference(
    cost_eur: Floats, peer_eur: Floats, *, seed: int, draws: int = DRAWS, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the mean difference of two costs, pair by pair, over the magnitude of the peer's mean, and its bound.

    The bound is the one-sided upper percentile of a bootstrap over the pairs (Efron 1979, Annals of Statistics 7, 1).
    A peer whose mean cost is zero gives infinity.
    """
    if cost_eur.shape != peer_eur.shape or cost_eur.size == 0:
        raise ValueError(f"{cost_eur.size} costs cannot be paired with {peer_eur.size}")
    more_eur, random, days = cost_eur - peer_eur, np.random.default_rng(seed), len(cost_eur)
    drawn = [random.integers(days, size=(min(AT_ONCE, draws - done), days)) for done in range(0, draws, AT_ONCE)]
    ratios = np.concatenate([_divide(more_eur[days], peer_eur[days]) for days in drawn])
    return float(_divide(more_eur[None], peer_eur[None])[0]), float(np.quantile(ratios, confidence, method="higher"))


def _divide(more_eur: Floats, peer_eur: Floats) -> Floats:
    """Return the ratio of the means of each row."""
    above, below = more_eur.mean(axis=1), np.abs(peer_eur.mean(axis=1))
    return np.divide(above, below, out=np.full(len(above), np.inf), where=below > 0.0)
