"""Fit of the circuit to a laboratory's tests: Gauss-Newton with a robust weight (Huber 1964) and smooth priors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.linalg

from twin.network.layout import Layout, pack, unpack
from twin.network.network import FIELDS, R0, Network
from twin.network.priors import make_priors
from twin.network.sampling import is_averaged
from twin.network.voltage import linearise, predict_voltage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from drivers.snapshot import Floats
    from twin.network.open_circuit import SlowDischarge
    from twin.network.trace import CellTrace

_LINALG: Any = scipy.linalg  # carries no types

SOCS: Final = (0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)
TAU_S: Final = (0.9, 8.0, 70.0, 800.0)  # starts of the time constants
SLOWEST_S: Final = 2e4  # a slower pair is no pair: a log of hours cannot show it
START_OHM_AH: Final = (0.056, 0.028, 0.034, 0.042, 0.042)  # starts of R0 and the pairs, for a cell of 1 Ah at 25 degC
START_K: Final = 2500.0  # of the Arrhenius law of the starts
REFERENCE_K: Final = 298.15
THERMAL_V: Final = 0.0514  # 2 R T / F at 25 degC, the start of Vt
CORE_K_AH_W, CORE_S = 4.2, 400.0  # starts, of cylindrical cells: 1.4 K/W at 3 Ah
NEAR_K: Final = 8.0  # a row farther from the temperature of its test belongs to warming or cooling
EMPTY_SOC: Final = -0.005  # of a row below which nothing is known
ROWS: Final = 2000  # of a test, that are fitted
LEAST_STEP_S: Final = 0.02  # that a row counts for when rows are chosen: fast rows hold what pulses show
MOST_STEP_S: Final = 1.0
SAMPLES: Final = 200.0  # independent ones that a test is worth: its errors last for minutes
ERROR_V: Final = 0.010
HUBER_V: Final = 0.030
ITERATIONS: Final = 10
CHOOSE_AT: Final = (0, 3)  # iterations that ask anew whether a log is averaged
MOST_STEP: Final = 0.7  # of a parameter in one iteration
SETTLED: Final = 0.01  # a step that ends the fit


@dataclass(frozen=True)
class FitTest:
    """A test to fit: its trace, the temperature (K) at which it was made, and its first and last row to compare."""

    name: str
    kelvin: float
    trace: CellTrace
    first: int
    last: int

    def find_rows(self, empty_v: float) -> NDArray[np.int64]:
        """Return the rows to compare: not below the cut-off, near the test's temperature, not below SoC 0."""
        trace = self.trace
        good = (trace.voltage_v >= empty_v) & (np.abs(trace.case_k - self.kelvin) < NEAR_K) & (trace.soc > EMPTY_SOC)
        rows = np.flatnonzero(good)
        return rows[(rows >= self.first) & (rows <= self.last)]


@dataclass
class _Work:
    """A test during the fit."""

    test: FitTest
    rows: NDArray[np.int64]
    fitted: NDArray[np.int64]
    averaged: bool = False


@dataclass(frozen=True)
class NetworkFit:
    """The fitted circuit; whether each test holds means (`averaged`); deviations of the parameters of `Layout`.

    `std[n]` with the logs, `prior_std[n]` without them.
    """

    network: Network
    averaged: dict[str, bool]
    std: Floats
    prior_std: Floats


def make_start(slow: SlowDischarge, kelvins: Floats, fitted_to: str) -> Network:
    """Return the circuit that a fit begins with."""
    warmth = np.exp(START_K * (1.0 / kelvins - 1.0 / REFERENCE_K))
    tables = np.zeros((FIELDS, len(kelvins), len(SOCS)))
    for place, ohm_ah in enumerate(START_OHM_AH):
        tables[R0 + place] = (ohm_ah / slow.capacity_ah * (warmth if place else np.sqrt(warmth)))[:, None]
    tau_s = np.tile(TAU_S, (len(kelvins), 1))
    thermal_v = THERMAL_V * kelvins / REFERENCE_K
    error_v = np.full(len(kelvins), ERROR_V)
    axes = (slow.ocv_v, np.array(SOCS), kelvins, tables, tau_s, thermal_v, error_v)
    return Network(fitted_to, slow.capacity_ah, *axes, CORE_K_AH_W / slow.capacity_ah, CORE_S, slow.hysteresis_v)


