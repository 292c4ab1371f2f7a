"""`grade` as scripts meet it."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from drivers.table_file import read_table
from tests.twin.health.synthetic_pulses import join, make_pulses
from tests.workbench.own_cli import cli
from twin.health.pulse_set import VOLTAGES

if TYPE_CHECKING:
    from pathlib import Path

    from twin.health.grade_training import PulseRows

REPORTED = ("capacity_ah", "low_ah", "high_ah")


def write_pulses(path: Path, rows: PulseRows, *, without: str = "") -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        names = [name for name in ("Mat", "ID", "Qn", "Q", "SOC", *VOLTAGES) if name != without]
        writer.writerow(names)
        fields = zip(rows.chemistry, rows.cell, rows.nominal_ah, rows.capacity_ah, rows.volts, strict=True)
        for mat, cell, nominal, q, volts in fields:
            row = {"Mat": mat, "ID": cell, "Qn": nominal, "Q": q, "SOC": 5, **dict(zip(VOLTAGES, volts, strict=True))}
            writer.writerow([row[name] for name in names])
    return path


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = cli(monkeypatch, "grade", *words, "--json")
    return status, json.loads(capsys.readouterr().out)


def test_a_taught_model_grades_a_table_without_capacities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taught = write_pulses(tmp_path / "taught.csv", make_pulses("NMC", 20, 1))
    model, out = tmp_path / "model.json", tmp_path / "grades.csv"
    status, answer = run(monkeypatch, capsys, "--train", str(taught), "--model", str(model), "--licence", "MIT")
    assert status == 0
    assert answer["model"]["licence"] == "MIT"
    assert answer["model"]["held"]["rows"] > 0
    mixed = join(make_pulses("NMC", 2, 3), make_pulses("LFP", 1, 4))
    asked = write_pulses(tmp_path / "asked.csv", mixed, without="Q")
    status, answer = run(monkeypatch, capsys, str(asked), "--model", str(model), "--out", str(out))
    assert status == 0
    assert answer["schema"] == "pulsebms.grade/1"
    assert answer["counts"]["rejected"] >= 8
    assert {cell["id"]: cell["capacity_ah"] for cell in answer["cells"]}["LFP4x0"] is None
    written = read_table(out)
    for name in REPORTED:
        assert written.take_numbers(name)[0] == pytest.approx(answer["rows"][0][name])


def test_grades_do_not_depend_on_what_is_not_pulses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = make_pulses("NMC", 1, 3)
    answers = [
        run(monkeypatch, capsys, str(write_pulses(tmp_path / name, rows, without=without)))[1]["rows"]
        for name, without in (("with.csv", ""), ("with_.csv", "Q"), ("none.csv", "SOC"))
    ]
    told = [[[row[name] for name in REPORTED] for row in answer] for answer in answers]
    assert told[0] == told[1] == told[2]


def test_a_missing_column_names_file_and_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = write_pulses(tmp_path / "asked.csv", make_pulses("NMC", 1, 3), without="U7")
    status, answer = run(monkeypatch, capsys, str(asked))
    assert status == 2
    assert (answer["error"]["key"], answer["error"]["where"]) == ("U7", str(asked))


def test_a_model_of_another_schema_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (other := tmp_path / "other.json").write_text('{"schema": "pulsebms.health/1"}')
    asked = write_pulses(tmp_path / "asked.csv", make_pulses("NMC", 1, 3))
    status, answer = run(monkeypatch, capsys, str(asked), "--model", str(other))
    assert status == 2
    assert answer["error"]["value"] == "pulsebms.health/1"
