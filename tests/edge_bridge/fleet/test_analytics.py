"""Energy, cycles, efficiency and availability of packs whose answers are known by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from edge_bridge.fleet.analytics import (
    DAY_MS,
    PackSamples,
    count_cycles,
    find_availability,
    find_efficiency,
    find_turns,
    integrate_signed,
    sum_days,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

MINUTE_MS: Final = 60_000
MONDAY_MS: Final = 20_000 * DAY_MS


def make_samples(
    current: NDArray[np.float64], voltage: float | NDArray[np.float64] = 50.0, soc: NDArray[np.float64] | None = None
) -> PackSamples:
    t_ms = MONDAY_MS + MINUTE_MS * np.arange(len(current), dtype=np.int64)
    level = np.full(len(current), np.nan) if soc is None else soc
    return PackSamples(
        t_ms, current, np.broadcast_to(voltage, current.shape).astype(float), level, np.full(len(current), 0.9)
    )


def make_round_trip(charge_v: float, discharge_v: float) -> PackSamples:
    """One hour with 10 A in, one with 10 A out; a pack of 20 Ah moves from 0.2 to 0.7 and back."""
    current = np.r_[np.full(61, -10.0), np.full(61, 10.0)]
    soc = np.r_[np.linspace(0.2, 0.7, 61), np.linspace(0.7, 0.2, 61)]
    return make_samples(current, np.where(current > 0, discharge_v, charge_v), soc)


def test_a_constant_discharge_is_energy_out() -> None:
    (day,) = sum_days(make_samples(np.full(61, 10.0)))
    assert day.energy_out_wh == pytest.approx(500.0)
    assert day.charge_out_ah == pytest.approx(10.0)
    assert (day.energy_in_wh, day.charge_in_ah) == (0.0, 0.0)
    assert day.soh == pytest.approx(0.9)


def test_a_line_through_zero_is_split_where_it_crosses() -> None:
    t_ms = np.array([0, 3_600_000], dtype=np.int64)
    out, into = integrate_signed(t_ms, np.array([-1.0, 3.0]), 1e9)
    assert out[0] == pytest.approx(3 * 0.75 / 2)
    assert into[0] == pytest.approx(1 * 0.25 / 2)
    assert out[0] - into[0] == pytest.approx(1.0)


def test_nothing_flows_in_a_gap_or_beside_an_unknown_value() -> None:
    samples = make_samples(np.full(4, 10.0))
    t_ms = samples.t_ms + np.array([0, 0, 3_600_000, 3_600_000])
    whole = PackSamples(t_ms, samples.current_a, samples.voltage_v, samples.soc, samples.soh)
    (day,) = sum_days(whole)
    assert day.energy_out_wh == pytest.approx(2 * 500.0 / 60)
    assert day.reported_ms == 2 * MINUTE_MS
    broken = np.array([10.0, np.nan, 10.0, 10.0])
    (day,) = sum_days(make_samples(broken))
    assert day.charge_out_ah == pytest.approx(10.0 / 60)


def test_rows_every_ten_minutes_are_no_gaps() -> None:
    samples = make_samples(np.full(7, 6.0))
    slow = PackSamples(
        MONDAY_MS + (samples.t_ms - MONDAY_MS) * 10, np.full(7, 6.0), np.full(7, 6.0), samples.soc, samples.soh
    )
    (day,) = sum_days(slow)
    assert day.energy_out_wh == pytest.approx(36.0)


def test_each_interval_belongs_to_one_day() -> None:
    days = sum_days(make_samples(np.full(2 * 1440 + 1, 1.0)))
    assert [day.day_ms for day in days] == [MONDAY_MS, MONDAY_MS + DAY_MS, MONDAY_MS + 2 * DAY_MS]
    assert [day.charge_out_ah for day in days] == pytest.approx([24.0, 24.0, 0.0])


def test_cycles_are_half_the_moves_of_soc_and_noise_is_none() -> None:
    wave = np.r_[np.linspace(0.2, 0.8, 100), np.linspace(0.8, 0.2, 100)]
    noise = 0.003 * np.where(np.arange(200) % 2, 1.0, -1.0)
    assert count_cycles(wave) == pytest.approx(0.6)
    assert count_cycles(wave + noise) == pytest.approx(0.6, abs=0.01)
    assert count_cycles(np.full(50, 0.5) + noise[:50]) == 0.0
    assert count_cycles(np.full(5, np.nan)) == 0.0
    assert find_turns(np.array([0.2, 0.8, 0.2])) == [0, 1, 2]


def test_the_efficiency_of_a_round_trip_is_that_of_its_voltages() -> None:
    assert find_efficiency(make_round_trip(50.0, 45.0)) == pytest.approx(0.9, abs=0.001)


def test_half_a_round_trip_has_no_efficiency() -> None:
    whole = make_round_trip(50.0, 45.0)
    half = PackSamples(*(getattr(whole, name)[:60] for name in ("t_ms", "current_a", "voltage_v", "soc", "soh")))
    assert math.isnan(find_efficiency(half))
    assert math.isnan(find_efficiency(make_samples(np.full(10, 1.0))))


def test_no_efficiency_is_told_across_a_gap() -> None:
    whole = make_round_trip(50.0, 45.0)
    t_ms = whole.t_ms + np.where(np.arange(len(whole.t_ms)) >= 61, 3_600_000, 0)
    cut = PackSamples(t_ms, whole.current_a, whole.voltage_v, whole.soc, whole.soh)
    assert math.isnan(find_efficiency(cut))


def test_availability_is_the_share_of_the_span() -> None:
    (day,) = sum_days(make_samples(np.full(721, 1.0)))
    assert find_availability(day.reported_ms, MONDAY_MS, MONDAY_MS + DAY_MS) == pytest.approx(0.5)


def test_a_pack_without_samples_has_no_day() -> None:
    assert sum_days(make_samples(np.zeros(0))) == []
