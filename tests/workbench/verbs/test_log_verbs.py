"""`fit`, `estimate` and `twin` on the logs of a cell that is known."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.csv  # pyright: ignore[reportUnusedImport]  # it carries no types
import pyarrow.parquet  # pyright: ignore[reportUnusedImport]
import pytest

from drivers.benchfile.cell_file import read_cell
from tests.twin.network.synthetic_cell import (
    CAPACITY_AH,
    make_drive,
    make_network,
    make_pulses,
    simulate,
    write_log,
)
from tests.workbench.own_cli import cli
from twin.cell_parameters import make_parameters
from workbench.measure.aged_cells import REST, Ageing
from workbench.report import Exit
from workbench.signals import Interrupt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARROW: Any = pyarrow  # carries no types
LIST = """
[cell]
name = "known"
chemistry = "NMC"
[[test]]
kind = "ocv"
file = "slow.csv"
temperature_degc = 25.0
[[test]]
kind = "pulse"
file = "pulses.csv"
temperature_degc = 25.0
[[test]]
kind = "drive"
file = "drive.csv"
temperature_degc = 25.0
[[test]]
kind = "drive"
file = "unseen.csv"
temperature_degc = 25.0
held = true
"""


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the logs of a cell and their list."""
    folder, cell = tmp_path_factory.mktemp("laboratory"), make_network()
    slow_a = np.full(60 * 20, CAPACITY_AH / 20.0)
    for name, current_a, dt_s in (
        ("slow", slow_a, 60.0),
        ("pulses", make_pulses(8), 1.0),
        ("drive", make_drive(1, rows=3000), 1.0),
        ("unseen", make_drive(2, rows=3000), 1.0),
    ):
        write_log(folder / f"{name}.csv", simulate(cell, current_a, dt_s, 298.15))
    (folder / "TESTS.toml").write_text(LIST)
    return folder


@pytest.fixture(scope="module")
def cell(laboratory: Path) -> Path:
    """The fitted cell file."""
    with pytest.MonkeyPatch.context() as patch:
        assert cli(patch, "fit", str(laboratory / "TESTS.toml"), "--out", str(laboratory / "cell.toml")) == Exit.OK
    return laboratory / "cell.toml"


@pytest.fixture
def heard_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process hears one Ctrl-C as a verb does, and then is as before."""
    handlers = {ending: signal.getsignal(ending) for ending in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(Interrupt, "received", False)
    yield
    for ending, handler in handlers.items():
        signal.signal(ending, handler)


def interrupt(draft: str, file: str) -> None:
    """Stand for `os.replace` at which somebody presses Ctrl-C."""
    del draft, file
    signal.raise_signal(signal.SIGINT)


def answer(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capfd.readouterr().out)


def test_a_fit_reports_its_split_and_its_errors(
    laboratory: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = laboratory / "again.toml"
    assert cli(monkeypatch, "fit", str(laboratory / "TESTS.toml"), "--out", str(out), "--json") == Exit.OK
    said = answer(capfd)
    assert said["schema"] == "pulsebms.fit/1"
    assert said["split"] == {"fit": ["slow.csv", "pulses.csv", "drive.csv"], "held": ["unseen.csv"]}
    assert said["rmse_mv"]["25"] < 8.0
    assert said["rmse_fit_mv"]["25"] < 8.0
    assert said["capacity_ah"] == pytest.approx(CAPACITY_AH, rel=0.01)
    names = ("slow", "pulses", "drive", "unseen")
    assert said["rows_in"] == sum(len((laboratory / f"{name}.csv").read_text().splitlines()) - 1 for name in names)
    assert set(said["current_sign"].values()) == {"charge"}
    assert said["identifiability"]


def test_a_fitted_cell_is_a_whole_cell_file(cell: Path) -> None:
    read = read_cell(cell)
    parameters = make_parameters(read)
    assert read.file.network is not None
    assert parameters.circuit is not parameters.estimator
    assert not np.array_equal(parameters.circuit.rows, parameters.estimator.rows)
    assert (np.diff(parameters.circuit.rows[0]) > 0.0).all()


@pytest.mark.usefixtures("heard_once")
@pytest.mark.parametrize(
    "words",
    [
        ("estimate", "drive.csv", "--cell", "cell.toml", "--out", "result.parquet"),
        ("twin", "drive.csv", "--cell", "cell.toml", "--out", "result.csv"),
        ("fit", "TESTS.toml", "--out", "result.toml"),
        ("forecast", "--cell", "cell.toml", "--duty", "duty.csv", "--horizon", "0.02h", "--out", "result.parquet"),
        ("cell", "export", "chen2020", "--bpx", "result.json"),
    ],
)
def test_ctrl_c_leaves_no_half_file_and_keeps_the_one_before(
    laboratory: Path, cell: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes when the new file is whole but does not have its name yet."""
    assert cell.exists()
    (laboratory / "duty.csv").write_text("time_s,current_a\n0,1\n60,1\n")
    (before := laboratory / next(word for word in words if word.startswith("result"))).write_text("of yesterday")
    listed = sorted(laboratory.iterdir())
    monkeypatch.chdir(laboratory)
    monkeypatch.setattr(os, "replace", interrupt)
    assert cli(monkeypatch, *words) == Exit.INTERRUPTED
    assert sorted(laboratory.iterdir()) == listed
    assert before.read_text() == "of yesterday"
    before.unlink()