def fit_network(
    start: Network,
    tests: Sequence[FitTest],
    empty_v: float,
    report: Callable[[float], object] = lambda _: None,
    slow_a: float = 0.0,
) -> NetworkFit:
    """Fit the circuit to all tests; `report` receives the share of the work that is done.

    `slow_a`: the current at which both branches of `start` were measured: what it loses is no hysteresis.
    """
    works = [_prepare(test, empty_v) for test in tests]
    half_v = start.hysteresis_v
    matrix, values = make_priors(start)
    prior = (matrix.T @ matrix).toarray()
    vector = pack(start)
    curvature = prior
    for iteration in range(ITERATIONS):
        start = _take_loss(unpack(start, vector), half_v, slow_a)
        network = start
        curvature, gradient = prior.copy(), matrix.T @ (values - matrix @ vector)
        for place, work in enumerate(works):
            if iteration in CHOOSE_AT:
                work.averaged = is_averaged(network, work.test.trace, work.rows)
            _add(network, work, curvature, gradient)
            report((iteration + (place + 1) / len(works)) / ITERATIONS)
        step = np.clip(_LINALG.solve(curvature, gradient, assume_a="pos"), -MOST_STEP, MOST_STEP)
        vector = _limit(start, vector + step)
        if float(np.abs(step).max()) < SETTLED:
            break
    network = unpack(start, vector)
    network = replace(network, error_v=_find_errors(network, works))
    std, prior_std = (_find_deviations(part) for part in (curvature, prior))
    return NetworkFit(network, {work.test.name: work.averaged for work in works}, std, prior_std)


def _take_loss(network: Network, half_v: Floats, slow_a: float) -> Network:
    """Return the circuit whose hysteresis is `half_v` without what `slow_a` loses in the resistances at 25 degC."""
    nearest = int(np.argmin(np.abs(network.kelvins - REFERENCE_K)))
    ohm: Floats = np.sum(network.tables[R0:, nearest], 0)
    loss_v: Floats = slow_a * np.interp(np.linspace(0.0, 1.0, len(half_v)), network.socs, ohm)
    return replace(network, hysteresis_v=np.clip(half_v - loss_v, 0.0, None))


def _find_deviations(curvature: Floats) -> Floats:
    """Return the standard deviation of each parameter."""
    return np.sqrt(np.diag(np.asarray(np.linalg.inv(curvature), np.float64)))


def _prepare(test: FitTest, empty_v: float) -> _Work:
    rows = test.find_rows(empty_v)
    counted = np.cumsum(np.clip(test.trace.dt_s[rows], LEAST_STEP_S, MOST_STEP_S))
    chosen = np.searchsorted(counted, np.linspace(0.0, counted[-1] if len(rows) else 0.0, ROWS))
    fitted = rows[np.unique(np.minimum(chosen, len(rows) - 1))] if len(rows) else rows
    return _Work(test, rows, fitted)


def _add(network: Network, work: _Work, curvature: Floats, gradient: Floats) -> None:
    """Add what a test says to the normal equations."""
    if not len(work.fitted):
        return
    trace = work.test.trace
    voltage_v, jacobian = linearise(network, trace, work.fitted, averaged=work.averaged)
    error_v = trace.voltage_v[work.fitted] - voltage_v
    robust = np.minimum(1.0, HUBER_V / np.maximum(np.abs(error_v), 1e-9))
    weight = robust * SAMPLES / len(error_v) / ERROR_V**2
    weighted = jacobian.multiply(weight[:, None]).tocsr()
    curvature += (jacobian.T @ weighted).toarray()
    gradient += weighted.T @ error_v


def _limit(start: Network, vector: Floats) -> Floats:
    """Return `vector` with no pair slower than `SLOWEST_S`."""
    layout = Layout.of(start)
    times = slice(layout.thermal + layout.kelvins, layout.size)
    limited = vector.copy()
    limited[times] = np.minimum(limited[times], np.log(SLOWEST_S))
    return limited


def _find_errors(network: Network, works: Sequence[_Work]) -> Floats:
    """Return the RMS error (V) at each temperature, over the tests nearest to it."""
    squares: list[list[Floats]] = [[] for _ in network.kelvins]
    for work in works:
        nearest = int(np.argmin(np.abs(network.kelvins - work.test.kelvin)))
        voltage_v = predict_voltage(network, work.test.trace, work.fitted, averaged=work.averaged)
        squares[nearest].append((voltage_v - work.test.trace.voltage_v[work.fitted]) ** 2)
    found = [float(np.sqrt(np.mean(np.concatenate(parts)))) if parts else np.nan for parts in squares]
    return np.nan_to_num(np.array(found), nan=ERROR_V)
