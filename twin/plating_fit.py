"""The table of anode potentials, made from PyBaMM's DFN (`python -m twin.make_cells`, minutes).

The table comes from charges at one rate each. Its error is measured on other charges, at other temperatures, whose rate
changes every few minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.cell_sections import PlatingSection
from drivers.benchfile.cell_writer import round_all
from twin import plating, pybamm_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.snapshot import Floats
    from twin.cell_physics import CellPhysics

RATES_C: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
KELVINS: Final = (263.15, 273.15, 283.15, 293.15, 303.15, 313.15, 328.15)
SOCS: Final = np.linspace(0.0, 1.0, 41)
START_SOC, END_SOC = 0.01, 0.98
HIGHEST_V: Final = 4.6  # beyond every limit that a charge may have
STEP_S: Final = 10.0
SETTLED_S: Final = 60.0  # after a change of rate the potential is still above the table: that side is safe
JUDGED_KELVINS: Final = (278.15, 298.15, 308.15)
JUDGED_V: Final = 4.25
SEED: Final = 12


def follow_charge(cell: pybamm_models.ReferenceCell, rate_c: float, kelvin: float) -> tuple[Floats, Floats]:
    """Return SoC and anode potential (V) along one charge from nearly empty, until the cell ends it."""
    cell.rest(START_SOC)
    socs, anode_v = list[float](), list[float]()
    while True:
        try:
            reading = cell.step(-rate_c * cell.capacity_ah, kelvin, STEP_S / max(rate_c, 0.25))
        except ArithmeticError:  # no lithium left at a surface
            break
        if reading.voltage_v > HIGHEST_V or reading.soc > END_SOC:
            break
        socs.append(reading.soc)
        anode_v.append(reading.anode_v)
    return np.array(socs), np.array(anode_v)


def read_rest(cell: pybamm_models.ReferenceCell, kelvin: float) -> Floats:
    """Return the anode potential (V) at rest at `SOCS`."""
    values = list[float]()
    for soc in np.clip(SOCS, START_SOC, END_SOC):
        cell.rest(float(soc))
        values.append(cell.step(0.0, kelvin, 1.0).anode_v)
    return np.array(values)


def extend(socs: Floats, anode_v: Floats) -> Floats:
    """Return the potential at `SOCS`; it goes on with its last slope after the last value, and is constant before."""
    values = np.interp(SOCS, socs, anode_v)
    tail = max(2, len(socs) // 20)
    slope = min(0.0, (anode_v[-1] - anode_v[-tail]) / (socs[-1] - socs[-tail]))
    return np.where(socs[-1] < SOCS, anode_v[-1] + slope * (SOCS - socs[-1]), values)


def make_rows(physics: CellPhysics) -> Floats:
    """Run every charge; return `anode_v[rates, kelvins, socs]`."""
    cell = pybamm_models.ReferenceCell(START_SOC, physics)
    rows = np.zeros((len(RATES_C), len(KELVINS), len(SOCS)))
    for r, rate_c in enumerate(RATES_C):
        for k, kelvin in enumerate(KELVINS):
            rows[r, k] = extend(*follow_charge(cell, rate_c, kelvin)) if rate_c else read_rest(cell, kelvin)
    return rows


def run_judged_charge(physics: CellPhysics, kelvin: float, seed: int) -> Iterator[tuple[float, float, float]]:
    """Yield rate (C), SoC and anode potential (V) of a charge whose rate changes every 2 to 6 minutes."""
    random = np.random.default_rng(seed)
    cell = pybamm_models.ReferenceCell(0.08, physics)
    while True:
        rate_c, lasts_s = random.uniform(0.1, 1.9), random.uniform(120.0, 360.0)
        for n in range(int(lasts_s / STEP_S)):
            reading = cell.step(-rate_c * cell.capacity_ah, kelvin, STEP_S)
            if reading.voltage_v > JUDGED_V or reading.soc > END_SOC:
                return
            if (n + 1) * STEP_S > SETTLED_S:
                yield rate_c, reading.soc, reading.anode_v


def judge(rows: Floats, physics: CellPhysics) -> tuple[float, float]:
    """Return the RMS error in V on charges that are not in the table, and the largest promise that was not kept."""
    errors = [
        plating.look_up(rows, np.array(RATES_C), np.array(KELVINS), rate_c, kelvin, soc) - anode_v
        for n, kelvin in enumerate(JUDGED_KELVINS)
        for rate_c, soc, anode_v in run_judged_charge(physics, kelvin, SEED + n)
    ]
    return float(np.sqrt(np.mean(np.square(errors)))), float(max(errors))


def fit_section(physics: CellPhysics) -> PlatingSection:
    """Return the table of a cell and its error."""
    rows = make_rows(physics)
    rms_v, worst_v = judge(rows, physics)
    return PlatingSection(
        made_from=f"PyBaMM DFN {physics.parameter_set}, charges at one rate from {START_SOC:g}",
        rms_v=round(rms_v, 5),
        worst_v=round(worst_v, 5),
        rates_c=list(RATES_C),
        kelvins=list(KELVINS),
        anode_v=round_all(np.round(rows, 5).tolist()),
    )
