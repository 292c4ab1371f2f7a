"""What judges the state of power: pulses that are found, and the search on a model that is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.twin.network.synthetic_cell import CAPACITY_AH, make_network, make_pulses, simulate
from workbench.measure.dfn_power import DfnState, find_dfn_power
from workbench.measure.power_scores import DFN_METRICS, PowerScore, find_inside, find_median, make_dfn_rows
from workbench.measure.pulse_power import find_largest, find_pulses


class KnownCell:
    """4.0 V and 50 mOhm, whose equations end beyond 30 A."""

    def go_back(self, mark: object) -> None:
        del mark

    def step(self, current_a: float, kelvin: float, dt_s: float) -> Any:
        del kelvin, dt_s
        if abs(current_a) > 30.0:
            raise ArithmeticError
        return type("Reading", (), {"voltage_v": 4.0 - 0.05 * current_a})


@pytest.mark.parametrize(
    ("most_a", "limit_v", "power_w", "by_voltage"),
    [
        (25.0, 3.0, 20.0 * 3.0, True),
        (60.0, 3.0, 20.0 * 3.0, True),  # from where the equations end
        (10.0, 3.0, 10.0 * 3.5, False),
        (-25.0, 4.5, 10.0 * 4.5, True),
        (-5.0, 4.5, 5.0 * 4.25, False),
        (25.0, 4.1, 0.0, True),  # at rest below its limit
    ],
)
def test_the_power_of_a_model_ends_at_its_limit(
    most_a: float, limit_v: float, power_w: float, *, by_voltage: bool
) -> None:
    cell: Any = KnownCell()
    state = DfnState("known", 0.5, 298.15, np.zeros(0), (None, 0.0))
    found = find_dfn_power(cell, state, most_a, limit_v, 10.0)
    assert found.power_w == pytest.approx(power_w, rel=2e-3)
    assert found.by_voltage is by_voltage


def test_pulses_of_ten_seconds_are_found_and_nothing_else() -> None:
    trace = simulate(make_network(), make_pulses(3), 1.0, 298.15)
    pulses = find_pulses(trace, CAPACITY_AH)
    assert [round(pulse.current_a, 3) for pulse in pulses] == [2.0, -1.5] * 3
    for pulse in pulses:
        assert trace.current_a[pulse.before] == 0.0
        assert trace.time_s[pulse.last] - trace.time_s[pulse.before] == pytest.approx(10.0)


def test_the_largest_pulse_of_each_charge_is_extrapolated() -> None:
    pulses: Any = [_Pulse(n, a) for n, a in enumerate((1.0, 3.0, 6.0, 1.0, 3.0, -1.0))]
    assert sorted(pulse.before for pulse in find_largest(pulses)) == [2, 4, 5]


class _Pulse:
    def __init__(self, before: int, current_a: float) -> None:
        self.before, self.current_a = before, current_a


def test_each_figure_is_given_once_and_an_error_above_an_interval_is_told() -> None:
    scores = [
        PowerScore("a", lane, horizon_s, 12.0, 11.0, 13.0, 10.0 + above)
        for lane in ("twin.ekf", "twin.ckf", "twin.dual_ekf")
        for horizon_s in (10.0, 60.0)
        for above in (0.0, 2.0)
    ]
    assert find_median(scores) == pytest.approx(10.0)
    assert find_inside(scores) == 50.0
    rows = list(make_dfn_rows(scores, scores, "states"))
    assert {row.metric for row in rows} == set(DFN_METRICS)
    assert len(rows) == len(DFN_METRICS)
    assert all("low side above the truth" in row.conditions for row in rows if "worst error" in row.metric.name)
