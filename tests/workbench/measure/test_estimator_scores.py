"""Rows of `measure estimators` and `measure health`: what is averaged, what is worst, and what was left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.benchfile.cell_file import read_default_cell
from drivers.logs.log import CellLog
from tests.twin.network.synthetic_cell import make_drive, make_network, simulate
from twin.health.cycle_table import CycleRows
from workbench.measure import fitted_cells, health, health_steps, published_soc, soc_scores
from workbench.measure.fitted_cells import SETTLE_S, JudgedDrive, SocScore, judge_estimate
from workbench.measure.health_steps import StepErrors
from workbench.measure.job import MeasureJob
from workbench.modelling.log_estimate import LogEstimate
from workbench.modelling.log_start import LogStart

if TYPE_CHECKING:
    from drivers.benchfile.cell_file import Cell

START = LogStart(0.9, 0.05, "given", rested=True)


def score(degc: int, mae: float, cell: str = "LG 18650HG2") -> SocScore:
    return SocScore(f"{degc} degC drive", degc, 2.0 * mae, mae, 1.0, 0.01, implausible=False, cell=cell)


def test_the_mean_absolute_error_is_that_of_the_settled_part(made_log: CellLog) -> None:
    truth = np.linspace(0.9, 0.4, len(made_log))
    error = np.where(made_log.time_s < SETTLE_S, 0.5, np.where(np.arange(len(made_log)) % 2, 0.03, -0.01))
    columns = {"soc": truth + error, "soc_std": np.full(len(made_log), 0.02), "sensor_implausible": truth < 0.0}
    found = judge_estimate(
        JudgedDrive("drive", 25, made_log, truth),
        LogEstimate(made_log, "ekf", columns, START, averaged=False, notes=()),
    )
    assert found.mae == pytest.approx(0.02, abs=1e-4)
    assert found.rmse == pytest.approx(np.sqrt(0.0005), abs=1e-4)


@pytest.fixture
def made_log() -> CellLog:
    trace = simulate(make_network(), make_drive(1, rows=2000), 1.0, 298.15)
    row = np.arange(1, len(trace) + 1)
    time_s, volts, current_a, kelvin = trace.time_s, trace.voltage_v, trace.current_a, trace.case_k
    return CellLog(Path("log.csv"), "csv", "", "discharge", time_s, volts, current_a, kelvin, None, row, row)


def test_published_rows_average_the_runs_of_their_temperatures() -> None:
    rested = [score(degc, 0.004) for degc in published_soc.DEGC]
    rested += [score(25, 0.008, "Panasonic"), score(40, 0.9), score(-20, 0.9)]
    rows = list(published_soc.score_published({"ekf": rested, "ckf": rested[:4]}, rested))
    assert {row.metric for row in rows} == set(published_soc.METRICS)
    value = {row.metric: row.value for row in rows}
    assert value[published_soc.OF_DEGC["ekf", 25]] == pytest.approx(0.6)
    assert value[published_soc.OF_DEGC["ekf", -10]] == pytest.approx(0.4)
    assert value[published_soc.OF_SPAN["ekf"]] == pytest.approx(100.0 * (4 * 0.004 + 0.008) / 5)
    assert value[published_soc.OF_SPAN["ckf"]] == pytest.approx(0.4)
    assert value[published_soc.OFF] == pytest.approx(200.0 * (4 * 0.004 + 0.008) / 5)


def test_no_drive_is_filtered_twice_for_the_published_rows(made_log: CellLog, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, asked = read_default_cell(), list[tuple[Any, ...]]()

    def score_lane(drive: JudgedDrive, of: Cell, soc0: float, lane: str = "ekf", **off: float) -> SocScore:
        untouched = of is cell and np.array_equal(drive.log.voltage_v, made_log.voltage_v)
        if untouched and drive.log.temperature_k is made_log.temperature_k:
            asked.append((drive.degc, soc0, lane, *off.items()))
        return score(drive.degc, 0.01 if lane == "ckf" else 0.002)

    def scale_capacity(of: Cell, factor: float) -> Cell:
        del factor
        return replace(of)

    monkeypatch.setattr(fitted_cells, "score_lane", score_lane)
    monkeypatch.setattr(fitted_cells, "scale_capacity", scale_capacity)
    soc = np.linspace(1.0, 0.1, len(made_log))
    degcs = (40, 25, 10, 0, -10, -20)
    runs = [(fitted_cells.LG, JudgedDrive(f"{degc} degC", degc, made_log, soc), cell) for degc in degcs]
    values = {row.metric: row.value for row in soc_scores._judge_soc(runs)}  # pyright: ignore[reportPrivateUsage]
    assert values.keys() >= set(published_soc.METRICS)
    assert values[published_soc.OF_SPAN["ekf"]] == pytest.approx(0.2)
    assert values[published_soc.OF_SPAN["ckf"]] == pytest.approx(1.0)
    assert len(asked) == len(set(asked)) == 6 * 11  # two starts, eight sensors and the lane ckf


@pytest.mark.parametrize("told", [True, False])
def test_a_step_is_judged_by_the_worst_error_of_what_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, told: bool
) -> None:
    capacity, resistance = np.zeros((2, 4, 4)), np.zeros((2, 4, 4))
    capacity[:, 0], capacity[1, -1, 2] = 0.5, -0.03 if told else np.nan
    resistance[1, -1, 1], resistance[1, -1, 3] = 0.04, 0.01
    std = np.full((2, 4, 4), 0.012)

    def follow_steps(runs: int) -> StepErrors:
        del runs
        return StepErrors(capacity, std, resistance, std)

    monkeypatch.setattr(health_steps, "follow_steps", follow_steps)
    rows = list(health_steps.measure(MeasureJob(lambda _: None, tmp_path)))
    assert [row.metric for row in rows] == list(health_steps.METRICS)
    assert [row.value for row in rows[1:3]] == pytest.approx([4.0, 1.0])
    assert rows[3].value == pytest.approx(100.0 * 14 / 16)
    assert rows[0].is_met is told
    if told:
        assert rows[0].value == pytest.approx(3.0)
        assert "after each cycle 50.0, 0.0, 0.0, 3.0 %" in rows[0].conditions


def test_rows_without_features_are_counted() -> None:
    """A value that is missing later is the last one of its cell; a cell that begins without one has none."""
    values = np.linspace(1.0, 2.0, 40)[:, None]
    values[[0, 30]] = np.nan
    capacity = np.linspace(2.0, 1.8, 40)
    capacity[20] = 0.5
    rows = CycleRows(("time",), values, np.repeat(["a", "b"], 20), np.arange(40), capacity)
    kept, x, told = health._keep_judged(rows)  # pyright: ignore[reportPrivateUsage]  # what the conditions say
    assert told == "20 of 40 rows without features left out, 1 without a sound capacity"
    assert len(kept) == len(x) == 19
