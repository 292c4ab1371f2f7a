"""The cell that twin, MPC, environment and policy share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.twin.cell_physics import PHYSICS
from twin import plating
from twin.cell_parameters import load_cell
from twin.ecm import build
from twin.wear import rate_calendar, rate_cycling, step_wear

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.ports import PackSpec


def test_the_ecm_twin_uses_the_circuit_of_the_cell(make_pack: Callable[..., PackSpec]) -> None:
    twin: Any = build(make_pack(), {})
    assert twin._table is load_cell().circuit


def test_wear_at_the_reference_age_is_the_slope_of_the_published_law() -> None:
    wear = load_cell().wear
    constants = wear.linearise(wear.cell_ah)
    days, ah, volts, kelvin, depth = wear.reference_days, 2 * wear.reference_cycles * wear.cell_ah, 3.9, 308.15, 0.3

    def lost_calendar(t: float) -> float:
        return (7.543e6 * volts - 23.75e6) * np.exp(-6976.0 / kelvin) * t**0.75

    def lost_cycling(charge_ah: float) -> float:
        return (7.348e-3 * (volts - 3.667) ** 2 + 7.6e-4 + 4.081e-3 * depth) * charge_ah**0.5

    per_s = (lost_calendar(days + 1e-3) - lost_calendar(days - 1e-3)) / 2e-3 / 86400.0
    per_ah = (lost_cycling(ah + 1e-3) - lost_cycling(ah - 1e-3)) / 2e-3
    assert rate_calendar(constants, volts, kelvin) == pytest.approx(per_s, rel=1e-6)
    halves = [rate_cycling(constants, volts, place) for place in np.linspace(0.0, depth, 101)]
    assert np.mean(halves) == pytest.approx(per_ah, rel=1e-6), "a half cycle of this depth costs what the law says"
    assert step_wear(constants, volts, kelvin, 0.0, 0.5, 3600.0) == pytest.approx(
        3600.0 * per_s + 0.5 * rate_cycling(constants, volts, 0.0)
    )


def test_a_larger_cell_wears_less_with_the_same_charge() -> None:
    wear = load_cell().wear
    small, large = (rate_cycling(wear.linearise(ah), 3.7, 0.0) for ah in (2.5, 5.0))
    assert small == pytest.approx(2.0 * large)


def test_the_anode_potential_falls_with_the_rate_and_in_the_cold() -> None:
    table = load_cell().plating

    def anode_v(rate_c: float, kelvin: float, soc: float) -> float:
        return plating.look_up(table.anode_v, table.rates_c, table.kelvins, rate_c, kelvin, soc)

    for soc in (0.3, 0.5, 0.7):
        by_rate = [anode_v(rate, 298.15, soc) for rate in (0.0, 0.3, 0.7, 1.2, 2.0)]
        assert (np.diff(by_rate) < 0.0).all()
        assert anode_v(1.0, 273.15, soc) < anode_v(1.0, 308.15, soc)


def test_between_its_points_the_table_is_linear_and_outside_it_keeps_its_edge() -> None:
    table = load_cell().plating
    arguments = table.anode_v, table.rates_c, table.kelvins
    middle = plating.look_up(*arguments, 0.375, 293.15, 0.5)
    assert middle == pytest.approx(
        0.5 * (plating.look_up(*arguments, 0.25, 293.15, 0.5) + plating.look_up(*arguments, 0.5, 293.15, 0.5))
    )
    assert plating.look_up(*arguments, 9.0, 400.0, 0.5) == table.anode_v[-1, -1, 20]
    assert plating.look_up(*arguments, -1.0, 293.15, 0.5) == plating.look_up(*arguments, 0.0, 293.15, 0.5)


@pytest.mark.slow
def test_the_table_promises_no_more_than_it_says_against_the_dfn() -> None:
    from twin.plating_fit import run_judged_charge  # noqa: PLC0415  # PyBaMM

    table = load_cell().plating
    errors = [
        plating.look_up(table.anode_v, table.rates_c, table.kelvins, rate_c, 288.15, soc) - anode_v
        for rate_c, soc, anode_v in run_judged_charge(PHYSICS, 288.15, seed=77)
    ]
    assert len(errors) > 100
    assert max(errors) < 1.5 * table.worst_v
    assert float(np.sqrt(np.mean(np.square(errors)))) < 2.0 * table.rms_v
