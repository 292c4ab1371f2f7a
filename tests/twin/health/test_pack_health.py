"""Balance of the cells and limits met, from logs whose every number is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.twin.health.test_log_health import CELL, make_log
from twin.health.cell_balance import find_balance
from twin.health.limit_check import LimitsOfCell, check_limits
from twin.health.report import CellsOfLog, judge_logs

LIMITS = LimitsOfCell(3.0, 4.2, 263.15, 318.15, 2.0, 0.5)
LOG = make_log([(900.0, 1.0), (900.0, 0.0), (60.0, 1.0)], soc=0.9)
OFFSET_V = np.array([[0.0], [-0.036], [0.012]])


def test_spread_at_rest_has_a_spread_of_charge_and_names_the_cells() -> None:
    found, gaps = find_balance(LOG, (1, 2, 3), LOG.voltage_v + OFFSET_V, CELL)
    assert gaps == []
    rest = found[0]
    assert (rest.lowest, rest.highest, rest.cells) == (2, 3, 3)
    assert rest.spread_v == pytest.approx(0.048)
    assert rest.soc_spread == pytest.approx(0.048 / 1.2, rel=0.01)
    assert 1700.0 < rest.time_s < 1800.0, "at the end of the rest, not under load"
    assert [one.soc_spread for one in found[1:]] == [None, None]


def test_ends_are_those_of_any_cell_and_rows_without_a_cell_do_not_count() -> None:
    volts = LOG.voltage_v + OFFSET_V
    volts[1, 0] = np.nan
    highest = find_balance(LOG, (1, 2, 3), volts, CELL)[0][1]
    assert highest.at == "highest voltage"
    assert highest.time_s == 1.0


def test_without_two_cells_or_a_rest_it_says_why() -> None:
    assert "two cells" in find_balance(LOG, (1,), LOG.voltage_v[None, :], CELL)[1][0]
    moving = make_log([(300.0, 1.0)])
    assert "no rest" in find_balance(moving, (1, 2), np.vstack([moving.voltage_v] * 2), CELL)[1][0]
    report = judge_logs([LOG], CELL, LIMITS, [CellsOfLog((), np.empty((0, 0)))])
    assert any("no voltage of each cell" in sentence for sentence in report.not_judged)


def test_extremes_stand_beside_their_limits() -> None:
    found = {one.quantity: one for one in check_limits(LOG, LIMITS)[0]}
    assert found["discharge current"].value == 1.0
    assert not found["discharge current"].is_met
    assert found["charge current"].value == 0.0
    assert [found[name].is_met for name in ("highest voltage", "lowest voltage", "lowest temperature")] == [True] * 3
    assert "name the cell (--cell)" in check_limits(LOG, None)[1][0]


@pytest.mark.parametrize(("beyond_v", "is_met"), [(0.004, True), (0.006, False)])
def test_a_limit_is_met_within_what_a_cycler_resolves(beyond_v: float, is_met: bool) -> None:  # noqa: FBT001
    volts = LOG.voltage_v
    found, _ = check_limits(LOG, replace(LIMITS, high_v=float(volts.max()) - beyond_v))
    assert {one.quantity: one.is_met for one in found}["highest voltage"] is is_met
