from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin import cell_table
from twin.cell_parameters import load_cell

if TYPE_CHECKING:
    from pathlib import Path


@given(st.floats(0.0, 1.0))
@settings(deadline=None)  # the first call compiles
def test_lookup_is_linear_between_points(soc: float) -> None:
    table = load_cell().circuit
    out, grid = np.empty(6), np.linspace(0.0, 1.0, len(table.rows[0]))
    cell_table.interpolate(table.rows, soc, out)
    expected = np.array([np.asarray(np.interp(soc, grid, table.rows[k]), np.float64) for k in range(6)])
    np.testing.assert_allclose(out, expected, rtol=1e-9)


def test_open_circuit_voltage_goes_on_beyond_full_and_empty_while_resistances_stay() -> None:
    rows, out = np.array([[3.0, 3.5, 4.0], [0.01, 0.02, 0.03]]), np.empty(2)
    assert cell_table.interpolate(rows, 1.1, out) == pytest.approx(1.0)
    np.testing.assert_allclose(out, [4.1, 0.03])
    cell_table.interpolate(rows, -0.1, out)
    np.testing.assert_allclose(out, [2.9, 0.01])


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    cell_table.store(load_cell().circuit, tmp_path / "table.toml")
    return tmp_path / "table.toml"


@pytest.mark.parametrize("name", ["circuit", "estimator"])
def test_a_table_survives_being_stored(name: str, tmp_path: Path) -> None:
    table = getattr(load_cell(), name)
    cell_table.store(table, tmp_path / "again.toml")
    again = cell_table.load(tmp_path / "again.toml")
    np.testing.assert_array_equal(again.rows, table.rows)
    assert all(getattr(again, f.name) == getattr(table, f.name) for f in fields(table) if f.name != "rows")


def test_missing_row_is_named(stored: Path) -> None:
    stored.write_text(stored.read_text().replace("tau2_s", "tau3_s"))
    with pytest.raises(ValueError, match=r"table\.toml: tau2_s missing"):
        cell_table.load(stored)


def test_negative_resistance_is_refused(stored: Path) -> None:
    stored.write_text(stored.read_text().replace("r1_ohm = [\n    ", "r1_ohm = [\n    -"))
    with pytest.raises(ValueError, match="positive numbers"):
        cell_table.load(stored)
