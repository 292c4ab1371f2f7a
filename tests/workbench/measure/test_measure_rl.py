"""`measure rl`: short, beside its peers."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.rl.torch_peer import time_torch
from control.tasks import task, tune_rules
from control.tasks.task import find_task, read_task
from tests.control.rl.handmade import make_policy
from tests.control.tasks.price_tables import write_table
from workbench.measure import market, rl
from workbench.measure.job import MeasureJob

if TYPE_CHECKING:
    from pathlib import Path

    from control.tasks.task import ControlTask


SHORT: dict[str, dict[str, float]] = {
    "arbitrage": {"steps": 16},
    "duty_tracking": {"steps": 60},
    "fast_charge": {"target_soc": 0.14},
}


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("changes", [SHORT, pytest.param({}, marks=pytest.mark.soak)], ids=["short", "whole"])
def test_a_short_measurement_yields_every_declared_figure(
    changes: dict[str, dict[str, float]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_short(path: Path) -> ControlTask:
        whole = read_task(path)
        return whole.model_copy(update=changes.get(whole.name, {}))

    monkeypatch.setattr(task, "read_task", read_short)
    said: list[str] = []
    rows = list(rl.measure(MeasureJob(said.append, tmp_path, share=0.02)))
    assert [row.metric for row in rows] == [metric for metric in rl.METRICS if metric not in market.METRICS]
    assert any("a published market left out" in line for line in said), "there is no table to measure on"
    without_policy = {rl.ANSWER, rl.TRADER, rl.DUTY}
    assert all(math.isfinite(row.value) for row in rows if row.metric not in without_policy)
    assert all("cores" in row.conditions for row in rows)
    assert any("with mpc" in line for line in said)


@pytest.mark.slow
def test_a_market_is_tuned_on_one_year_and_judged_on_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tune_rules, "TOGETHER", (("rate",),))
    monkeypatch.setattr(tune_rules, "CHOICES", {"rate": (0.5, 1.0)})
    (tmp_path / market.FOLDER).mkdir()
    begin = datetime(2022, 12, 1)  # noqa: DTZ001  # the clock of a market has no zone
    path = tmp_path / market.FOLDER / market.TABLE
    write_table(path, 40, begin=begin, header="time,price", price=lambda row: 0.1 + row % 24 / 50)
    trade = read_task(find_task("arbitrage")).model_copy(update={"steps": 8, "preview": 16})
    opened = market.open_market(path, trade, rl.SEED)
    years = [one.market and one.market.describe() for one in (opened.tuned, opened.judged)]
    assert [(year["first"], year["last"]) for year in years if year] == [
        ("2022-12-01", "2022-12-31"),
        ("2023-01-01", "2023-01-09"),
    ]
    job = MeasureJob(lambda _: None, tmp_path, data=tmp_path, share=0.05)
    rows = list(market.measure_market(job, trade, rl.SEED, None, "conditions"))
    assert [row.metric for row in rows] == list(market.METRICS)
    figures = rows[0].conditions.partition("EUR a day: ")[2].split(", ")
    costs = {figure.rpartition(" ")[0]: float(figure.rpartition(" ")[2]) for figure in figures}
    assert costs.keys() == {"tuned rule", "shipped rule", "MPC", "at rest"}
    assert rows[0].value == pytest.approx(costs["MPC"] - costs["tuned rule"], abs=1e-4)
    assert math.isnan(rows[1].value), "there is no policy"


def test_torch_is_timed_on_the_layers_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "p.onnx"
    path.write_bytes(make_policy(read_task(find_task("arbitrage"))))
    took_s = time_torch(path, np.zeros(1), 20)
    assert len(took_s) == 20
    assert min(took_s) > 0.0
