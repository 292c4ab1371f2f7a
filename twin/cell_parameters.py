"""All that any model needs of the cell: one object, one hash; twin, MPC, environment and policy share it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.cell_file import CELLS, SUFFIX, read_cell
from drivers.benchfile.cell_sections import DEFAULT, ROWS
from twin.cell_physics import CellPhysics
from twin.cell_table import CellTable
from twin.estimator_fit import fit_estimator
from twin.plating import NO_PLATING, PlatingTable
from twin.wear import NO_WEAR, WearParameters

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile.cell_file import Cell
    from drivers.benchfile.cell_sections import (
        CellBmsSection,
        CellFile,
        CellLimitsSection,
        CircuitSection,
        PlatingSection,
    )

CELL: Final = CELLS / f"{DEFAULT}{SUFFIX}"
ZERO_C_K: Final = 273.15
ABOVE_EMPTY_V, BELOW_FULL_V, BELOW_HOT_K = 0.2, 0.02, 10.0  # of what a controller keeps to


@dataclass(frozen=True)
class CellLimits:
    """What a cell may bear: voltage in V, temperature in K, rates in C (magnitudes)."""

    low_v: float
    high_v: float
    low_k: float
    high_k: float
    charge_c: float
    discharge_c: float


@dataclass(frozen=True)
class CellParameters:
    """One cell. `sha256` covers everything here.

    `nominal_ah`: the nameplate. `limits`: what the cell bears; `bms`: what a BMS keeps it within. `estimator`: the
    circuit of estimators, from another test than `circuit` (`twin.estimator_fit` where the file has none).
    `wear` is `NO_WEAR` and `plating` `NO_PLATING` where the file says nothing; `physics` is None for a fitted cell.
    """

    name: str
    chemistry: str
    nominal_ah: float
    limits: CellLimits
    bms: CellLimits
    circuit: CellTable
    estimator: CellTable
    physics: CellPhysics | None
    wear: WearParameters
    plating: PlatingTable
    sha256: str

    @property
    def capacity_ah(self) -> float:
        """The charge between both ends of the circuit's table."""
        return self.circuit.capacity_ah

    @property
    def control_v(self) -> tuple[float, float]:
        """Between which voltages a controller keeps the cell where nobody states others: within what the BMS keeps."""
        return round(self.bms.low_v + ABOVE_EMPTY_V, 6), round(self.limits.high_v - BELOW_FULL_V, 6)

    @property
    def control_high_k(self) -> float:
        """Up to which temperature a controller warms the cell where nobody states another."""
        return self.bms.high_k - BELOW_HOT_K

    @property
    def knows_wear(self) -> bool:
        return self.wear is not NO_WEAR

    @property
    def knows_plating(self) -> bool:
        return self.plating is not NO_PLATING


def load_cell(path: Path = CELL) -> CellParameters:
    """Read a cell file; raise `BenchFileError`."""
    return make_parameters(read_cell(path))


@functools.lru_cache
def make_parameters(cell: Cell) -> CellParameters:
    """Return the parameters of a cell file that was read."""
    file = cell.file
    circuit = _make_table(file, file.circuit)
    return CellParameters(
        file.name,
        file.chemistry,
        file.capacity_ah,
        _make_limits(file.limits),
        _make_limits(file.bms),
        circuit,
        fit_estimator(circuit) if file.estimator is None else _make_table(file, file.estimator),
        CellPhysics.of(cell),
        NO_WEAR if file.wear is None else WearParameters(**file.wear.model_dump()),
        NO_PLATING if file.plating is None else _make_plating(file.plating),
        cell.sha256,
    )


def _make_limits(limits: CellLimitsSection | CellBmsSection) -> CellLimits:
    low_c, high_c = limits.temperature_degc
    return CellLimits(*limits.voltage_v, low_c + ZERO_C_K, high_c + ZERO_C_K, limits.charge_c, limits.discharge_c)


def _make_table(file: CellFile, circuit: CircuitSection) -> CellTable:
    return CellTable(
        circuit.fitted_to,
        circuit.capacity_ah,
        circuit.arrhenius_k,
        file.thermal.heat_capacity_j_k,
        file.thermal.cooling_w_k,
        np.array([getattr(circuit, name) for name in ROWS], np.float64),
    )


def _make_plating(plating: PlatingSection) -> PlatingTable:
    rates, kelvins, anode = (np.array(part, np.float64) for part in (plating.rates_c, plating.kelvins, plating.anode_v))
    return PlatingTable(plating.made_from, rates, kelvins, anode, plating.rms_v, plating.worst_v)
