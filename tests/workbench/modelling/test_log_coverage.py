"""A figure over a log counts every row that should count: below 99 % of them there is no figure, but a reason."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.benchfile.cell_file import find_cell, read_cell
from drivers.logs.log import CellLog
from workbench.modelling import log_twin
from workbench.modelling.log_estimate import LogEstimate
from workbench.modelling.log_start import LogStart
from workbench.modelling.log_twin import lay_twin
from workbench.verbs.estimate import _describe  # pyright: ignore[reportPrivateUsage]  # what the verb prints

if TYPE_CHECKING:
    from drivers.snapshot import Floats

ROWS = 400
START = LogStart(0.9, 0.05, "given", rested=True)


def make_log(temperature_k: float | None = 298.15, current_a: float = 1.0) -> CellLog:
    volts, row = np.linspace(4.1, 3.4, ROWS), np.arange(1, ROWS + 1)
    kelvin = None if temperature_k is None else np.full(ROWS, temperature_k)
    time_s, current = np.arange(ROWS, dtype=np.float64), np.full(ROWS, current_a)
    return CellLog(Path("log.csv"), "csv", "", "discharge", time_s, volts, current, kelvin, None, row, row)


def estimate(soc: Floats, error_v: float = 0.01) -> LogEstimate:
    log = make_log()
    columns: dict[str, Any] = {"soc": soc, "soc_std": soc, "voltage_model_v": log.voltage_v + error_v}
    return LogEstimate(log, "ekf", columns, START, averaged=False, notes=())


def test_an_estimate_that_was_nan_for_half_of_the_log_has_no_figure_but_a_reason() -> None:
    soc = np.linspace(0.9, 0.5, ROWS)
    soc[: ROWS // 2] = np.nan
    score = estimate(soc).voltage_score
    assert (score.value, score.coverage) == (None, 0.5)
    assert score.reason == "known for 50.0 % of the samples, 99 % are needed"
    assert score.words(1e3, "mV", 1) == f"not judged: {score.reason}"
    said = _describe(estimate(soc))
    assert (said["rmse_mv"], said["coverage"], said["reason"]) == ({"25": None}, 0.5, score.reason)


def test_rows_below_20_percent_do_not_count() -> None:
    soc = np.linspace(0.9, 0.0, ROWS)
    made = estimate(soc)
    made.columns["voltage_model_v"] = np.where(soc < 0.2, np.nan, made.columns["voltage_model_v"])
    assert (made.voltage_score.scale(1e3), made.voltage_score.coverage) == (pytest.approx(10.0), 1.0)
    assert made.voltage_score.words(1e3, "mV", 1) == "10.0 mV"


@pytest.mark.parametrize(("ends", "is_judged"), [(ROWS // 2, False), (ROWS - 2, True), (ROWS, True)])
def test_a_model_that_ends_before_the_log_is_judged_by_all_rows_of_the_log(
    monkeypatch: pytest.MonkeyPatch, *, ends: int, is_judged: bool
) -> None:
    log = make_log()

    def run_and_end(*_: object) -> tuple[Floats, Floats, Floats]:
        columns = [log.voltage_v + 0.02, np.full(ROWS, 299.15), np.linspace(0.9, 0.5, ROWS)]
        for column in columns:
            column[ends:] = np.nan
        return columns[0], columns[1], columns[2]

    monkeypatch.setattr(log_twin, "_run_physics", run_and_end)
    twin = lay_twin(log, read_cell(find_cell("chen2020", Path())), "spme", 0.9)
    assert twin.temperature_score is not None
    for score, value in ((twin.voltage_score, 0.02), (twin.temperature_score, 1.0)):
        assert score.value == (pytest.approx(value) if is_judged else None)
        assert score.coverage == ends / ROWS
    assert ("50.0 %" in twin.voltage_score.reason) is not is_judged


def test_a_model_that_ended_where_the_cell_was_empty_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    log = make_log(current_a=5.0 * 3600 * 0.9 / ROWS)  # from 90 % to nothing

    def run_and_end(*_: object) -> tuple[Floats, Floats, Floats]:
        soc = np.linspace(0.9, 0.0, ROWS)
        mask = np.where(soc < 0.15, np.nan, 0.0)
        return log.voltage_v + mask, 298.0 + mask, soc + mask

    monkeypatch.setattr(log_twin, "_run_physics", run_and_end)
    twin = lay_twin(log, read_cell(find_cell("chen2020", Path())), "spme", 0.9)
    assert (twin.voltage_score.value, twin.voltage_score.coverage) == (pytest.approx(0.0), 1.0)


@pytest.mark.parametrize(("model", "temperature_k"), [("dfn", 298.15), ("spme", None)])
def test_a_temperature_that_nobody_modelled_or_measured_has_no_figure(
    model: str, temperature_k: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = make_log(temperature_k)

    def run(*_: object) -> tuple[Floats, Floats, Floats]:
        return log.voltage_v, np.full(ROWS, 298.15), np.full(ROWS, 0.5)

    monkeypatch.setattr(log_twin, "_run_physics", run)
    assert lay_twin(log, read_cell(find_cell("chen2020", Path())), model, 0.9).temperature_score is None
