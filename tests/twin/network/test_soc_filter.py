"""Filters on a cell that is known: they find the charge, tell how sure they are, and follow a cell that ages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.twin.network.synthetic_cell import CAPACITY_AH, make_drive, make_network, simulate
from twin.network.filter_settings import FilterStart, make_circuit, make_settings, make_start
from twin.network.health_filter import KEPT
from twin.network.log_filter import OUT_CAPACITY, OUT_OFFSET, OUT_RESISTANCE, OUT_SOC, OUT_SOC_STD, filter_log
from twin.network.trace import CellTrace

if TYPE_CHECKING:
    from drivers.snapshot import Floats


def run(
    trace: CellTrace,
    soc0: float,
    *,
    offset_a: float = 0.0,
    rested: bool = True,
    cubature: bool = False,
    dual: bool = False,
) -> Floats:
    """The columns of `filter_log`, on the circuit of the new cell."""
    network = make_network()
    x, covariance, memory = make_start(network, FilterStart(soc0, 0.3, rested))
    current_a = trace.current_a + offset_a
    rows = np.stack([current_a, current_a, trace.voltage_v, trace.case_k], 1)
    settings = make_settings(network, cubature=cubature, dual=dual)
    states = x[None].copy(), covariance[None].copy(), memory[None].copy(), np.full((1, KEPT), np.nan)
    return filter_log(rows, trace.dt_s, *states, make_circuit(network), settings)


@pytest.mark.parametrize("cubature", [False, True], ids=["ekf", "ckf"])
@pytest.mark.parametrize(("soc0", "kelvin"), [(0.7, 298.15), (0.7, 275.0), (0.9, 285.0)])
def test_a_start_that_is_wrong_is_found_from_rest(soc0: float, kelvin: float, *, cubature: bool) -> None:
    trace = simulate(make_network(), make_drive(5, rows=3000), 1.0, kelvin)
    out = run(trace, soc0, cubature=cubature)
    error = out[600:, OUT_SOC] - trace.soc[600:]
    assert float(np.sqrt(np.mean(error**2))) < 0.007
    assert float(np.mean(np.abs(error) < 1.96 * out[600:, OUT_SOC_STD])) > 0.9


def test_a_start_under_load_is_found_within_its_interval() -> None:
    whole = simulate(make_network(), make_drive(6, rows=5000, swing_a=1.5), 1.0, 285.0)
    parts = {name: getattr(whole, name)[1500:] for name in CellTrace.__dataclass_fields__}
    trace = CellTrace(**parts)
    out = run(trace, float(trace.soc[0]) - 0.3, rested=False)
    error = out[:, OUT_SOC] - trace.soc
    assert abs(float(error[1200])) < 0.03
    assert float(np.mean(np.abs(error[600:]) < 1.96 * out[600:, OUT_SOC_STD])) > 0.9


@pytest.mark.parametrize("offset_a", [0.05, -0.05])
def test_an_offset_of_the_sensor_is_found(offset_a: float) -> None:
    trace = simulate(make_network(), make_drive(7, rows=6000, mean_a=0.8), 1.0, 298.15)
    out = run(trace, 1.0, offset_a=offset_a)
    assert out[-1, OUT_OFFSET] == pytest.approx(offset_a, abs=0.03)
    assert float(np.sqrt(np.mean((out[600:, OUT_SOC] - trace.soc[600:]) ** 2))) < 0.012


def test_a_row_without_a_voltage_is_not_corrected() -> None:
    trace = simulate(make_network(), make_drive(8, rows=400), 1.0, 298.15)
    trace.voltage_v[100:200] = np.nan
    out = run(trace, 1.0)
    assert np.isfinite(out[:, OUT_SOC]).all()
    counted = np.cumsum(trace.current_a[101:200] - out[100, OUT_OFFSET]) / 3600.0 / CAPACITY_AH
    np.testing.assert_allclose(out[101:200, OUT_SOC], out[100, OUT_SOC] - counted, atol=1e-9)


def test_the_dual_filter_follows_a_cell_whose_resistance_and_capacity_step_by_20_percent() -> None:
    aged = make_network(resistance=1.2, capacity_ah=0.8 * CAPACITY_AH)
    charge = np.concatenate([make_drive(seed, rows=2200, mean_a=0.9, swing_a=2.0) for seed in (9, 10)])
    rest = np.zeros(1500)
    current_a = np.concatenate([rest, charge[:2000], rest, charge[2000:3500], rest, -charge[:2000], rest])
    out = run(simulate(aged, current_a, 1.0, 298.15), 1.0, dual=True)
    assert out[-1, OUT_RESISTANCE] == pytest.approx(1.2, abs=0.05)
    assert out[-1, OUT_CAPACITY] == pytest.approx(0.8, abs=0.04)
