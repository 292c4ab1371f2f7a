"""The smooth fits against the tables that they were made from, and against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from twin import plating
from twin.cell_parameters import load_cell
from twin.cell_table import OCV, R0, ROWS, interpolate
from twin.smooth_cell import fit_cell

CELL = load_cell()
SMOOTH = fit_cell(CELL)


def test_the_fits_are_as_close_as_they_say() -> None:
    soc = np.linspace(0.05, 1.0, 333)
    exact = np.empty(len(ROWS))
    off_mv = list[float]()
    for place in soc:
        interpolate(CELL.circuit.rows, place, exact)
        off_mv.append(1e3 * abs(float(SMOOTH.compute_ocv(place)) - exact[OCV]))
    assert max(off_mv) <= SMOOTH.errors.ocv_mv[1] + 0.1
    assert SMOOTH.errors.ocv_mv[0] < 1.5
    assert SMOOTH.errors.ocv_mv[1] < 6.0
    for (rms_mv, worst_mv), most_rms, most in zip(SMOOTH.errors.drop_mv, (1.0, 3.0), (6.0, 15.0), strict=True):
        assert rms_mv < most_rms
        assert worst_mv < most


def test_the_anode_potential_is_within_some_millivolts_where_lithium_begins_to_plate() -> None:
    table, random = CELL.plating, np.random.default_rng(4)
    rms_mv, worst_mv = SMOOTH.errors.anode_mv
    assert (rms_mv, worst_mv) < (2.0, 7.0)
    off_mv = list[float]()
    for soc, rate_c, kelvin in random.uniform((0.05, 0.05, 273.15), (0.95, 2.0, 328.15), (400, 3)):
        exact_v = plating.look_up(table.anode_v, table.rates_c, table.kelvins, rate_c, kelvin, soc)
        if abs(exact_v) < 0.05:
            off_mv.append(1e3 * (float(SMOOTH.compute_anode(soc, rate_c, kelvin)) - exact_v))
    assert len(off_mv) > 100
    assert np.sqrt(np.mean(np.square(off_mv))) < 3.0  # the table itself is linear between its points


def test_more_charge_always_lowers_the_anode_potential() -> None:
    soc, kelvin = np.meshgrid(np.linspace(0.0, 1.0, 21), np.linspace(273.15, 328.15, 7))
    rates = np.linspace(0.0, 3.0, 31)
    potential_v = np.array([SMOOTH.compute_anode(soc, rate_c, kelvin) for rate_c in rates])
    assert (np.diff(potential_v, axis=0) < 0.0).all()


def test_the_stored_energy_is_the_integral_of_the_open_circuit_voltage() -> None:
    for soc in (-0.05, 0.0, 0.13, 0.5, 0.77, 1.0, 1.04):
        slope_v = (SMOOTH.compute_energy(soc + 1e-5) - SMOOTH.compute_energy(soc - 1e-5)) / 2e-5
        assert slope_v == pytest.approx(float(SMOOTH.compute_ocv(soc)), abs=1e-3)
    assert SMOOTH.compute_energy(0.0) == 0.0


def test_outside_the_table_the_voltage_goes_on_and_the_resistance_stays() -> None:
    assert SMOOTH.compute_ocv(-0.01) < SMOOTH.compute_ocv(0.0) < SMOOTH.compute_ocv(0.01)
    assert SMOOTH.compute_ocv(1.01) > SMOOTH.compute_ocv(1.0)
    assert SMOOTH.compute_rows(1.2)[R0] == pytest.approx(SMOOTH.compute_rows(1.0)[R0])


def test_cold_raises_the_resistance_as_the_circuit_says() -> None:
    expected = np.exp(CELL.circuit.arrhenius_k * (1.0 / 273.15 - 1.0 / 298.15))
    assert SMOOTH.scale_r0(273.15) == pytest.approx(expected)
    assert SMOOTH.scale_r0(298.15) == 1.0


def test_each_cell_is_fitted_once() -> None:
    assert fit_cell(CELL) is SMOOTH
