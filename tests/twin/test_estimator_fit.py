"""The circuit of estimators where a cell file has none: of another test than the twin's, and good enough to filter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.benchfile.cell_file import CELLS
from drivers.benchfile.cell_sections import ROWS
from drivers.snapshot import PackReading
from twin.cell_parameters import load_cell
from twin.ecm import EcmPack
from twin.ekf import Ekf
from twin.estimator_fit import fit_estimator
from twin.ports import PackSpec

if TYPE_CHECKING:
    from pathlib import Path

    from twin.cell_parameters import CellParameters

AMBIENT_K = 298.15
ONE = np.ones(1)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> CellParameters:
    """The default cell from a file without `[estimator]`, as a fit writes it."""
    text = (CELLS / "chen2020.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("[estimator]")
    path: Path = tmp_path_factory.mktemp("cell") / "fitted.toml"
    path.write_text(head + "[" + rest.partition("\n[")[2], encoding="utf-8")
    return load_cell(path)


def test_twin_and_estimator_share_no_array_and_no_row(fitted: CellParameters) -> None:
    assert not np.shares_memory(fitted.circuit.rows, fitted.estimator.rows)
    points = fitted.estimator.rows.shape[1]
    twins = fitted.circuit.rows[:, :: (fitted.circuit.rows.shape[1] - 1) // (points - 1)]
    for name, mine, theirs in zip(ROWS, fitted.estimator.rows, twins, strict=True):
        assert not np.isclose(mine, theirs, rtol=1e-6).all(), name
    assert fitted.estimator.capacity_ah != fitted.circuit.capacity_ah
    assert np.abs(fitted.estimator.rows[0] - twins[0]).max() < 2e-3  # yet it is the same cell
    assert np.median(fitted.estimator.rows[1] / twins[1]) == pytest.approx(1.0, abs=0.02)


def test_the_same_cell_has_the_same_estimator_each_time(fitted: CellParameters) -> None:
    again = fit_estimator(fitted.circuit)
    np.testing.assert_array_equal(again.rows, fitted.estimator.rows)
    other = fit_estimator(replace(fitted.circuit, rows=1.01 * fitted.circuit.rows))
    assert not np.array_equal(other.rows, again.rows)


def test_the_filter_finds_the_charge_of_the_twin_with_it(fitted: CellParameters) -> None:
    twin = EcmPack(PackSpec(1, 1, fitted.capacity_ah, 0.8 * ONE, ONE, ONE, AMBIENT_K, fitted), fitted.circuit)
    known = PackSpec(1, 1, fitted.capacity_ah, 0.5 * ONE, ONE, ONE, AMBIENT_K, fitted)
    ekf, rng = Ekf(known, fitted.estimator, 0.6, 0.1), np.random.default_rng(7)
    off: list[float] = []
    for second in range(1800):
        current_a = float(5.0 * np.sin(second / 40.0) + 2.0)
        state = twin.step(current_a * ONE, AMBIENT_K, 1.0)
        seen_v = state.voltage_v + rng.normal(0.0, 1e-3, 1)
        estimate = ekf.update(PackReading(second, current_a, 0.0 * ONE, seen_v, state.temperature_k), 1.0)
        off.append(float(estimate.soc[0] - state.soc[0]))
    assert np.sqrt(np.mean(np.square(off[600:]))) < 0.01
