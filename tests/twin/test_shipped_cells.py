"""The SPMe of every shipped lithium cell beside PyBaMM's own solver, and circuits that are of their cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.benchfile.cell_file import CELLS, find_cell, list_cells
from drivers.errors import BenchFileError
from twin import spme, spme_model
from twin.cell_parameters import load_cell
from twin.cell_physics import require_physics
from twin.dfn_worker import CurrentSegment, DfnCellStart, DfnSimulator
from twin.ecm import EcmPack
from twin.ports import PackSpec
from twin.pybamm_models import ReferenceCell
from twin.spme import SpmePack

if TYPE_CHECKING:
    from twin.cell_parameters import CellParameters

ONE = np.ones(1)
AMBIENT_K = 298.15
SODIUM = "chayambuka2022"
FLAT = "prada2013"  # LFP
LITHIUM = [name for name in list_cells() if name != SODIUM]


def load(name: str) -> CellParameters:
    return load_cell(find_cell(name, CELLS))


def make_pack(cell: CellParameters, soc: float) -> PackSpec:
    return PackSpec(1, 1, cell.capacity_ah, soc * ONE, ONE, ONE, AMBIENT_K, cell)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [FLAT, *(pytest.param(name, marks=pytest.mark.long) for name in LITHIUM if name != FLAT)]
)
def test_the_spme_is_within_a_fifth_of_a_millivolt_of_idaklu_at_a_tenth_of_a_second(name: str) -> None:
    cell = load(name)
    physics = require_physics(cell, "a test")
    fast, exact = SpmePack(make_pack(cell, 0.6), spme_model.load(physics)), ReferenceCell(0.6, physics, "SPMe")
    apart_v = list[float]()
    kelvin = AMBIENT_K
    for rate_c in (0.5, -0.5, 1.0, 0.0):
        for _ in range(30):
            current_a = rate_c * cell.capacity_ah
            theirs = exact.step(current_a, kelvin, 0.1).voltage_v
            state = fast.step(current_a * ONE, AMBIENT_K, 0.1)
            kelvin = float(state.temperature_k[0])
            apart_v.append(abs(float(state.voltage_v[0]) - theirs))
    assert max(apart_v) < 0.2e-3


@pytest.mark.parametrize("name", list_cells())
def test_the_circuit_of_a_cell_keeps_within_its_limits_at_its_own_currents(name: str) -> None:
    cell = load(name)
    for rate_c in (cell.bms.discharge_c, -cell.bms.charge_c):
        twin = EcmPack(make_pack(cell, 0.5), cell.circuit)
        state = [twin.step(rate_c * cell.nominal_ah * ONE, AMBIENT_K, 1.0) for _ in range(60)][-1]
        assert cell.bms.low_v < state.voltage_v[0] < cell.bms.high_v
        assert not state.outside


@pytest.mark.slow
def test_the_worker_of_the_dfn_runs_the_sodium_cell_beside_its_circuit() -> None:
    cell = load(SODIUM)
    physics = require_physics(cell, "a test")
    simulator = DfnSimulator(DfnCellStart(0.6, AMBIENT_K, 1.0 / cell.capacity_ah, 1.0, physics))
    circuit = EcmPack(make_pack(cell, 0.6), cell.circuit)
    apart_v, apart_soc = list[float](), list[float]()
    for rate_c in (0.0, 0.25, 0.0, -0.25):
        current_a = rate_c * cell.nominal_ah
        for _ in range(6):
            exact = simulator.advance(CurrentSegment(0, current_a, AMBIENT_K, 10.0))
            state = circuit.step(current_a * ONE, AMBIENT_K, 10.0)
            apart_v.append(abs(exact.voltage_v - float(state.voltage_v[0])))
            apart_soc.append(abs(exact.soc - float(state.soc[0])))
    assert max(apart_soc) < 1e-4
    assert max(apart_v[:6]) < 2e-3  # at rest
    assert max(apart_v) < 0.15  # a circuit is linear in the current, and this cell is not


def test_a_sodium_cell_has_no_spme_and_says_so() -> None:
    cell = load(SODIUM)
    with pytest.raises(BenchFileError, match=r"twin\.spme is of lithium cells, and Chayambuka2022 has BasicDFN alone"):
        spme.build(make_pack(cell, 0.5), {})
