"""BPX files: what is read, and what is refused with its file and key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drivers.benchfile.bpx_expression import evaluate_expression, parse_expression
from drivers.benchfile.bpx_file import parse_bpx, read_bpx
from drivers.benchfile.cell_file import CELLS, parse_cell, read_cell
from drivers.errors import BenchFileError

PORES = {"Thickness [m]": 6e-5, "Porosity": 0.3, "Transport efficiency": 0.16}
ELECTRODE = {
    **PORES,
    "Conductivity [S.m-1]": 0.5,
    "Minimum stoichiometry": 0.05,
    "Maximum stoichiometry": 0.85,
    "Maximum concentration [mol.m-3]": 30000,
    "Particle radius [m]": 5e-6,
    "Surface area per unit volume [m-1]": 4e5,
    "Diffusivity [m2.s-1]": 3e-14,
    "OCP [V]": "0.1 + 0.5 * exp(-30 * x)",
    "Reaction rate constant [mol.m-2.s-1]": 5e-6,
}


def make_bpx() -> dict[str, Any]:
    """A cell of BPX 0.1, whose electrolyte says its own concentration."""
    return {
        "Header": {"BPX": 0.1, "Title": "a made-up cell", "Model": "DFN"},
        "Parameterisation": {
            "Cell": {
                "Electrode area [m2]": 0.02,
                "Number of electrode pairs connected in parallel to make a cell": 30,
                "Lower voltage cut-off [V]": 2.8,
                "Upper voltage cut-off [V]": 4.2,
                "Nominal cell capacity [A.h]": 12.0,
                "Initial temperature [K]": 298.15,
            },
            "Electrolyte": {
                "Cation transference number": 0.26,
                "Diffusivity [m2.s-1]": "8.8e-11 * (x / 1000) ** 2 - 3.9e-10 * (x / 1000) + 4.8e-10",
                "Conductivity [S.m-1]": {"x": [0, 1000, 3000], "y": [0.1, 0.9, 0.5]},
                "Initial concentration [mol.m-3]": 1200,
            },
            "Negative electrode": dict(ELECTRODE),
            "Positive electrode": {**ELECTRODE, "OCP [V]": "4.4 - 0.8 * x - 0.1 * tanh(10 * (x - 0.5))"},
            "Separator": dict(PORES),
        },
    }


def test_a_formula_is_evaluated_as_python_would() -> None:
    import math  # noqa: PLC0415  # only here

    text = "-0.3 + 2 * exp(-(x - 0.5) ** 2) / (1 + tanh(3 * x)) - cosh(x) ** 0.5"
    wanted = -0.3 + 2 * math.exp(-((0.7 - 0.5) ** 2)) / (1 + math.tanh(3 * 0.7)) - math.cosh(0.7) ** 0.5
    maths = {"exp": math.exp, "tanh": math.tanh, "cosh": math.cosh}
    assert evaluate_expression(parse_expression(text), 0.7, maths) == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize("text", ["__import__('os')", "x.real", "y + 1", "exp(x, x)", "x if x else 1", "True", "1 +"])
def test_what_is_no_formula_of_x_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="should"):
        parse_expression(text)


def test_both_places_of_the_electrolytes_concentration_are_read() -> None:
    values = make_bpx()
    assert parse_bpx(Path("a.json"), json.dumps(values)).electrolyte_mol_m3 == 1200.0
    values["State"] = {"Initial conditions": {"Initial electrolyte concentration [mol.m-3]": 900.0}}
    assert parse_bpx(Path("a.json"), json.dumps(values)).electrolyte_mol_m3 == 900.0


@pytest.mark.parametrize(
    ("section", "key", "value", "says"),
    [
        ("Negative electrode", "OCP [V]", "open('x')", "Negative electrode / OCP [V] should have only x, numbers"),
        ("Positive electrode", "Porosity", 1.3, "Positive electrode / Porosity should be less than or equal to 1"),
        ("Positive electrode", "Minimum stoichiometry", 0.9, "stoichiometries that rise"),
        ("Electrolyte", "Conductivity [S.m-1]", {"x": [0, 1], "y": [1]}, "Electrolyte / Conductivity [S.m-1]"),
        ("Separator", "Thickness [m]", None, "Separator / Thickness [m] is missing"),
        ("Cell", "Mass [kg]", 1.0, "Cell / Mass [kg] is not a key of BPX"),
        ("Negative electrode", "Particle", {"Primary": {}}, "several materials is not supported"),
        ("Negative electrode", "OCP [V]", 0, "should be a formula or a table of the stoichiometry, not one number"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_key(
    tmp_path: Path, section: str, key: str, value: object, says: str
) -> None:
    values = make_bpx()
    if value is None:
        del values["Parameterisation"][section][key]
    else:
        values["Parameterisation"][section][key] = value
    (tmp_path / "bad.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(BenchFileError) as caught:
        read_bpx(tmp_path / "bad.json")
    assert says in str(caught.value)
    assert caught.value.where == str(tmp_path / "bad.json")
    assert key in str(caught.value.key) or key == "Minimum stoichiometry"


def test_an_electrode_of_several_materials_is_named_though_keys_are_missing(tmp_path: Path) -> None:
    values = make_bpx()
    blend = {"Large": dict(ELECTRODE), "Small": dict(ELECTRODE)}
    values["Parameterisation"]["Positive electrode"] = {**PORES, "Conductivity [S.m-1]": 0.8, "Particle": blend}
    (tmp_path / "bad.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(BenchFileError, match="several materials is not supported"):
        read_bpx(tmp_path / "bad.json")


def test_what_no_cell_file_takes_is_named() -> None:
    values = make_bpx()
    assert parse_bpx(Path("a.json"), json.dumps(values)).not_read == []
    values["Validation"] = {"1C": {"Time [s]": [0, 1], "Voltage [V]": [4.2, 4.1], "Current [A]": [-5, -5]}}
    values["Parameterisation"]["User-defined"] = {"Negative electrode delithiation OCP [V]": {"x": [0, 1], "y": [1, 0]}}
    wanted = ["User-defined / Negative electrode delithiation OCP [V]", "Validation"]
    assert parse_bpx(Path("a.json"), json.dumps(values)).not_read == wanted


def test_text_that_is_no_json_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{\n"Header": }', encoding="utf-8")
    with pytest.raises(BenchFileError, match="is not JSON") as caught:
        read_bpx(tmp_path / "bad.json")
    assert caught.value.line == 2


def test_a_cell_is_bound_to_the_content_of_its_bpx_file_and_a_record_holds_it(tmp_path: Path) -> None:
    text = (CELLS / "chen2020.toml").read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(text.replace('parameter_set = "Chen2020"', 'bpx = "cell.json"', 1), encoding="utf-8")
    with pytest.raises(BenchFileError, match=r"physics\.bpx = 'cell.json' is not a file"):
        read_cell(mine)
    (tmp_path / "cell.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BenchFileError, match="Header is missing"):
        read_cell(mine)
    values = make_bpx()
    (tmp_path / "cell.json").write_text(json.dumps(values), encoding="utf-8")
    first = read_cell(mine)
    recorded = parse_cell(tmp_path / "elsewhere" / "mine.toml", first.text)
    assert (recorded.sha256, recorded.bpx) == (first.sha256, first.bpx)
    values["Parameterisation"]["Separator"]["Porosity"] = 0.31
    (tmp_path / "cell.json").write_text(json.dumps(values), encoding="utf-8")
    assert read_cell(mine).sha256 != first.sha256
