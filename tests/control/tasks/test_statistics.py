"""The bounds of a judge beside those of scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from control.tasks.statistics import bound_relative_difference, bound_share

SCIPY: Any = stats


@pytest.mark.parametrize(("failures", "trials"), [(0, 3000), (1, 50), (7, 20), (19, 20)])
def test_the_bound_of_a_share_is_that_of_clopper_and_pearson(failures: int, trials: int) -> None:
    exact = SCIPY.binomtest(failures, trials, alternative="less").proportion_ci(0.95, method="exact")
    assert bound_share(failures, trials) == pytest.approx(exact.high, rel=1e-9)


def test_without_a_failure_the_bound_follows_the_rule_of_three() -> None:
    assert bound_share(0, 3000) == pytest.approx(3.0 / 3000.0, rel=0.01)
    assert bound_share(0, 3000) < 0.001
    assert bound_share(0, 2900) > 0.001


def test_what_was_never_tried_has_no_bound() -> None:
    assert bound_share(0, 0) == 1.0
    assert bound_share(5, 5) == 1.0


def test_the_bound_of_a_difference_is_that_of_scipys_bootstrap() -> None:
    random = np.random.default_rng(3)
    peer = -1.0 + 0.3 * random.standard_normal(60)
    costs = peer + 0.02 + 0.05 * random.standard_normal(60)
    more, bound = bound_relative_difference(costs, peer, seed=1)

    def divide(costs: Any, peer: Any, axis: int = -1) -> Any:
        return (costs - peer).mean(axis=axis) / np.abs(peer.mean(axis=axis))

    exact = SCIPY.bootstrap(
        (costs, peer), divide, n_resamples=10_000, paired=True, alternative="less", method="percentile", rng=2
    )
    assert more == pytest.approx(divide(costs, peer))
    assert bound == pytest.approx(exact.confidence_interval.high, abs=0.001)


def test_pairs_make_the_bound_narrower_than_two_samples_would() -> None:
    random = np.random.default_rng(4)
    peer = -1.0 + 0.5 * random.standard_normal(100)
    _, paired = bound_relative_difference(peer + 0.001, peer, seed=1)
    _, mixed = bound_relative_difference(random.permutation(peer) + 0.001, peer, seed=1)
    assert paired < 0.01 < mixed


def test_costs_without_their_pairs_are_refused_and_a_free_peer_has_no_ratio() -> None:
    with pytest.raises(ValueError, match="3 costs cannot be paired with 2"):
        bound_relative_difference(np.ones(3), np.ones(2), seed=0)
    assert bound_relative_difference(np.ones(3), np.zeros(3), seed=0)[1] == np.inf
