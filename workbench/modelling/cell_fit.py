"""Fit a cell to the tests of a list, and score it on all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import LogError
from drivers.logs.log import read_log
from twin.network.fit import FitTest, fit_network, make_start
from twin.network.fitted_cell import TestedRange, make_cell_file
from twin.network.full_charge import find_full_charge
from twin.network.identifiability import find_settled_share, find_unsettled
from twin.network.open_circuit import SlowDischarge, find_slow_discharge
from twin.network.sampling import is_averaged
from twin.network.thermal_fit import fit_thermal
from twin.network.trace import make_trace
from twin.network.voltage import predict_voltage
from workbench.modelling.circuit_of_cell import make_circuit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from drivers.benchfile.cell_file import Cell
    from drivers.benchfile.cell_sections import CellFile
    from drivers.logs.log import CellLog
    from drivers.logs.test_list import LabTest, TestList
    from twin.network.identifiability import Unsettled
    from twin.network.network import Network
    from twin.network.trace import CellTrace

OCV: Final = "ocv"
HYSTERESIS: Final = ("LFP",)  # chemistries whose branches differ by more than their losses
REFERENCE_K: Final = 298.15
ZERO_C_K: Final = 273.15
SCORED_SOC: Final = 0.2  # below it the reference of the state of charge is the least certain
READING: Final = 0.2  # of the work
LEAST_ROWS: Final = 20  # of a test that says something


@dataclass(frozen=True)
class ScoredTest:
    """RMSE (V) of the circuit on a test above `SCORED_SOC`, without rows below the cut-off; NaN without such rows.

    `beside_rmse_v`: that of another cell over the same rows, from the same full charge; NaN without one.
    """

    test: LabTest
    log: CellLog
    kelvin: float
    rows: int
    rmse_v: float
    averaged: bool
    beside_rmse_v: float = float("nan")


@dataclass(frozen=True)
class CellFit:
    """The file of the fitted cell, and how it holds on each test."""

    file: CellFile
    scores: tuple[ScoredTest, ...]
    unsettled: tuple[Unsettled, ...]
    settled_share: float
    notes: tuple[str, ...]

    def find_rmse(self, *, held: bool) -> dict[str, float]:
        """Return the RMSE (mV) by temperature in degC, over the held tests or the fitted ones."""
        parts: dict[str, list[ScoredTest]] = {}
        for score in self.scores:
            if score.test.listed.held is held and score.rows:
                parts.setdefault(f"{round(score.kelvin - ZERO_C_K):d}", []).append(score)
        return {degc: 1e3 * _pool(scores) for degc, scores in sorted(parts.items(), key=lambda part: int(part[0]))}


def fit_cell(
    tests: TestList, report: Callable[[float], object] = lambda _: None, beside: Cell | None = None
) -> CellFit:
    """Fit to all tests of the list that are not held; raise `LogError` for a log that cannot serve.

    `beside`: another cell, such as the one of before, to score on the same tests.
    """
    logs: list[CellLog] = []
    for place, test in enumerate(tests.tests):
        logs.append(read_log(test.path, test.columns, test.listed.sign or None))
        report(READING * (place + 1) / len(tests.tests))
    slow, note = _find_open_circuit(tests, logs)
    notes = [note]
    prepared = [_prepare(test, log, slow, notes) for test, log in zip(tests.tests, logs, strict=True)]
    fitted = [part for test, part in zip(tests.tests, prepared, strict=True) if not test.listed.held]
    kelvins = np.array(sorted({part.kelvin for part in fitted}))
    start = make_start(slow, kelvins, _describe_tests(tests))
    slow_a = slow.rate_c * slow.capacity_ah
    fit = fit_network(start, fitted, slow.empty_v, lambda done: report(READING + (1.0 - READING) * done), slow_a)
    network = fit.network
    loaded = [part.trace for test, part in zip(tests.tests, prepared, strict=True) if _is_loaded(test)]
    thermal = fit_thermal(network, loaded)
    tested = TestedRange.of(fitted, slow.capacity_ah)
    scores = [
        _score(network, test, log, part, slow) for test, log, part in zip(tests.tests, logs, prepared, strict=True)
    ]
    if beside is not None:
        other = make_circuit_of(beside)
        scores = [_score_beside(other, score, part, slow) for score, part in zip(scores, prepared, strict=True)]
    return CellFit(
        make_cell_file(tests.cell, slow, network, thermal, tested),
        tuple(scores),
        tuple(find_unsettled(fit)),
        find_settled_share(fit),
        tuple(notes),
    )


def count_repairs(logs: Sequence[CellLog]) -> dict[str, int]:
    """Return how often each repair was made in all logs."""
    total: Counter[str] = Counter()
    for log in logs:
        total.update(log.counts)
    return dict(sorted(total.items()))


def _find_open_circuit(listed: TestList, logs: Sequence[CellLog]) -> tuple[SlowDischarge, str]:
    """Return the slow discharge nearest to 25 degC, and a sentence on what it says."""
    slow = [
        (abs(_find_kelvin(test, log) - REFERENCE_K), place)
        for place, (test, log) in enumerate(zip(listed.tests, logs, strict=True))
        if test.listed.kind == OCV and not test.listed.held
    ]
    away_k, place = min(slow)
    found = find_slow_discharge(logs[place], hysteresis=listed.cell.chemistry in HYSTERESIS)
    warning = f", {away_k:.0f} K from 25 degC" if away_k > 5.0 else ""  # noqa: PLR2004  # named once
    return found, (
        f"capacity {found.capacity_ah:.4g} Ah from {logs[place].path.name}: "
        f"{found.rate_c:.3g} C, {found.full_v:.3f} to {found.empty_v:.3f} V{warning}"
    )


def _is_loaded(test: LabTest) -> bool:
    """Return whether a test of the fit warms the cell at one temperature of the chamber."""
    return not test.listed.held and test.listed.kind in {"drive", "capacity"}


def _find_kelvin(test: LabTest, log: CellLog) -> float:
    if test.listed.temperature_degc is not None:
        return test.listed.temperature_degc + ZERO_C_K
    if log.temperature_k is None:
        hint = "add temperature_degc to the test"
        raise LogError("has no temperature, and the list states none", where=str(log.path), hint=hint)
    return float(np.median(log.temperature_k))


def _prepare(test: LabTest, log: CellLog, slow: SlowDischarge, notes: list[str]) -> FitTest:
    kelvin = _find_kelvin(test, log)
    if test.listed.kind == OCV:
        own = find_slow_discharge(log)
        full_ah, first, last = own.full_ah, own.first, own.last
    else:
        (full_ah, note), first, last = find_full_charge(log, slow), 0, len(log) - 1
        notes.extend([note] if note else [])
    trace = make_trace(log, slow.capacity_ah, 1.0 - full_ah / slow.capacity_ah, room_k=kelvin)
    part = FitTest(str(test.path), kelvin, trace, first, last)
    if len(part.find_rows(slow.empty_v)) < LEAST_ROWS and not test.listed.held:
        what = f"has fewer than {LEAST_ROWS} rows near {kelvin - ZERO_C_K:g} degC and above {slow.empty_v:.3f} V"
        hint = "does the list state its temperature, and does the log start with a full cell?"
        raise LogError(what, where=str(log.path), bound=f"{LEAST_ROWS} rows", hint=hint)
    return part


def _score(network: Network, test: LabTest, log: CellLog, part: FitTest, slow: SlowDischarge) -> ScoredTest:
    rows = _find_scored_rows(part, slow)
    averaged = is_averaged(network, part.trace, rows)
    rmse_v = _find_rmse(network, part.trace, rows, averaged=averaged)
    return ScoredTest(test, log, part.kelvin, len(rows), rmse_v, averaged)


def _score_beside(other: Network, score: ScoredTest, part: FitTest, slow: SlowDischarge) -> ScoredTest:
    """Return the score with that of another cell, whose state of charge follows from its own capacity."""
    trace = replace(part.trace, soc=1.0 - (1.0 - part.trace.soc) * slow.capacity_ah / other.capacity_ah)
    rmse_v = _find_rmse(other, trace, _find_scored_rows(part, slow), averaged=score.averaged)
    return replace(score, beside_rmse_v=rmse_v)


def _find_scored_rows(part: FitTest, slow: SlowDischarge) -> NDArray[np.int64]:
    trace = part.trace
    rows = np.flatnonzero((trace.voltage_v >= slow.empty_v) & (trace.soc >= SCORED_SOC))
    return rows[(rows >= part.first) & (rows <= part.last)]


def _find_rmse(network: Network, trace: CellTrace, rows: NDArray[np.int64], *, averaged: bool) -> float:
    error_v = predict_voltage(network, trace, rows, averaged=averaged) - trace.voltage_v[rows]
    return float(np.sqrt(np.mean(error_v**2))) if len(rows) else float("nan")


def _pool(scores: Sequence[ScoredTest]) -> float:
    squares = sum(score.rows * score.rmse_v**2 for score in scores)
    return float(np.sqrt(squares / sum(score.rows for score in scores)))


def _describe_tests(tests: TestList) -> str:
    kinds = Counter(test.listed.kind for test in tests.tests if not test.listed.held)
    return f"{', '.join(f'{number} {kind}' for kind, number in kinds.items())} of {tests.path.name}"
