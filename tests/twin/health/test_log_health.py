"""Capacity and resistance from logs whose every number is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from twin.health.log_capacity import JudgedCell, find_capacities
from twin.health.log_resistance import find_resistances
from twin.health.log_segments import LogSamples, make_samples
from twin.health.report import judge_logs

if TYPE_CHECKING:
    from drivers.snapshot import Floats

CELL = JudgedCell(3.0, 4.2, np.linspace(3.0, 4.2, 21))
OHM, SLOW_OHM, TAU_S = 0.020, 0.010, 3.0


def make_log(
    parts: list[tuple[float, float]],
    capacity_ah: float = 2.0,
    soc: float = 1.0,
    *,
    dt_s: float = 1.0,
    name: str = "log",
) -> LogSamples:
    """A log of a cell with a straight open-circuit voltage; `parts`: seconds and amperes, discharge positive."""
    current = np.concatenate([np.full(round(s / dt_s), a) for s, a in parts])
    time_s: Floats = dt_s * np.arange(len(current), dtype=np.float64)
    taken = np.concatenate([[0.0], np.cumsum(current[1:]) * dt_s / 3600.0])
    slow: Floats = np.zeros(len(current))
    for k in range(1, len(current)):
        slow[k] = current[k] + (slow[k - 1] - current[k]) * np.exp(-dt_s / TAU_S)
    volts = 3.0 + 1.2 * (soc - taken / capacity_ah) - OHM * current - SLOW_OHM * slow
    return make_samples(name, time_s, volts, current, kelvin=np.full(len(current), 298.15), counter_ah=-taken)


def test_a_discharge_from_full_to_the_cut_off_gives_the_capacity() -> None:
    found, gaps = find_capacities(make_log([(900.0, 0.0), (7290.0, 0.97), (900.0, 0.0)]), CELL)
    assert gaps == []
    under_load = 2.0 * (1.0 - 0.97 * (OHM + SLOW_OHM) / 1.2)  # the rest is left in the cell at this current
    assert found[0].capacity_ah == pytest.approx(under_load, rel=0.02)
    assert found[0].low_ah < found[0].capacity_ah < found[0].high_ah
    assert found[0].rate_a == pytest.approx(0.97, rel=0.2)


def test_discharges_whose_charges_are_missing_in_the_log_are_not_counted_as_one() -> None:
    """Five discharges from 90 to 20 %, each with a rest before and after it; what charged the cell is not recorded."""
    parts = [make_log([(900.0, 0.0), (5040.0, 1.0), (900.0, 0.0)], soc=0.9) for _ in range(5)]
    time_s = np.arange(sum(len(part.time_s) for part in parts), dtype=np.float64)
    volts, current = (np.concatenate([getattr(part, name) for part in parts]) for name in ("voltage_v", "current_a"))
    found, gaps = find_capacities(make_samples("summed", time_s, volts, current), CELL)
    assert gaps == []
    assert [one.capacity_ah for one in found] == [pytest.approx(2.0, rel=0.02)] * 5
    assert [one.begin_s for one in found] == sorted({one.begin_s for one in found})


def test_a_pulse_that_meets_the_cut_off_does_not_end_a_discharge_nor_does_one_of_charge_begin_it() -> None:
    """A pulse test: 5 % of the charge, a rest, 10 s at 12 A, a rest, 10 s of charge at 10 A; at last to the cut-off."""
    step = [(720.0, 0.5), (600.0, 0.0), (10.0, 12.0), (60.0, 0.0), (10.0, -10.0), (60.0, 0.0)]
    log = make_log([(900.0, 0.0), *(step * 18), (3600.0, 0.5)])
    cut = log.voltage_v >= 2.99
    log = make_samples("pulses", log.time_s[cut], log.voltage_v[cut], log.current_a[cut], counter_ah=-log.taken_ah[cut])
    assert np.count_nonzero((np.abs(log.voltage_v - 3.0) < 0.02) & (log.current_a > 10.0)), "pulses meet the cut-off"
    found, _ = find_capacities(log, CELL)
    assert [one.capacity_ah for one in found] == [pytest.approx(2.0 * (1.0 - 0.5 * (OHM + SLOW_OHM) / 1.2), rel=0.02)]
    end = int(np.flatnonzero((log.voltage_v < 3.02) & (log.current_a > 10.0))[0])
    first = make_samples(
        "cut short", log.time_s[:end], log.voltage_v[:end], log.current_a[:end], counter_ah=-log.taken_ah[:end]
    )
    assert all("rests" in one.how for one in find_capacities(first, CELL)[0]), "charge is left in it"


def test_two_rests_give_the_capacity_of_a_partial_discharge_within_the_interval() -> None:
    for capacity in (1.5, 2.0):
        log = make_log([(900.0, 0.0), (2700.0, 1.0), (1200.0, 0.0)], capacity, 0.9)
        found, _ = find_capacities(log, CELL)
        assert found[0].low_ah < capacity < found[0].high_ah
        assert found[0].capacity_ah == pytest.approx(capacity, rel=0.02)


def test_a_log_that_shows_no_capacity_says_why() -> None:
    log = make_log([(900.0, 0.0), (300.0, 1.0), (900.0, 0.0)], soc=0.6)
    for cell, words in ((None, "name the cell (--cell)"), (CELL, "no two rests")):
        found, gaps = find_capacities(log, cell)
        assert found == []
        assert words in gaps[0]


@pytest.mark.parametrize(("dt_s", "after_s", "charged"), [(0.1, 0.1, 0.1), (0.1, 1.0, 1.0), (1.0, 10.0, 10.0)])
def test_resistance_some_time_after_a_step(dt_s: float, after_s: float, charged: float) -> None:
    log = make_log([(60.0, 0.0), (30.0, 2.0), (60.0, 0.0), (30.0, -2.0), (60.0, 0.0)], 50.0, 0.5, dt_s=dt_s)
    found, _ = find_resistances(log)
    one = next(one for one in found if one.after_s == after_s)
    share = 1.0 - np.exp(-charged / TAU_S)
    assert one.ohm == pytest.approx(OHM + SLOW_OHM * share, rel=0.12)
    assert one.steps == 4
    assert one.kelvin == pytest.approx(293.15, abs=5.1)


def test_a_slow_log_has_no_fast_resistance_and_says_so() -> None:
    found, gaps = find_resistances(make_log([(60.0, 0.0), (30.0, 2.0), (60.0, 0.0)], 50.0, 0.5))
    assert all(one.after_s > 0.1 for one in found)
    assert any("after 0.1 s" in gap for gap in gaps)


def test_logs_over_a_life_give_a_trend() -> None:
    parts = [(900.0, 0.0), (2700.0, 1.0), (1200.0, 0.0)]
    logs = [make_log(parts, 2.0 - 0.1 * number, 0.9, name=f"rpt{number}") for number in range(4)]
    trend = judge_logs(logs, CELL).trend
    assert trend is not None
    assert trend.change_ah == pytest.approx(-0.1, rel=0.05)
    assert trend.low_ah <= trend.change_ah <= trend.high_ah
    assert judge_logs(logs[:2], CELL).trend is None
