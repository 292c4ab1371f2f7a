"""The cell file: what is shipped, what is refused, and the version before."""

from __future__ import annotations

import shutil
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from drivers.benchfile.cell_file import CELLS, find_cell, list_cells, parse_cell, read_cell, read_default_cell
from drivers.benchfile.cell_sections import ROWS
from drivers.benchfile.cell_writer import spell_cell, write_cell
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from pathlib import Path

CHEN = CELLS / "chen2020.toml"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copy(CHEN, tmp_path / "mine.toml")
    return tmp_path / "mine.toml"


def change(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", list_cells())
def test_each_shipped_cell_says_where_its_numbers_come_from(name: str) -> None:
    file = read_cell(find_cell(name, CELLS)).file
    assert file.capacity_ah == 5.0
    assert file.circuit.capacity_ah == pytest.approx(5.0, rel=0.3)
    assert file.physics is not None
    assert file.estimator is not None
    assert file.estimator.fitted_to != file.circuit.fitted_to
    low_v, high_v = file.limits.voltage_v
    assert low_v - 0.05 < file.circuit.ocv_v[0] < file.circuit.ocv_v[-1] < high_v + 0.05
    assert {"limits", "bms", "thermal", "circuit", "estimator", "physics"} <= file.source.keys()


def test_the_hash_is_of_the_numbers_not_of_comments_sources_or_line_ends(copied: Path) -> None:
    before = read_cell(copied).sha256
    assert before == read_default_cell().sha256
    change(copied, "\n[limits]", "\n# mine\n[limits]")
    change(copied, "Chen et al.", "As in Chen et al.")
    copied.write_bytes(copied.read_bytes().replace(b"\n", b"\r\n"))
    assert read_cell(copied).sha256 == before
    assert read_cell(change(copied, "cooling_w_k = 0.0531", "cooling_w_k = 0.0532")).sha256 != before


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("charge_c = 2.0", "charge_rate = 2.0", "charge_rate"),
        ("voltage_v = [2.5, 4.2]", "voltage_v = [4.2, 2.5]", "voltage_v = \\[low, high\\]"),
        ("voltage_v = [2.8, 4.25]", "voltage_v = [2.8, 4.9]", "from 4.2 to less than 4.5 V"),
        ("voltage_v = [2.8, 4.25]", "voltage_v = [2.4, 4.25]", "from 2.5 to less than 4.2 V"),
        ("arrhenius_k = 1673.26", "arrhenius_k = nan", "finite"),
        ("capacity_ah = 5.0", "capacity_ah = 0.0", "greater than 0"),
        ("r0_ohm = [\n    0.0343134,", "r0_ohm = [\n", "rows of one length"),
        ("r0_ohm = [\n    0.0343134,", "r0_ohm = [\n    -0.0343134,", "greater than 0"),
        ("kelvins = [263.15, 273.15", "kelvins = [273.15, 263.15", "rising kelvins"),
        ("kelvins = [263.15, ", "kelvins = [", "one row of anode_v"),
        ("limits = ", "boundaries = ", "where the numbers of limits come from"),
        ('chemistry = "NMC"', 'chemistry = "NCM"', "'NMC', 'NCA'"),
        ("pulsebms.cell/2", "pulsebms.cell/3", "not pulsebms.cell/2"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(copied: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(BenchFileError, match=says) as caught:
        read_cell(change(copied, old, new))
    assert caught.value.where == str(copied)
    assert caught.value.line


def test_a_cell_that_does_not_exist_is_answered_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(BenchFileError, match="there is no cell 'chen2021'") as caught:
        find_cell("chen2021", tmp_path)
    assert "chen2020" in caught.value.hint
    (tmp_path / "own.toml").touch()
    assert find_cell("own.toml", tmp_path) == tmp_path / "own.toml"


def test_a_written_cell_is_read_back_the_same(tmp_path: Path) -> None:
    cell = read_default_cell()
    write_cell(cell.file, tmp_path / "again.toml")
    assert read_cell(tmp_path / "again.toml").sha256 == cell.sha256


def test_the_version_before_is_read_and_said(tmp_path: Path) -> None:
    values: dict[str, Any] = tomllib.loads(CHEN.read_text(encoding="utf-8"))
    circuit = {**values["circuit"], **values["thermal"]}
    write_toml(tmp_path / "ecm.toml", circuit)
    write_toml(tmp_path / "plating.toml", {"schema": "pulsebms.plating/1", **values["plating"]})
    old = {key: values[key] for key in ("name", "chemistry")}
    tables = {key: values[key] for key in ("limits", "wear")}
    named = {"circuit": "ecm.toml", "plating": "plating.toml"}
    write_toml(tmp_path / "old.toml", {"schema": "pulsebms.cell/1", **old, **named, **tables})
    cell = read_cell(tmp_path / "old.toml")
    assert cell.notes == (
        "old.toml is of pulsebms.cell/1: it was read together with ecm.toml and plating.toml as one pulsebms.cell/2",
    )
    assert cell.file.circuit == read_default_cell().file.circuit
    assert cell.file.plating == read_default_cell().file.plating
    assert cell.file.physics is not None
    assert cell.file.physics.parameter_set == "Chen2020"
    (tmp_path / "plating.toml").unlink()
    with pytest.raises(BenchFileError, match=r"plating = .plating\.toml. is not a file"):
        read_cell(tmp_path / "old.toml")


def write_toml(path: Path, values: dict[str, Any]) -> None:
    path.write_text(spell_cell(values), encoding="utf-8")


def test_a_recorded_cell_needs_no_file(tmp_path: Path) -> None:
    text = CHEN.read_text(encoding="utf-8")
    assert parse_cell(tmp_path / "gone.toml", text).sha256 == read_default_cell().sha256


def test_every_row_of_a_circuit_is_positive_and_as_long_as_the_others() -> None:
    circuit = read_default_cell().file.circuit
    assert {len(getattr(circuit, name)) for name in ROWS} == {41}
