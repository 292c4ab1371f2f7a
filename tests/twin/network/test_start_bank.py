"""The bank of filters at an unsure start, and what a filter knows of hysteresis and of capacity."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.twin.network.synthetic_cell import CAPACITY_AH, make_drive, make_network, simulate
from twin.network.filter_settings import FilterStart, make_circuit, make_settings, make_start
from twin.network.health_filter import KEPT
from twin.network.log_filter import OUT_SOC, OUT_SOC_STD, filter_log
from twin.network.network import R0
from twin.network.soc_filter import SOC
from twin.network.start_bank import filter_bank, merge_bank, spread_start
from twin.network.trace import CellTrace

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.network.network import Network

FULL_OHM = 8.0  # times all resistances of the full cell: what a cold cell shows
WITHIN = 1.96


def follow(network: Network, trace: CellTrace, start: FilterStart, *, bank: bool) -> Floats:
    """The columns of `filter_log` along the whole trace, from one filter or from the bank."""
    rows = np.stack([trace.current_a, trace.current_a, trace.voltage_v, trace.case_k], 1)
    x, covariance, memory = make_start(network, start)
    circuit, settings = make_circuit(network), make_settings(network)
    if bank:
        states = spread_start(x, covariance, memory)
        kept = np.full((len(states[-1]), KEPT), np.nan)
        return filter_bank(rows, trace.dt_s, *states[:-1], kept, states[-1], circuit, settings)
    kept = np.full((1, KEPT), np.nan)
    return filter_log(rows, trace.dt_s, x[None], covariance[None], memory[None], kept, circuit, settings)


def cut(trace: CellTrace, first: int) -> CellTrace:
    return CellTrace(**{name: getattr(trace, name)[first:] for name in CellTrace.__dataclass_fields__})


def find_share_within(out: Floats, soc: Floats) -> float:
    """The share of rows whose 95 % interval holds the truth."""
    return float(np.mean(np.abs(out[:, OUT_SOC] - soc) < WITHIN * out[:, OUT_SOC_STD]))


@pytest.mark.long
def test_the_bank_leaves_a_wrong_start_that_looks_right_to_one_filter() -> None:
    network = make_network()
    network.tables[R0:, :, -1] *= FULL_OHM
    trace = cut(simulate(network, make_drive(3, rows=3500, mean_a=0.6, swing_a=1.5), 1.0, 263.15), 1200)
    start = FilterStart(1.0, 0.3, rested=False)  # in truth 0.91
    one, several = (follow(network, trace, start, bank=bank)[600:] for bank in (False, True))
    errors = [float(np.sqrt(np.mean((out[:, OUT_SOC] - trace.soc[600:]) ** 2))) for out in (one, several)]
    assert errors[0] > 0.02
    assert errors[1] < 0.01
    assert find_share_within(several, trace.soc[600:]) > 0.9


def test_a_spread_start_has_the_mean_and_the_deviation_of_the_one() -> None:
    x, covariance, memory = make_start(make_network(), FilterStart(0.5, 0.1, rested=True))
    bank = spread_start(x, covariance, memory)
    mean, spread, _ = merge_bank(*bank)
    assert mean[0, SOC] == pytest.approx(0.5)
    assert float(np.sqrt(spread[0, SOC, SOC])) == pytest.approx(0.1, rel=0.05)
    assert np.allclose(np.delete(spread[0], SOC, 0), np.delete(covariance, SOC, 0), atol=1e-12)


def test_no_filter_of_the_bank_begins_beyond_full_or_empty() -> None:
    for soc in (0.0, 0.98):
        socs = spread_start(*make_start(make_network(), FilterStart(soc, 0.3, rested=True)))[0][:, SOC]
        assert len(socs) > 2
        assert socs.min() > -0.05
        assert socs.max() < 1.05


@pytest.mark.parametrize("believed", [1.0, -1.0])
def test_a_hysteresis_that_is_wrong_does_not_pull_the_charge_of_a_flat_cell(believed: float) -> None:
    flat_v = np.interp(np.linspace(0.0, 1.0, 101), [0.0, 0.3, 1.0], [3.0, 3.28, 3.3])
    network = replace(make_network(), ocv_v=flat_v, hysteresis_v=np.full(101, 0.015))
    trace = cut(simulate(network, make_drive(4, rows=4000, mean_a=0.7, swing_a=1.0), 1.0, 298.15), 1800)
    start = FilterStart(float(trace.soc[0]), 0.05, rested=False, hysteresis=believed)
    out = follow(network, trace, start, bank=True)
    assert float(np.abs(out[:, OUT_SOC] - trace.soc).max()) < 0.03
    assert find_share_within(out, trace.soc) > 0.95


def test_a_capacity_that_is_wrong_by_5_percent_stays_within_the_interval() -> None:
    trace = simulate(make_network(capacity_ah=0.95 * CAPACITY_AH), make_drive(5, rows=5000), 1.0, 285.0)
    out = follow(make_network(), trace, FilterStart(0.9, 0.3, rested=True), bank=False)
    error = out[600:, OUT_SOC] - trace.soc[600:]
    assert float(np.sqrt(np.mean(error**2))) < 0.012
    assert find_share_within(out[600:], trace.soc[600:]) > 0.9
