"""`measure twins`: the cost of a step of each twin and its difference from the result of PyBaMM or scipy."""

from __future__ import annotations

import contextlib
import copy
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from control.gate_config import make_pack_spec
from drivers.benchfile import read_bench
from drivers.clock import monotonic
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.measure import shipped_cells
from workbench.measure.job import describe_conditions, percentile, run_in_turns, time_calls
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.snapshot import Floats
    from twin.dfn import DfnCell
    from twin.ports import PackSpec
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

_IDAKLU: Final = "PyBaMM SPMe stepped by IDAKLU (save=False)"
SPME: Final = MeasuredMetric("SPMe pack, one step of 24 cells", "ms", "<", 2.0, f"{_IDAKLU}, 24 times")
SPME_RMS: Final = MeasuredMetric("SPMe pack against IDAKLU, RMS of the voltage's difference", "mV", "<", 0.03, _IDAKLU)
SPME_WORST: Final = MeasuredMetric(
    "SPMe pack against IDAKLU, greatest difference of a voltage", "mV", "<", 0.11, _IDAKLU
)
ECM: Final = MeasuredMetric(
    "ECM pack of 24 cells, one cell and step", "ns", "<", 2000.0, "plain numpy, all cells at once"
)
ECM_WORST: Final = MeasuredMetric(
    "ECM pack against scipy, greatest difference of a voltage", "mV", "<", 0.1, "scipy solve_ivp, LSODA, rtol 1e-9"
)
DFN: Final = MeasuredMetric(
    "DFN lane, one step within the loop's turn", "us", "<", 200.0, "PyBaMM DFN stepped within the turn"
)
DFN_LAG: Final = MeasuredMetric("DFN lane behind the loop, p99", "s", "<", 0.5)
METRICS: Final = (SPME, SPME_RMS, SPME_WORST, *shipped_cells.METRICS, ECM, ECM_WORST, DFN, DFN_LAG)

DT_S: Final = 0.01
PULSE_S: Final = 2.0
STEPS: Final = 25  # of one current, before the peer runs
START_S: Final = 40.0  # the DFN's worker imports PyBaMM


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure pulses of -40 to 60 A on the emulated bench's pack, in steps of 10 ms."""
    conditions = describe_conditions()
    pack = make_pack_spec(read_bench(EMULATED_BENCH))
    yield from _spme(job, pack, conditions)
    yield from shipped_cells.measure(job, conditions)
    yield from _ecm(job, pack, conditions)
    yield from _dfn(job, pack, conditions)


def _pulses(count: int, seed: int) -> Floats:
    return np.random.default_rng(seed).uniform(-40.0, 60.0, count)


def _spme(job: MeasureJob, pack: PackSpec, conditions: str) -> Iterator[MeasureRow]:
    """Step the same cells with the same currents in both; PyBaMM gets each cell's temperature before the step."""
    from twin import spme_model  # noqa: PLC0415  # CasADi and PyBaMM take seconds
    from twin.cell_physics import require_physics  # noqa: PLC0415
    from twin.pybamm_models import ReferenceCell  # noqa: PLC0415
    from twin.spme import SpmePack  # noqa: PLC0415

    job.say("SPMe pack beside PyBaMM's own stepping")
    physics = require_physics(pack.cell, "measure")
    ours = SpmePack(pack, spme_model.load(physics))
    built = ReferenceCell(float(pack.soc0[0]), physics, "SPMe")
    cells = [copy.copy(built) for _ in range(pack.cells)]  # one model, its own history for each
    for cell, soc in zip(cells, pack.soc0, strict=True):
        cell.rest(float(soc))
    scale = built.capacity_ah / (pack.parallel * pack.cell_ah * pack.capacity_factor)
    rounds = job.times(16)
    currents = _pulses(rounds, 3)
    mine_v, theirs_v = np.empty((2, rounds, STEPS, pack.cells))
    kelvin = np.full((rounds * STEPS + 1, pack.cells), pack.ambient_k)
    at = {"ours": 0, "peer": 0}

    def step_ours() -> list[float]:
        k = at["ours"]
        at["ours"] += 1
        current_a, took_s = np.full(pack.cells, currents[k]), list[float]()
        for n in range(STEPS):
            began_s = time.perf_counter()
            state = ours.step(current_a, pack.ambient_k, DT_S)
            took_s.append(time.perf_counter() - began_s)
            mine_v[k, n], kelvin[k * STEPS + n + 1] = state.voltage_v, state.temperature_k
        return took_s

    def step_peer() -> list[float]:
        k = at["peer"]
        at["peer"] += 1
        took_s = list[float]()
        for n in range(STEPS):
            warm = kelvin[k * STEPS + n]
            began_s = time.perf_counter()
            reads = [cell.step(float(currents[k] * scale[m]), float(warm[m]), DT_S) for m, cell in enumerate(cells)]
            took_s.append(time.perf_counter() - began_s)
            surface = np.array([read.surface_ocv_v for read in reads])
            lost = surface - np.array([read.voltage_v for read in reads])
            theirs_v[k, n] = surface - pack.resistance_factor * lost
        return took_s

    mine_s, theirs_s = run_in_turns(step_ours, step_peer, rounds)
    apart_mv = 1e3 * np.abs(mine_v - theirs_v)
    conditions = f"{conditions}; median of {len(mine_s)} steps"
    yield SPME.make_row(1e3 * float(np.median(mine_s)), 1e3 * float(np.median(theirs_s)), conditions)
    yield SPME_RMS.make_row(float(np.sqrt(np.mean(apart_mv**2))), None, conditions)
    yield SPME_WORST.make_row(float(apart_mv.max()), None, conditions)


