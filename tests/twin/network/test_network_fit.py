"""The fit finds a cell that is known, from the tests that a laboratory makes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.twin.network.synthetic_cell import (
    CAPACITY_AH,
    EMPTY_V,
    FULL_V,
    KELVINS,
    make_drive,
    make_network,
    make_pulses,
    simulate,
)
from twin.network.fit import FitTest, NetworkFit, fit_network, make_start
from twin.network.identifiability import find_settled_share, find_unsettled
from twin.network.layout import Layout, pack, unpack
from twin.network.network import make_network as read_network
from twin.network.network import make_section
from twin.network.open_circuit import POINTS, SlowDischarge
from twin.network.sampling import is_averaged
from twin.network.trace import CellTrace
from twin.network.voltage import linearise, predict_voltage

if TYPE_CHECKING:
    from drivers.snapshot import Floats


def as_test(name: str, current_a: Floats, kelvin: float) -> FitTest:
    trace = simulate(make_network(), current_a, 1.0, kelvin)
    kept = int(np.argmax(np.append(trace.soc, -1.0) < 0.02))
    parts = {field: getattr(trace, field)[:kept] for field in CellTrace.__dataclass_fields__}
    return FitTest(name, kelvin, CellTrace(**parts), 0, kept - 1)


@pytest.fixture(scope="module")
def fit() -> NetworkFit:
    truth = make_network()
    slow = SlowDischarge(CAPACITY_AH, truth.ocv_v, FULL_V, EMPTY_V, 0.05, 0.0, np.zeros(POINTS), 0, 1)
    tests = [as_test(f"pulses {k:g}", make_pulses(), k) for k in KELVINS]
    tests += [as_test(f"drive {k:g}", make_drive(1), k) for k in KELVINS]
    return fit_network(make_start(slow, KELVINS, "synthetic"), tests, EMPTY_V)


@pytest.mark.parametrize("kelvin", KELVINS)
def test_an_unseen_drive_is_followed_within_8_mv(fit: NetworkFit, kelvin: float) -> None:
    unseen = as_test("unseen", make_drive(2), float(kelvin)).trace
    rows = np.flatnonzero(unseen.soc > 0.2)
    error_v = predict_voltage(fit.network, unseen, rows, averaged=False) - unseen.voltage_v[rows]
    assert float(np.sqrt(np.mean(error_v**2))) < 8e-3


def test_instants_are_not_taken_for_means(fit: NetworkFit) -> None:
    assert not any(fit.averaged.values())


def test_a_log_of_means_is_recognised(fit: NetworkFit) -> None:
    fine = simulate(fit.network, np.repeat(make_drive(3, rows=800), 10), 0.1, 298.15, noise_v=0.0)
    means = {name: getattr(fine, name).reshape(-1, 10).mean(1) for name in ("mean_a", "current_a", "voltage_v")}
    instants = {name: getattr(fine, name)[9::10] for name in ("time_s", "case_k", "soc")}
    dt_s = np.ones(len(instants["time_s"]))
    averaged = CellTrace(dt_s=dt_s, **means, **instants)
    assert is_averaged(fit.network, averaged, np.arange(len(averaged)))


def test_what_no_test_reached_is_reported(fit: NetworkFit) -> None:
    told = find_unsettled(fit)
    assert 0.2 < find_settled_share(fit) < 1.0
    assert all(one.sentence for one in told)
    lowest = [one for one in told if one.soc is not None and one.soc[0] == 0.0]
    assert lowest, "no test goes to an empty cell"


def test_the_vector_of_parameters_goes_both_ways() -> None:
    network = make_network()
    again = unpack(network, pack(network))
    for name in ("tables", "tau_s", "thermal_v"):
        np.testing.assert_allclose(getattr(again, name), getattr(network, name), rtol=1e-12)
    assert len(pack(network)) == Layout.of(network).size


def test_a_cell_file_holds_the_circuit_to_six_digits() -> None:
    network = make_network()
    again = read_network(make_section(network))
    np.testing.assert_allclose(again.tables, network.tables, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(again.ocv_v, network.ocv_v, rtol=1e-5)


def test_derivatives_are_those_of_small_differences() -> None:
    network = replace(make_network(), core_k_w=5.0)
    trace = simulate(network, make_drive(4, rows=300), 1.0, 280.0)
    trace = replace(trace, voltage_v=trace.voltage_v - 0.05)  # so that the core warms
    rows = np.arange(len(trace))
    _, jacobian = linearise(network, trace, rows, averaged=True)
    vector, step = pack(network), 1e-5
    for place in range(0, len(vector), 3):
        moved = [vector.copy() for _ in range(2)]
        moved[0][place] += step
        moved[1][place] -= step
        high, low = (predict_voltage(unpack(network, one), trace, rows, averaged=True) for one in moved)
        found = np.asarray(jacobian[:, place].todense()).ravel()
        np.testing.assert_allclose(found, (high - low) / (2.0 * step), atol=2e-4, rtol=0.05)


def test_what_the_slow_cycle_loses_is_no_hysteresis() -> None:
    truth = replace(make_network(), hysteresis_v=np.full(POINTS, 0.015))
    slow_a = 0.05 * CAPACITY_AH
    loss_v = slow_a * float(truth.tables[1:, 1].sum(0).mean())
    branches = SlowDischarge(
        CAPACITY_AH, truth.ocv_v, FULL_V, EMPTY_V, 0.05, 0.0, np.full(POINTS, 0.015 + loss_v), 0, 1
    )
    current_a = np.concatenate([make_drive(1, rows=2500), -make_drive(2, rows=1500)])
    trace = simulate(truth, current_a, 1.0, 298.15)
    tests = [FitTest("both ways", 298.15, trace, 0, len(trace) - 1)]
    start = make_start(branches, np.array([298.15]), "synthetic")
    found = fit_network(start, tests, EMPTY_V, slow_a=slow_a).network
    assert float(np.abs(found.hysteresis_v - 0.015).mean()) < 0.4 * loss_v
