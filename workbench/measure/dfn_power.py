"""State of power of the lanes beside PyBaMM's DFN: the constant current that brings the DFN to its voltage limit."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from drivers.benchfile.cell_file import CELLS, find_cell
from drivers.snapshot import PackReading
from workbench.measure.power_scores import DFN_METRICS, LANES, PowerScore, make_dfn_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.snapshot import Floats
    from twin.cell_parameters import CellParameters
    from twin.ports import HealthEstimate, PackSpec, StateOfPower
    from twin.pybamm_models import ReferenceCell
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

METRICS: Final = DFN_METRICS
NAMES: Final = ("chen2020", "prada2013")
SOCS: Final = (0.1, 0.5, 0.9)
DEGC: Final = (0.0, 25.0, 40.0)
MOST_C: Final = 5.0  # for both, in place of the currents and temperatures of the cell file: the voltage alone limits
HOTTEST_K: Final = 500.0
BEFORE_C, BEFORE_S = 0.5, 60.0  # of load, and then as long a rest, that filter and DFN both go through
SOC_STD: Final = 0.02  # of the filter's start, which is the true one
TRIALS: Final = 9
CLOSE_V: Final = 1e-3
FAILED_V: Final = -1.0  # beyond the limit, where the equations end
ZERO_C_K: Final = 273.15
CONDITIONS: Final = (
    f"{' and '.join(NAMES)} at SoC 0.1, 0.5, 0.9 and 0, 25, 40 degC, both ways, after a load of 60 s and a rest; "
    f"currents up to {MOST_C:g} C"
)


class DfnState(NamedTuple):
    """Where a cell is before its power is asked for: what its sensor said until then (V), and the DFN's state."""

    cell: str
    soc: float
    kelvin: float
    seen_v: Floats
    mark: tuple[Any, float]


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Find the power of each state by both; each DFN is built once for its cell."""
    from twin.cell_parameters import load_cell  # noqa: PLC0415  # numba and PyBaMM take seconds
    from twin.cell_physics import require_physics  # noqa: PLC0415
    from twin.pybamm_models import ReferenceCell  # noqa: PLC0415

    voltage, own = list[PowerScore](), list[PowerScore]()
    for name in NAMES:
        job.say(f"state of power of {name} beside PyBaMM's DFN")
        cell = load_cell(find_cell(name, CELLS))
        dfn = ReferenceCell(0.5, require_physics(cell, "measure"))
        for degc in DEGC:
            for soc in SOCS:
                for each in score_state(dfn, cell, reach_state(dfn, cell, soc, degc + ZERO_C_K)):
                    (own if each.own else voltage).append(each.score)
    yield from make_dfn_rows(voltage, own, CONDITIONS)


class ScoredState(NamedTuple):
    """A score, and whether it is within the cell's own currents."""

    score: PowerScore
    own: bool


def reach_state(dfn: ReferenceCell, cell: CellParameters, soc: float, kelvin: float) -> DfnState:
    """Bring the DFN through the load and the rest that a filter follows, a sample a second."""
    dfn.rest(soc)
    currents_a = [BEFORE_C * cell.nominal_ah, 0.0]
    seen_v = np.array([dfn.step(a, kelvin, 1.0).voltage_v for a in currents_a for _ in range(int(BEFORE_S))])
    return DfnState(cell.name, soc, kelvin, seen_v, dfn.mark())


