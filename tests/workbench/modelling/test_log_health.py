"""Health along a log is null with the reason of its own log: no rest, one charge, rests too far apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drivers.logs.log import CellLog
from tests.twin.network.synthetic_cell import CAPACITY_AH, make_network, simulate
from twin.network.trace import make_trace
from workbench.modelling.log_health import LogHealth, track_log_health

DT_S = 10.0
REST = np.zeros(120)


def track(hours: float, fallen: float = 0.4, rest: int = 120) -> LogHealth:
    """Health along a rest, a steady discharge of `fallen` in so many hours, and a rest."""
    rows = round(3600.0 * hours / DT_S)
    current_a = np.concatenate([REST[:rest], np.full(rows, fallen * CAPACITY_AH / hours), REST[:rest]])
    trace = simulate(make_network(), current_a, DT_S, 298.15, 0.95)
    row, volts = np.arange(1, len(trace) + 1), trace.voltage_v
    log = CellLog(Path("log.csv"), "csv", "", "discharge", trace.time_s, volts, current_a, trace.case_k, None, row, row)
    return track_log_health(make_network(), make_trace(log, CAPACITY_AH, 0.95), log, trace.soc, lambda _: None)


def test_two_rests_tell_the_capacity_from_the_second_on() -> None:
    health = track(1.0)
    soh = health.columns["soh"]
    assert health.capacity_reason == ""
    assert float(soh[-1]) == pytest.approx(1.0, abs=0.03)
    assert soh.mask[:-120].all()
    assert health.growth_reason.startswith("the log has no 20 steps of current")


@pytest.mark.parametrize(
    ("hours", "fallen", "rest", "says"),
    [
        (1.0, 0.4, 60, "the log has no rest of 15 minutes below 0.02 C"),
        (1.0, 0.1, 120, "the log has no two such rests that differ by 25 % of charge"),
        (12.0, 0.4, 120, "the rests leave a deviation above 5 %"),
    ],
)
def test_a_log_that_does_not_show_the_capacity_says_why(hours: float, fallen: float, rest: int, says: str) -> None:
    health = track(hours, fallen, rest)
    assert health.columns["soh"].mask.all()
    assert health.capacity_reason.startswith(says)
