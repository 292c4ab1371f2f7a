from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snapshot import PackReading
from twin.coulomb_counter import CoulombCounter, build
from twin.ports import PackSpec

MakePack = Callable[..., PackSpec]
NOTHING = np.full(2, np.nan)


def reading(current_a: float, balancing_a: float = 0.0) -> PackReading:
    return PackReading(0.0, current_a, np.array([0.0, balancing_a]), NOTHING, NOTHING)


@pytest.fixture
def counting(make_pack: MakePack) -> CoulombCounter:
    return CoulombCounter(replace(make_pack(2), parallel=12), 0.6, 0.05)


@given(st.lists(st.tuples(st.floats(-80.0, 80.0), st.floats(0.001, 1.0)), min_size=1, max_size=20))
def test_count_is_the_charge_over_the_nameplate(steps: list[tuple[float, float]]) -> None:
    pack = PackSpec(2, 12, 5.0, np.full(2, 0.9), np.full(2, 0.8), np.ones(2), 298.15)
    counting = CoulombCounter(pack, 0.6, 0.05)
    estimates = [counting.update(reading(current, 1.0), dt) for current, dt in steps]
    charge_as = sum(current * dt for current, dt in steps)
    passed_s = sum(dt for _, dt in steps)
    np.testing.assert_allclose(estimates[-1].soc, 0.6 - np.array([charge_as, charge_as + passed_s]) / 216_000.0)


def test_standard_deviation_starts_as_given_and_grows(counting: CoulombCounter) -> None:
    stds = [counting.update(reading(20.0), 10.0).soc_std[0] for _ in range(100)]
    assert stds[0] == pytest.approx(0.05, rel=1e-3)
    assert (np.diff(stds) > 0.0).all()


def test_unknown_current_goes_on_as_last_known_at_a_price(counting: CoulombCounter) -> None:
    known = counting.update(reading(36.0), 1.0)
    blind = counting.update(reading(float("nan")), 100.0)
    assert known.soc[0] - blind.soc[0] == pytest.approx(36.0 * 100.0 / 216_000.0)
    assert blind.soc_std[0] > np.hypot(0.05, 0.01)


def test_unknown_settings_are_refused(make_pack: MakePack) -> None:
    with pytest.raises(ValueError, match="has no setting cell; its settings are soc0 and soc0_std"):
        build(make_pack(), {"cell": 1})