def _ecm(job: MeasureJob, pack: PackSpec, conditions: str) -> Iterator[MeasureRow]:
    from twin.ecm import EcmPack  # noqa: PLC0415  # numba and scipy take a moment
    from workbench.measure.peers.numpy_ecm import NumpyEcm  # noqa: PLC0415

    job.say("ECM pack beside numpy and scipy")
    table = pack.cell.circuit
    ours, peer = EcmPack(pack, table), NumpyEcm(pack, table)
    current_a = np.full(pack.cells, 30.0)
    ours.step(current_a, pack.ambient_k, DT_S)  # loads the kernel
    mine_s, theirs_s = run_in_turns(
        lambda: time_calls(lambda: ours.step(current_a, pack.ambient_k, DT_S), 500),
        lambda: time_calls(lambda: peer.step(current_a, pack.ambient_k, DT_S), 500),
        job.times(8),
    )
    each = 1e9 / pack.cells
    words = f"{conditions}; median of {len(mine_s)} steps"
    yield ECM.make_row(each * float(np.median(mine_s)), each * float(np.median(theirs_s)), words)

    ours, exact = EcmPack(pack, table), NumpyEcm(pack, table)
    worst_v, pulses = 0.0, _pulses(job.times(15), 5)
    for pulse in pulses:
        current_a = np.full(pack.cells, pulse)
        mine_v = [ours.step(current_a, pack.ambient_k, DT_S).voltage_v for _ in range(round(PULSE_S / DT_S))][-1]
        apart_v = np.abs(mine_v - exact.solve(current_a, pack.ambient_k, PULSE_S)).max()
        worst_v = float(np.maximum(worst_v, apart_v))  # NaN stays; Python's max would drop it
    yield ECM_WORST.make_row(1e3 * worst_v, None, f"{conditions}; {len(pulses)} pulses of {PULSE_S:g} s")


def _dfn(job: MeasureJob, pack: PackSpec, conditions: str) -> Iterator[MeasureRow]:
    from twin import dfn  # noqa: PLC0415  # only this figure needs it
    from twin.cell_physics import require_physics  # noqa: PLC0415
    from twin.pybamm_models import ReferenceCell  # noqa: PLC0415

    job.say("DFN lane in real time beside a DFN within the turn")
    with contextlib.closing(dfn.DfnCell(pack, 0, 0.1)) as lane:
        inside = ReferenceCell(float(pack.soc0[0]), require_physics(pack.cell, "measure"))
        took_s, lag_s = _time_lane(lane, pack, job.times(400))
        turns_s = time_calls(lambda: inside.step(2.5, pack.ambient_k, DT_S), job.times(150))
    conditions = f"{conditions}; {len(took_s)} turns of 10 ms, worker niced"
    yield DFN.make_row(1e6 * float(np.median(took_s)), 1e6 * float(np.median(turns_s)), conditions)
    yield DFN_LAG.make_row(percentile(lag_s, 99), None, conditions)


def _time_lane(lane: DfnCell, pack: PackSpec, turns: int) -> tuple[Floats, Floats]:
    """Return each step's duration and the lane's lag in s, at 100 turns a second, after its first answer."""
    current_a = np.full(pack.cells, 30.0)
    until_s = monotonic() + START_S
    while not np.isfinite(lane.step(0.0 * current_a, pack.ambient_k, 1e-4).voltage_v[0]):
        if monotonic() > until_s:
            return np.empty(0), np.empty(0)
        time.sleep(0.02)
    took_s, lag_s = np.empty(turns), np.empty(turns)
    due_s = monotonic()
    for turn in range(turns):
        due_s += DT_S
        time.sleep(max(0.0, due_s - monotonic()))
        began_s = time.perf_counter()
        lane.step(current_a, pack.ambient_k, DT_S)
        took_s[turn], lag_s[turn] = time.perf_counter() - began_s, lane.age_s()
    return took_s, lag_s