def score_state(dfn: ReferenceCell, cell: CellParameters, state: DfnState) -> Iterator[ScoredState]:
    """Yield the scores of each lane, both ways and horizons; up to `MOST_C` only those that the voltage limits."""
    from twin.power import HORIZONS_S, find_bounds  # noqa: PLC0415  # as above

    packs = {own: _make_pack(cell, state.kelvin, own=own) for own in (True, False)}
    powers = {(own, lane): estimate_power(lane, pack, state) for own, pack in packs.items() for lane in LANES}
    bounds = find_bounds(packs[True])
    for sign, limit_v, own_a in ((1.0, bounds.low_v, bounds.discharge_a), (-1.0, bounds.high_v, bounds.charge_a)):
        word, first = ("discharge", 0) if sign > 0.0 else ("charge", 3)
        for h, horizon_s in enumerate(HORIZONS_S):
            truth = {
                True: find_dfn_power(dfn, state, sign * own_a, limit_v, horizon_s),
                False: find_dfn_power(dfn, state, sign * MOST_C * cell.nominal_ah, limit_v, horizon_s),
            }
            name = f"{state.cell}, SoC {state.soc:g}, {state.kelvin - ZERO_C_K:.0f} degC, {word}, {horizon_s:.0f} s"
            for (own, lane), power in powers.items():
                if own or truth[own].by_voltage:
                    value = power[h][first : first + 3]
                    score = PowerScore(name, lane, horizon_s, *value, truth=truth[own].power_w)
                    yield ScoredState(score, own)


def _make_pack(cell: CellParameters, kelvin: float, *, own: bool) -> PackSpec:
    """Return one cell, with its own currents or with `MOST_C`; its temperature limits nothing, as the DFN's is held."""
    from twin.ports import PackSpec  # noqa: PLC0415  # as above

    more = {} if own else {"charge_c": MOST_C, "discharge_c": MOST_C}
    limits, bms = (replace(each, high_k=HOTTEST_K, **more) for each in (cell.limits, cell.bms))
    one = np.ones(1)
    return PackSpec(1, 1, cell.nominal_ah, one, one, one, kelvin, replace(cell, limits=limits, bms=bms))


def estimate_power(lane: str, pack: PackSpec, state: DfnState) -> tuple[StateOfPower, ...]:
    """Return what a lane says after it went through the load and the rest."""
    estimator = import_module(lane).build(pack, {"soc0": state.soc, "soc0_std": SOC_STD})
    kelvin, power = np.full(1, state.kelvin), ()
    for second, voltage_v in enumerate(state.seen_v.tolist()):
        current_a = BEFORE_C * pack.cell_ah if second < BEFORE_S else 0.0
        reading = PackReading(float(second), current_a, np.zeros(1), np.full(1, voltage_v), kelvin)
        power = cast("HealthEstimate", estimator.update(reading, 1.0)).power
    return power


class DfnPower(NamedTuple):
    """A power (W), and whether the voltage limits it."""

    power_w: float
    by_voltage: bool


def find_dfn_power(dfn: ReferenceCell, state: DfnState, most_a: float, limit_v: float, horizon_s: float) -> DfnPower:
    """Return the DFN's power after the largest current up to `most_a` that holds `limit_v`, by false position."""
    sign = np.sign(most_a)

    def find_over(current_a: float) -> float:
        return float(sign * (find_dfn_voltage(dfn, state, current_a, horizon_s) - limit_v))

    low_a, high_a, middle_a = 0.0, most_a, 0.0
    low_over, high_over = find_over(low_a), find_over(high_a)
    if high_over >= 0.0:
        return DfnPower(abs(most_a) * (limit_v + sign * high_over), by_voltage=False)
    high_over = FAILED_V if np.isnan(high_over) else high_over
    for _ in range(TRIALS if low_over > 0.0 else 0):
        middle_a = low_a + (high_a - low_a) * low_over / (low_over - high_over)
        over = find_over(middle_a)
        over = FAILED_V if np.isnan(over) else over
        if abs(over) < CLOSE_V:
            break
        if over < 0.0:
            high_a, high_over, low_over = middle_a, over, 0.5 * low_over
        else:
            low_a, low_over, high_over = middle_a, over, 0.5 * high_over
    return DfnPower(abs(middle_a) * limit_v, by_voltage=True)


def find_dfn_voltage(dfn: ReferenceCell, state: DfnState, current_a: float, horizon_s: float) -> float:
    """Return the voltage (V) after `horizon_s` of a current from the end of the rest; NaN if the DFN ends before."""
    dfn.go_back(state.mark)
    try:
        return dfn.step(current_a, state.kelvin, horizon_s).voltage_v
    except ArithmeticError:
        return float("nan")
