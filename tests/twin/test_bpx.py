"""BPX there and back: a cell that was exported and read again has the same voltages, through PyBaMM."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from drivers.benchfile.bpx_expression import evaluate_expression, parse_expression
from drivers.benchfile.bpx_file import BpxTable, parse_bpx
from drivers.benchfile.cell_file import CELLS, find_cell
from drivers.errors import BenchFileError, Usage
from tests.twin.cell_physics import PHYSICS
from twin.bpx_export import export_bpx
from twin.cell_import import CellDeclaration, import_bpx
from twin.cell_parameters import load_cell
from twin.cell_physics import require_physics
from twin.pybamm_models import BASIC, ReferenceCell

if TYPE_CHECKING:
    from pathlib import Path

    from twin.cell_physics import CellPhysics

COURSE = ((1.0, 298.15), (-1.0, 298.15), (0.5, 283.15), (0.0, 298.15))  # C, K


def find_difference_mv(one: CellPhysics, other: CellPhysics, model: str) -> float:
    cells = [ReferenceCell(0.7, physics, model) for physics in (one, other)]
    apart_v: list[float] = []
    for rate_c, kelvin in COURSE:
        for _ in range(6):
            ours, theirs = (cell.step(rate_c * 5.0, kelvin, 20.0).voltage_v for cell in cells)
            apart_v.append(abs(ours - theirs))
    return 1e3 * max(apart_v)


def check_by_the_standard(text: str, name: str) -> None:
    """The standard's own parser takes the file, and reads the same function of the anode as we do."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of its parser of formulas
        import bpx  # noqa: PLC0415  # it warns when it is imported

        theirs: Any = bpx.parse_bpx_str(text)
    ours = parse_bpx(CELLS, text).parameters
    assert theirs.parameterisation.cell.nominal_cell_capacity == ours.cell.nominal_ah, name
    potential, own = theirs.parameterisation.negative_electrode.ocp, ours.negative.ocp
    if isinstance(own, str):
        value = evaluate_expression(parse_expression(own), 0.3, vars(math))
        assert potential.to_python_function()(0.3) == pytest.approx(value, abs=1e-9), name
    else:
        assert isinstance(own, BpxTable)
        assert (potential.x, potential.y) == (own.x, own.y), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("nca_kim2011", "SPMe"),
        *(pytest.param(name, "DFN", marks=pytest.mark.long) for name in ("chen2020", "marquis2019")),
    ],
)
def test_formulas_come_back_within_a_tenth_of_a_millivolt(name: str, model: str, tmp_path: Path) -> None:
    cell = load_cell(find_cell(name, CELLS))
    physics = require_physics(cell, "a test")
    text, notes = export_bpx(cell, physics)
    assert bool(notes) == (name == "nca_kim2011")  # whose electrolyte follows another law of temperature
    back = physics._replace(parameter_set="", bpx=text, area_scale=1.0)
    check_by_the_standard(text, name)
    heat = parse_bpx(tmp_path / "a.json", text).find_heat()
    assert heat == pytest.approx((physics.heat_capacity_j_k, physics.cooling_w_k))
    assert find_difference_mv(physics, back, model) < 0.1


@pytest.mark.long
def test_tables_come_back_within_half_a_millivolt() -> None:
    physics = PHYSICS._replace(parameter_set="OKane2022")  # its anode is a table
    text, _ = export_bpx(load_cell(), physics)
    check_by_the_standard(text, "okane2022")
    assert isinstance(parse_bpx(CELLS, text).parameters.negative.ocp, BpxTable)
    assert find_difference_mv(physics, physics._replace(parameter_set="", bpx=text), "DFN") < 0.5


def test_what_bpx_cannot_carry_is_refused_or_named() -> None:
    with pytest.raises(BenchFileError, match="BPX is of lithium cells"):
        export_bpx(load_cell(), PHYSICS._replace(model=BASIC))
    _, notes = export_bpx(load_cell(), PHYSICS._replace(parameter_set="NCA_Kim2011"))
    assert notes[0].startswith("Electrolyte diffusivity [m2.s-1] at 480 is off by 3.1 % 10 K warmer")


def test_an_import_asks_for_the_heat_that_a_file_does_not_say() -> None:
    text, _ = export_bpx(load_cell(), PHYSICS)
    bare = text.replace('"Density [kg.m-3]": 1000.0,', "")
    with pytest.raises(Usage, match=r"cell\.json does not say the heat capacity of the cell; give --heat-capacity"):
        import_bpx(bare, "cell.json", CellDeclaration("NMC", (-10.0, 55.0), 1.0, 2.0))


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_an_imported_cell_is_the_cell_that_was_exported() -> None:
    """Its circuit is fitted to the same equations: open-circuit voltage and resistances agree with the shipped file."""
    cell = load_cell()
    text, _ = export_bpx(cell, PHYSICS)
    shares: list[float] = []
    made = import_bpx(text, "cell.json", CellDeclaration("NMC", (-10.0, 55.0), 2.0, 1.5), shares.append)
    assert made.circuit.ocv_v == pytest.approx(cell.circuit.rows[0].tolist(), abs=0.2e-3)
    assert made.circuit.r0_ohm == pytest.approx(cell.circuit.rows[1].tolist(), rel=0.01)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
