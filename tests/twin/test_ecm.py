from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.integrate

from twin.cell_parameters import load_cell
from twin.ecm import EcmPack, build
from twin.ports import PackSpec

if TYPE_CHECKING:
    from twin.cell_table import CellTable
    from twin.spme import SpmePack

MakePack = Callable[..., PackSpec]
AMBIENT_K = 298.15
INTEGRATE: Any = scipy.integrate  # carries no types


@pytest.fixture(scope="module")
def table() -> CellTable:
    return load_cell().circuit


def solved(table: CellTable, current_a: float, duration_s: float, soc0: float) -> tuple[float, float, float]:
    """SoC, voltage and temperature by scipy from the circuit's differential equations, written out anew."""
    grid = np.linspace(0.0, 1.0, len(table.rows[0]))

    def at(soc: Any) -> Any:
        return np.array([np.asarray(np.interp(soc, grid, table.rows[k]), np.float64) for k in range(6)])

    def resistance(soc: float, kelvin: float) -> float:
        return at(soc)[1] * float(np.exp(table.arrhenius_k * (1.0 / kelvin - 1.0 / 298.15)))

    def rates(_t: float, y: Any) -> list[float]:
        soc, v1, v2, kelvin = y
        _, _, r1, tau1, r2, tau2 = at(soc)
        lost_v = resistance(soc, kelvin) * current_a + v1 + v2
        heat = (current_a * lost_v - table.cooling_w_k * (kelvin - AMBIENT_K)) / table.heat_capacity_j_k
        fast, slow = (r1 * current_a - v1) / tau1, (r2 * current_a - v2) / tau2
        return [-current_a / 3600.0 / table.capacity_ah, fast, slow, heat]

    answer = INTEGRATE.solve_ivp(
        rates, (0.0, duration_s), [soc0, 0.0, 0.0, AMBIENT_K], rtol=1e-9, atol=1e-10, max_step=1.0
    )
    soc, v1, v2, kelvin = answer.y[:, -1]
    return soc, at(soc)[0] - resistance(soc, kelvin) * current_a - v1 - v2, kelvin


@pytest.mark.parametrize("current_a", [5.0, -4.0])
def test_kernel_solves_the_circuits_equations(table: CellTable, make_pack: MakePack, current_a: float) -> None:
    twin = EcmPack(make_pack(cell_ah=table.capacity_ah, soc0=0.55), table)
    state = [twin.step(np.array([current_a]), AMBIENT_K, 0.1) for _ in range(1200)][-1]
    soc, voltage, kelvin = solved(table, current_a, 120.0, 0.55)
    assert state.soc[0] == pytest.approx(soc, abs=1e-9)
    assert state.voltage_v[0] == pytest.approx(voltage, abs=2e-5)
    assert state.temperature_k[0] == pytest.approx(kelvin, abs=2e-3)


def test_circuit_stays_near_the_spme_over_a_drive(spme_pack: SpmePack, make_pack: MakePack, table: CellTable) -> None:
    circuit, rng = EcmPack(make_pack(24, spread=True), table), np.random.default_rng(5)
    apart: list[float] = []
    for current in np.repeat(rng.uniform(-60.0, 90.0, 40), 15):
        currents = np.full(24, current)
        left, right = spme_pack.step(currents, AMBIENT_K, 1.0), circuit.step(currents, AMBIENT_K, 1.0)
        apart.append(float(np.mean((left.voltage_v - right.voltage_v) ** 2)))
    assert np.sqrt(np.mean(apart)) < 0.012


def test_hand_over_shows_exactly_the_voltage_that_it_was_given(table: CellTable, make_pack: MakePack) -> None:
    leaving, arriving = (EcmPack(make_pack(24, spread=True), table) for _ in range(2))
    state = [leaving.step(np.full(24, 40.0), AMBIENT_K, 1.0) for _ in range(100)][-1]
    arriving.take_over(state)
    at_once = arriving.step(np.full(24, 40.0), AMBIENT_K, 1e-9)
    np.testing.assert_allclose(at_once.voltage_v, state.voltage_v, atol=1e-9)


def test_unknown_settings_are_refused(make_pack: MakePack) -> None:
    with pytest.raises(ValueError, match="has no settings, got cell"):
        build(make_pack(), {"cell": 1})
