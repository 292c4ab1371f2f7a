"""`health` as scripts meet it."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from drivers.table_file import read_table
from tests.twin.health.synthetic_cycles import NAMES, make_cycles
from tests.workbench.own_cli import cli

if TYPE_CHECKING:
    from pathlib import Path


def write_cycles(path: Path, cells: int, seed: int, *, charge: float = 1.0) -> Path:
    rows = make_cycles(cells, seed)
    assert rows.capacity_ah is not None
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["cell", "cycle_row", "CC Q", *NAMES, "capacity"])
        for number, (cell, values, capacity) in enumerate(zip(rows.cell, rows.values, rows.capacity_ah, strict=True)):
            writer.writerow([cell, number, charge, *values, capacity])
    return path


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    status = cli(monkeypatch, "health", *words, "--json")
    return status, json.loads(capsys.readouterr().out)


def test_a_table_teaches_a_model_that_judges_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taught, model = write_cycles(tmp_path / "taught.csv", 14, 1), tmp_path / "model.json"
    status, answer = run(monkeypatch, capsys, "--train", str(taught), "--model", str(model), "--licence", "MIT")
    assert status == 0
    assert answer["model"]["held"]["capacity"]["rmse_pct"] < 1.5
    tables, out = [write_cycles(tmp_path / f"{q}.csv", 2, 7, charge=q) for q in (1.0, 9.0)], tmp_path / "out.parquet"
    answers = [
        run(monkeypatch, capsys, "--features", str(table), "--model", str(model), "--out", str(out))[1]
        for table in tables
    ]
    assert answers[0]["schema"] == "pulsebms.health/1"
    assert answers[0]["rows"] == answers[1]["rows"]  # the charge is not read
    assert [cell["end_of_life"]["reason"] for cell in answers[0]["cells"]] == ["", ""]
    assert read_table(out).take_numbers("capacity_ah")[3] == pytest.approx(answers[0]["rows"][3]["capacity_ah"])


def test_a_table_without_a_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer = run(monkeypatch, capsys, "--features", str(write_cycles(tmp_path / "t.csv", 1, 1)))
    assert status == 2
    assert "--train" in answer["error"]["hint"]
