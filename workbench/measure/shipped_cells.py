"""The SPMe of each shipped lithium cell beside `pybamm.Simulation.step`: how much faster, and how far apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.cell_file import CELLS, find_cell, list_cells, read_cell
from workbench.measure.job import run_in_turns, time_calls
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.snapshot import Floats
    from twin.cell_physics import CellPhysics
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

CELLS_ABREAST: Final = 24
STEP_S: Final = 0.1
PULSES_C: Final = (0.5, -0.5, 1.0, 0.0)
PULSE_STEPS: Final = 30
AMBIENT_K: Final = 298.15
_PEER: Final = "PyBaMM's SPMe, IDAKLU, Simulation.step"


def list_lithium() -> tuple[str, ...]:
    """Return the shipped cells that have an SPMe."""
    files = ((name, read_cell(find_cell(name, CELLS)).file) for name in list_cells())
    return tuple(name for name, file in files if file.physics is not None and file.physics.model == "SPMe")


FASTER: Final = {
    name: MeasuredMetric(f"SPMe of {name}, steps of a cell in the time of one of PyBaMM's", "", ">=", 60.0, _PEER)
    for name in list_lithium()
}
APART: Final = {
    name: MeasuredMetric(f"SPMe of {name}, steps of 0.1 s, greatest difference of a voltage", "mV", "<", 0.2, _PEER)
    for name in list_lithium()
}
METRICS: Final = tuple(metric for name in list_lithium() for metric in (FASTER[name], APART[name]))


def measure(job: MeasureJob, conditions: str) -> Iterator[MeasureRow]:
    """Step each cell through the same pulses in both; PyBaMM gets the temperature before the step."""
    from twin.cell_parameters import load_cell  # noqa: PLC0415  # numba and PyBaMM take seconds
    from twin.cell_physics import require_lithium  # noqa: PLC0415

    for name in list_lithium():
        job.say(f"SPMe of {name} beside PyBaMM's own stepping")
        physics = require_lithium(load_cell(find_cell(name, CELLS)), "measure")
        ratio, apart_mv = _compare(physics, job.times(8))
        yield FASTER[name].make_row(ratio, 1.0, f"{conditions}; {CELLS_ABREAST} cells abreast")
        yield APART[name].make_row(apart_mv, None, f"pulses of 3 s at {', '.join(f'{c:g}' for c in PULSES_C)} C")


def _compare(physics: CellPhysics, rounds: int) -> tuple[float, float]:
    """Return how many of our steps of a cell one of PyBaMM's takes, and the greatest difference in mV."""
    from twin import spme_model  # noqa: PLC0415  # as above
    from twin.ports import PackSpec  # noqa: PLC0415
    from twin.pybamm_models import ReferenceCell  # noqa: PLC0415
    from twin.spme import SpmePack  # noqa: PLC0415

    model, exact, one = spme_model.load(physics), ReferenceCell(0.6, physics, "SPMe"), np.ones(CELLS_ABREAST)
    fast = SpmePack(PackSpec(CELLS_ABREAST, 1, model.capacity_ah, 0.6 * one, one, one, AMBIENT_K), model)
    kelvin, apart_v = AMBIENT_K, list[float]()
    for rate_c in PULSES_C:
        for _ in range(PULSE_STEPS):
            theirs_v = exact.step(rate_c * model.capacity_ah, kelvin, STEP_S).voltage_v
            state = fast.step(rate_c * model.capacity_ah * one, AMBIENT_K, STEP_S)
            kelvin = float(state.temperature_k[0])
            apart_v.append(abs(float(state.voltage_v[0]) - theirs_v))
    held: Floats = np.zeros(CELLS_ABREAST)
    mine_s, theirs_s = run_in_turns(
        lambda: time_calls(lambda: fast.step(held, AMBIENT_K, STEP_S), 50),
        lambda: time_calls(lambda: exact.step(0.0, kelvin, STEP_S), 20),
        rounds,
    )
    return CELLS_ABREAST * float(np.median(theirs_s)) / float(np.median(mine_s)), 1e3 * max(apart_v)
