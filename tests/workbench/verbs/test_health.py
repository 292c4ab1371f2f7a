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


def test_a_log_gives_capacity_resistance_and_what_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["time_s,voltage_v,current_a"]
    for second in range(0, 3000, 2):
        current = 2.0 if second % 600 >= 300 else 0.0
        lines.append(f"{second},{4.0 - 1e-4 * second - 0.03 * current:.4f},{current}")
    (log := tmp_path / "log.csv").write_text("\n".join(lines))
    status, answer = run(monkeypatch, capsys, str(log), "--out", str(out := tmp_path / "out.csv"))
    assert status == 0
    assert answer["resistances"][0]["ohm"] == pytest.approx(0.03, rel=0.1)
    assert answer["capacities"] == []
    assert any("--cell" in sentence for sentence in answer["not_judged"])
    assert read_table(out).take_texts("quantity").tolist() == ["resistance"] * len(answer["resistances"])


def test_a_log_that_is_missing_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer = run(monkeypatch, capsys, str(tmp_path / "none.csv"))
    assert status == 2
    assert answer["error"]["where"] == str(tmp_path / "none.csv")
