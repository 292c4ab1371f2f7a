"""The slow lane on cells that are known: it follows a step of capacity and of resistance, and says what it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from tests.twin.network.synthetic_cell import make_drive
from twin.network.total_fit import TotalFit, compute_cost, compute_curvature
from workbench.measure.aged_cells import AGED, NEW, OFFSET_A, REST, feed_current, feed_cycles, make_slow


def test_steps_of_20_percent_are_followed_with_noise_and_an_offset_of_the_sensor() -> None:
    """After four cycles: 4 % of the capacity; 5 % of the resistance, where R0 alone grows, 2 % where all do."""
    slow = make_slow(len(AGED))
    before = feed_cycles(slow, [NEW] * len(AGED), (1,), offset_a=OFFSET_A)
    after = feed_cycles(slow, AGED, (4, 5, 6, 7), offset_a=OFFSET_A)
    for told, cells in ((before, [NEW] * len(AGED)), (after, AGED)):
        capacity, resistance, _ = np.array(cells).T
        np.testing.assert_allclose(told.capacity, capacity, atol=0.04)
        np.testing.assert_allclose(told.resistance, resistance, atol=0.05)
        assert (np.abs(told.capacity - capacity) < 3.0 * told.capacity_std).all()
        assert (np.abs(told.resistance - resistance) < 3.0 * told.resistance_std).all()
    assert after.resistance[2] == pytest.approx(1.2, abs=0.02)


def test_nothing_is_known_before_there_is_evidence_and_one_side_comes_without_the_other() -> None:
    told = feed_cycles(make_slow(1), [NEW], ())
    assert np.isnan([told.capacity, told.capacity_std, told.resistance, told.resistance_std]).all()
    driven = feed_current(make_slow(1), make_drive(3, rows=1500))
    assert np.isfinite(driven.resistance).all()
    assert np.isnan(driven.capacity).all()


def test_charge_that_nobody_measured_makes_the_capacity_unknown_not_wrong() -> None:
    """An hour of the discharge is not seen: its charge is missing between two rests."""
    current_a = np.concatenate([REST, np.full(3600, 1.0), REST])
    whole, holed = (feed_current(make_slow(1), current_a, lost=lost) for lost in (slice(0), slice(1500, 3300)))
    assert whole.capacity == pytest.approx(1.0, abs=0.04)
    assert np.isnan(holed.capacity).all()


def test_two_halves_of_a_second_tell_what_whole_seconds_tell() -> None:
    current_a = make_drive(4, rows=1200)
    coarse = feed_current(make_slow(1), current_a, dt_s=1.0)
    fine = feed_current(make_slow(1), np.repeat(current_a, 4), dt_s=0.25)
    assert coarse.resistance == pytest.approx(1.0, abs=0.04)
    assert fine.resistance == pytest.approx(1.0, abs=0.04)


def test_the_slope_of_points_of_one_quality_is_that_of_orthogonal_regression() -> None:
    rng = np.random.default_rng(11)
    x = rng.uniform(-0.8, 0.8, 40)
    points = np.stack([x + 0.01 * rng.standard_normal(40), 0.85 * x + 0.01 * rng.standard_normal(40)])
    fit, ones = TotalFit(1), np.ones(1)
    weights = 0.8 ** (0.5 * np.arange(40)[::-1])  # as it forgets
    for at_x, at_y in points.T:
        fit.add(np.array([True]), at_x * ones, at_y * ones, 1e-4 * ones, 1e-4 * ones)
    direction = np.linalg.svd((points * weights).T)[2][0]
    assert fit.solve()[0] == pytest.approx(direction[1] / direction[0], abs=1e-9)


def test_the_deviation_of_a_slope_is_that_of_its_errors() -> None:
    """Two thousand lines of six points of different quality: the errors are as large as they are said to be."""
    rng, lines = np.random.default_rng(12), 2000
    fit, every = TotalFit(lines), np.ones(lines, np.bool_)
    for _ in range(6):
        x = rng.choice([-1.0, 1.0], lines) * rng.uniform(0.2, 0.8, lines)
        x_std, y_std = np.full(lines, 0.014), rng.uniform(0.005, 0.03, lines)
        seen_x, seen_y = (at + std * rng.standard_normal(lines) for at, std in ((x, x_std), (0.85 * x, y_std)))
        fit.add(every, seen_x, seen_y, x_std**2, y_std**2)
    slope, std = fit.solve()
    assert float(np.mean(slope)) == pytest.approx(0.85, abs=0.002)
    assert float(np.std((slope - 0.85) / std)) == pytest.approx(1.0, abs=0.1)


def test_the_curvature_is_the_second_derivative_of_the_cost() -> None:
    sums, step = np.array([5.0, 4.2, 4.0, 5.5, 4.1, 3.7]), 1e-4
    low, middle, high = (compute_cost(sums, 0.9 + k * step) for k in (-1.0, 0.0, 1.0))
    assert compute_curvature(sums, 0.9) == pytest.approx((low - 2.0 * middle + high) / step**2, rel=1e-4)
