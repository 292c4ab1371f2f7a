"""State of power: each limit bounds it, intervals hold, and a value that is not known is said."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from drivers.snapshot import PackReading
from tests.twin.network.synthetic_cell import CAPACITY_AH, make_network, simulate
from twin.network.filter_settings import FilterStart, make_circuit, make_settings, make_start
from twin.network.power_forecast import forecast_power
from twin.ports import HealthEstimate, PackSpec, StateOfPower
from twin.power import HORIZONS_S, PowerBounds, list_powers

if TYPE_CHECKING:
    from twin.ports import Estimator

CELLS, KELVIN, ELEMENT_AH = 3, 298.15, 60.0
MODULES = ("twin.ekf", "twin.ckf", "twin.dual_ekf")
ONES = np.ones(CELLS)
PACK = PackSpec(CELLS, 12, 5.0, ONES, ONES, ONES, KELVIN)
WIDE = PowerBounds(3.2, 4.15, 250.0, 400.0, 1e3, 1e3, 80.0, 0.1)  # of the known cell: only voltages bound it


def see(lane: Estimator, volts: float = 3.7, kelvin: float = KELVIN, seconds: int = 60, **limits: float) -> Any:
    """The estimate after a rest at one voltage."""
    reading = PackReading(0.0, 0.0, np.zeros(CELLS), np.full(CELLS, volts), np.full(CELLS, kelvin), **limits)
    return [lane.update(reading, 1.0) for _ in range(seconds)][-1]


def see_one(module: str, volts: float = 3.7, seconds: int = 60) -> Any:
    """The same of a pack of one such cell."""
    one = np.ones(1)
    lane = build(module, pack=PackSpec(1, 12, 5.0, one, one, one, KELVIN))
    reading = PackReading(0.0, 0.0, np.zeros(1), volts * one, KELVIN * one)
    return [lane.update(reading, 1.0) for _ in range(seconds)][-1]


def build(module: str, soc0: float = 0.5, pack: PackSpec = PACK) -> Estimator:
    return import_module(module).build(pack, {"soc0": soc0, "soc0_std": 0.01})


def of_known_cell(bounds: PowerBounds, soc: float = 0.6, kelvin: float = KELVIN, scale: float = 1.0) -> Any:
    """The power of the known cell, at rest in a state that the filter is nearly sure of."""
    network = make_network()
    x, covariance, memory = make_start(network, FilterStart(soc, 1e-4, rested=True))
    reading = np.array([[0.0, 0.0, np.nan, kelvin]])
    states = x[None], covariance[None], memory[None]
    circuit, settings = make_circuit(network), make_settings(network)
    return list_powers(forecast_power(*states, reading, circuit, settings, scale, bounds))


@pytest.mark.parametrize("module", MODULES)
def test_power_falls_with_the_horizon_and_lies_in_its_interval(module: str) -> None:
    for volts, soc0 in ((3.0, 0.03), (3.7, 0.5), (4.18, 0.98)):
        short, long = see(build(module, soc0), volts).power
        for value, later in zip(short, long, strict=True):
            assert 0.0 <= later <= value
        for one in (short, long):
            assert one.discharge_low_w <= one.discharge_w <= one.discharge_high_w
            assert one.charge_low_w <= one.charge_w <= one.charge_high_w


@pytest.mark.parametrize("module", MODULES)
def test_an_interval_of_a_pack_is_as_wide_as_that_of_its_cell(module: str) -> None:
    """All cells err alike: their errors do not cancel out in a pack."""
    one = see_one(module).power
    for whole, cell in zip(see(build(module)).power, one, strict=True):
        assert np.array(whole) / CELLS == pytest.approx(np.array(cell), rel=1e-9)


@pytest.mark.parametrize("module", MODULES)
def test_currents_that_the_device_allows_bound_the_power(module: str) -> None:
    lane = build(module)
    free, bound = see(lane).power, see(lane, charge_limit_a=15.0, discharge_limit_a=30.0).power
    for wide, narrow in zip(free, bound, strict=True):
        assert wide.discharge_w / CELLS == pytest.approx(ELEMENT_AH * 3.6, rel=0.05)  # 1 C by the cell file
        assert 1.0 < narrow.discharge_w / wide.discharge_w / 0.5 < 1.05  # half the current, at a higher voltage
        assert 0.9 < narrow.charge_w / wide.charge_w / 0.25 < 1.0
    assert see(lane, charge_limit_a=0.0, discharge_limit_a=0.0).power[0] == (0.0,) * 6


@pytest.mark.parametrize("module", MODULES)
def test_a_device_limit_that_is_missing_falls_back_to_the_cell_file(module: str) -> None:
    lane = build(module)
    free, unknown = see(lane), see(lane, seconds=1, charge_limit_a=float("nan"), discharge_limit_a=float("nan"))
    np.testing.assert_allclose(unknown.power, free.power, rtol=1e-3)
    assert (free.power_held, unknown.power_held) == (False, True)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("what", ["current_a", "voltage_v", "temperature_k"])
def test_power_is_held_where_a_value_is_not_known_and_says_so(module: str, what: str) -> None:
    lane = build(module)
    before = see(lane)
    known = PackReading(0.0, 0.0, np.zeros(CELLS), np.full(CELLS, 3.7), np.full(CELLS, KELVIN))
    changed: Any = (
        float("nan") if what == "current_a" else np.where(np.arange(CELLS) == 1, np.nan, getattr(known, what))
    )
    lost = replace(known, **{what: changed})
    held = cast("HealthEstimate", lane.update(lost, 1.0))
    assert held.power_held
    np.testing.assert_allclose(held.power, before.power, rtol=0.02)
    again = cast("HealthEstimate", lane.update(known, 1.0))
    assert not again.power_held


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("kelvin", [230.0, 330.0], ids=["cold", "hot"])
def test_a_cell_outside_its_temperatures_gives_and_takes_nothing(module: str, kelvin: float) -> None:
    assert all(np.ravel(see(build(module), kelvin=kelvin).power) == 0.0)


@pytest.mark.parametrize("module", MODULES)
def test_a_cell_at_its_voltage_limit_gives_nothing(module: str) -> None:
    low_v = max(PACK.cell.limits.low_v, PACK.cell.bms.low_v)
    empty = see(build(module, 0.0), low_v - 0.05, seconds=600)
    assert [one.discharge_w for one in empty.power] == [0.0, 0.0]
    assert all(one.charge_w > 0.0 for one in empty.power)


@pytest.mark.parametrize("module", MODULES)
def test_one_empty_cell_bounds_the_pack(module: str) -> None:
    lane = import_module(module).build(PACK, {"soc0": 0.3, "soc0_std": 0.3})
    reading = PackReading(0.0, 0.0, np.zeros(CELLS), np.array([3.7, 2.6, 3.7]), np.full(CELLS, KELVIN))
    power = [lane.update(reading, 1.0) for _ in range(600)][-1].power
    whole = see(build(module)).power
    assert power[0].discharge_w < 0.2 * whole[0].discharge_w
    assert power[0].charge_w > 0.8 * whole[0].charge_w


@pytest.mark.parametrize(("sign", "limit_v"), [(1.0, WIDE.low_v), (-1.0, WIDE.high_v)])
@pytest.mark.parametrize("kelvin", [273.15, 298.15])
def test_the_voltage_limit_is_reached_at_the_end_of_each_horizon(sign: float, limit_v: float, kelvin: float) -> None:
    """Against the circuit itself: the current that brings it to its limit, by bisection."""
    network = make_network()
    network = replace(network, core_k_w=1e-9)  # the forecast keeps today's temperature
    for one, horizon_s in zip(of_known_cell(WIDE, kelvin=kelvin), HORIZONS_S, strict=True):
        low_a, high_a = 0.0, 40.0
        for _ in range(30):
            middle_a = 0.5 * (low_a + high_a)
            trace = simulate(network, np.full(int(horizon_s) + 1, sign * middle_a), 1.0, kelvin, 0.6, noise_v=0.0)
            holds = sign * (trace.voltage_v[-1] - limit_v) > 0.0
            low_a, high_a = (middle_a, high_a) if holds else (low_a, middle_a)
        value = one.discharge_w if sign > 0.0 else one.charge_w
        assert value == pytest.approx(low_a * limit_v, rel=0.01)


def test_the_charge_that_is_left_bounds_a_minute() -> None:
    soft = WIDE._replace(low_v=0.5, high_v=9.0, high_k=900.0)
    empty, full = of_known_cell(soft, soc=0.05), of_known_cell(soft, soc=0.97)
    assert empty[1].discharge_w == pytest.approx(0.05 * CAPACITY_AH * 60.0 * 2.3, rel=0.2)  # 6 A
    assert full[1].charge_w == pytest.approx(0.03 * CAPACITY_AH * 60.0 * 4.4, rel=0.2)
    assert all(later < now for now, later in pairwise([one.discharge_w for one in empty]))


def test_the_temperature_at_the_end_bounds_the_power() -> None:
    soft = WIDE._replace(low_v=0.5, high_v=9.0)
    wide, narrow = (of_known_cell(soft._replace(high_k=KELVIN + room_k), soc=0.5) for room_k in (8.0, 2.0))
    for value in ("discharge_w", "charge_w"):
        now, before = getattr(narrow[1], value), getattr(wide[1], value)
        assert 0.4 < now / before < 0.8  # half the current, by the root of the room, at another voltage


def test_the_interval_widens_where_the_charge_is_not_known() -> None:
    network = make_network()
    reading = np.array([[0.0, 0.0, np.nan, KELVIN]])
    circuit, settings = make_circuit(network), make_settings(network)
    widths = list[float]()
    for std in (0.01, 0.1):
        x, covariance, memory = make_start(network, FilterStart(0.4, std, rested=True))
        one = list_powers(
            forecast_power(x[None], covariance[None], memory[None], reading, circuit, settings, 1.0, WIDE)
        )
        widths.append(one[0].discharge_high_w - one[0].discharge_low_w)
    assert widths[1] > 2.0 * widths[0] > 0.0


def test_a_large_cell_has_the_power_of_as_many_small_ones() -> None:
    whole = of_known_cell(WIDE._replace(heat_j_k=800.0, charge_a=1e4, discharge_a=1e4), scale=0.1)
    small = of_known_cell(WIDE)
    np.testing.assert_allclose(whole, 10.0 * np.array(small), rtol=1e-9)


def test_powers_keep_their_names() -> None:
    assert list_powers(np.arange(12.0).reshape(2, 6))[1] == StateOfPower(6.0, 7.0, 8.0, 9.0, 10.0, 11.0)