@pytest.mark.parametrize("lane", ["ekf", "ckf", "dual-ekf", "coulomb"])
def test_an_estimate_has_a_row_for_each_row_of_the_log(  # noqa: PLR0917  # fixtures
    laboratory: Path,
    cell: Path,
    lane: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "est.parquet"
    lines = (laboratory / "unseen.csv").read_text().splitlines()
    log.write_text("\n".join([*lines[:500], lines[499], lines[499], *lines[500:]]) + "\n")
    arguments = (
        "estimate",
        str(log),
        "--cell",
        str(cell),
        "--lane",
        lane,
        "--soc0",
        "0.8",
        "--out",
        str(out),
        "--json",
    )
    assert cli(monkeypatch, *arguments) == Exit.OK
    said = answer(capfd)
    table = ARROW.parquet.read_table(out)
    read = ARROW.csv.read_csv(log)
    assert table.num_rows == read.num_rows == said["rows_in"]
    np.testing.assert_allclose(table["time_s"].to_numpy(), read["Time [s]"].to_numpy())
    truth = 1.0 + read["Capacity [Ah]"].to_numpy() / CAPACITY_AH
    error = np.asarray(table["soc"].to_numpy() - truth, np.float64)[700:]
    assert said["rows_repaired"] == {"repeated_rows": 2}
    powers = [f"{way}_power_{horizon}s" for horizon in (10, 60) for way in ("discharge", "charge")]
    assert {name for name in table.column_names if "_power_" in name} == (
        set() if lane == "coulomb" else {f"{name}{side}_w" for name in powers for side in ("", "_low", "_high")}
    )
    assert (said["soh"], said["soh_std"]) == (None, None)
    assert ARROW.parquet.read_schema(out).metadata[b"soh_reason"].decode() == said["soh_reason"]
    if lane == "coulomb":
        assert float(np.abs(error + 0.2).max()) < 0.02
        assert said["soh_reason"] == said["resistance_growth_reason"] == "counting charge tells no health"
        assert "soh" not in table.column_names
    else:
        assert said["soh_reason"].startswith("the log has no rest of 15 minutes below 0.02 C")
        assert table["soh"].null_count == table["soh_std"].null_count == table.num_rows
        assert said["resistance_growth"] == table["resistance_growth"].to_pylist()[-1] == pytest.approx(1.0, abs=0.06)
        assert said["resistance_growth_reason"] == ""
        assert float(np.sqrt(np.mean(error**2))) < 0.01
        assert said["rmse_mv"]["25"] < 15.0
        for name in powers:
            low_w, value_w, high_w = (table[f"{name}{side}_w"].to_numpy() for side in ("_low", "", "_high"))
            assert ((low_w >= 0.0) & (low_w <= value_w) & (value_w <= high_w)).all()
        assert (table["discharge_power_60s_w"].to_numpy() <= table["discharge_power_10s_w"].to_numpy()).all()
        assert float(table["discharge_power_10s_w"].to_numpy()[0]) > 5.0  # a cell of 2 Ah near its full charge


@pytest.mark.parametrize("counted", [True, False])
def test_an_estimate_tells_the_health_of_an_aged_cell_from_its_rests(  # fixtures
    cell: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    counted: bool,
) -> None:
    """20 % less capacity and 20 % more resistance; where 20 minutes are missing, only a counter knows their charge."""
    log, out, aged = tmp_path / "aged.csv", tmp_path / "est.parquet", Ageing(0.8, 1.2, 1.2)
    drive = make_drive(4, rows=2500, mean_a=1.0, swing_a=1.6)
    current_a = np.concatenate([REST, drive, np.full(300, 0.4), REST])
    write_log(log, simulate(aged.make_network(), current_a, 1.0, 298.15), 0.8 * CAPACITY_AH)
    lines = log.read_text().splitlines()
    kept = [*lines[:1600], *lines[2800:]]
    log.write_text("\n".join(kept if counted else [line.rpartition(",")[0] for line in kept]) + "\n")
    arguments = ("estimate", str(log), "--cell", str(cell), "--out", str(out), "--json")
    assert cli(monkeypatch, *arguments) == Exit.OK
    said = answer(capfd)
    table = ARROW.parquet.read_table(out)
    assert said["resistance_growth"] == pytest.approx(1.2, abs=0.08)
    assert said["soh"] == table["soh"].to_pylist()[-1]
    if counted:
        assert said["soh"] == pytest.approx(0.8, abs=0.04)
        assert abs(said["soh"] - 0.8) < 3.0 * said["soh_std"]
        assert (said["soh_reason"], table["soh"].to_pylist()[0]) == ("", None)
    else:
        assert said["soh"] is None
        assert said["soh_reason"] == "the log has no two such rests that differ by 25 % of charge"


def test_a_twin_is_laid_over_a_log(
    laboratory: Path, cell: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "twin.csv"
    arguments = ("twin", str(laboratory / "unseen.csv"), "--cell", str(cell), "--out", str(out), "--json")
    assert cli(monkeypatch, *arguments) == Exit.OK
    said = answer(capfd)
    assert said["rmse_mv"]["25"] < 8.0
    assert said["soc0"] == 1.0
    table = ARROW.csv.read_csv(out)
    residual = table["voltage_model_v"].to_numpy() - table["voltage_v"].to_numpy()
    np.testing.assert_allclose(residual, table["residual_v"].to_numpy(), atol=1e-9)


@pytest.mark.parametrize(
    ("verb", "option", "value", "says"),
    [
        ("estimate", "--lane", "magic", "there is no lane 'magic'"),
        ("twin", "--model", "magic", "there is no model 'magic'"),
        ("twin", "--model", "spme", "spme needs the equations of the cell"),
        ("estimate", "--out", "est.xlsx", "is neither a Parquet nor a CSV file"),
        ("estimate", "--columns", "time=Nowhere", "Nowhere"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_no_file(  # noqa: PLR0917  # fixtures
    laboratory: Path,
    cell: Path,
    verb: str,
    option: str,
    value: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    out = () if option == "--out" else ("--out", "result.parquet")
    given = (verb, str(laboratory / "unseen.csv"), "--cell", str(cell), *out, option, value)
    assert cli(monkeypatch, *given) == Exit.BAD_INPUT
    errors = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert says in errors[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('file = "drive.csv"', 'file = "nowhere.csv"'), "is not a file"),
        (('kind = "ocv"', 'kind = "pulse"'), "has no ocv test that the fit may see"),
        (('kind = "ocv"\nfile = "slow.csv"', 'kind = "ocv"\nfile = "drive.csv"'), "C"),
        (('kind = "pulse"', 'kind = "pulses"'), "kind"),
    ],
)
def test_a_list_that_cannot_serve_is_refused(  # noqa: PLR0917  # fixtures
    laboratory: Path,
    change: tuple[str, str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert change[0] in LIST
    listed = laboratory / f"{tmp_path.name}.toml"
    listed.write_text(LIST.replace(*change))
    out = tmp_path / "cell.toml"
    assert cli(monkeypatch, "fit", str(listed), "--out", str(out)) == Exit.BAD_INPUT
    assert says in capfd.readouterr().err
    assert not out.exists()
