from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.twin.cell_physics import PHYSICS
from twin import pulse_fit
from twin.cell_parameters import load_cell
from twin.ecm import EcmPack
from twin.ports import PackSpec
from twin.pulse_fit import PulseTrace


def test_fit_finds_the_circuit_that_made_the_trace() -> None:
    truth = np.array([0.025, 0.006, 8.0, 0.015, 150.0])
    shipped = load_cell().circuit
    rows = np.vstack([[3.0, 4.0], *(np.full(2, value) for value in truth)])
    twin = EcmPack(
        PackSpec(1, 1, 5.0, np.full(1, 0.5), np.ones(1), np.ones(1), 298.15),
        replace(shipped, capacity_ah=5.0, arrhenius_k=0.0, rows=rows),
    )
    dt_s = np.array(([1.0] * 60 + [5.0] * 60) * 2)
    current_a = np.repeat([5.0, 0.0, -5.0, 0.0], 60)
    steps = zip(current_a, dt_s, strict=True)
    voltage_v = np.array([float(twin.step(np.array([i]), 298.15, float(dt)).voltage_v[0]) for i, dt in steps])
    found = pulse_fit.fit_circuit(PulseTrace(dt_s, current_a, voltage_v), 3.5, 1.0, 5.0)
    np.testing.assert_allclose(found, truth, rtol=0.02)


def test_warm_cells_resist_less() -> None:
    assert pulse_fit.fit_arrhenius(5.0, PHYSICS) == pytest.approx(1673.0, rel=0.05)
