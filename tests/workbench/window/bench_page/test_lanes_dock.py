"""What the lanes dock shows of an estimator: its error and the state of health of the pack."""

from __future__ import annotations

import numpy as np

from tests.workbench.plant import LANES
from workbench.window.bench_page.lanes_dock import UNKNOWN_SOH, LaneFigures, make_figures
from workbench.window.plots.channel_history import ChannelReading

EKF = next(lane for lane in LANES if lane.name == "EKF")


def show(values: dict[str, float]) -> LaneFigures:
    column = {f"estimator/EKF/{name}": place for place, name in enumerate(values)}
    return make_figures(EKF, ChannelReading(column, 0.0, np.array([*values.values()], np.float32)), "SPMe pack")


def test_an_estimator_shows_the_health_of_the_pack_and_says_the_rest_in_its_tip() -> None:
    values = {"soh": 0.873, "soh_std": 0.012, "soh_min": 0.81, "resistance_growth": 1.24, "resistance_growth_std": 0.05}
    figures = show(values)
    assert figures.columns[1] == ("87.3 %", "")
    assert figures.tip == "SoH 87.3 ±1.2 %, the lowest cell 81.0 %. Resistance 1.24 ±0.05 times the cell file's."


def test_a_run_without_the_channels_and_a_pack_that_is_not_known_show_a_dash() -> None:
    for values in ({}, {"soh": float("nan"), "resistance_growth": float("nan")}):
        figures = show(values)
        assert figures.columns[1] == ("–", "")  # noqa: RUF001  # as the window shows it
        assert figures.tip == f"{UNKNOWN_SOH}."
