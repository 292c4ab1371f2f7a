"""Parameter sets with tables: IDAKLU runs them, the SPMe of scalar expressions refuses them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drivers.errors import BenchFileError
from tests.twin.cell_physics import PHYSICS
from twin import spme
from twin.cell_parameters import load_cell
from twin.dfn_worker import CurrentSegment, DfnCellStart, DfnSimulator
from twin.ports import PackSpec

AMBIENT_K = 298.15
ONE = np.ones(1)


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("Ai2020", marks=pytest.mark.long), "OKane2022"])
def test_the_worker_of_the_dfn_runs_a_set_with_tables(name: str) -> None:
    physics = PHYSICS._replace(parameter_set=name)
    simulator = DfnSimulator(DfnCellStart(0.6, AMBIENT_K, 1.0 / 5.0, 1.0, physics))
    rest = simulator.advance(CurrentSegment(0, 0.0, AMBIENT_K, 1.0))
    loaded = [simulator.advance(CurrentSegment(0, 5.0, AMBIENT_K, 6.0)) for _ in range(10)][-1]
    assert loaded.voltage_v < rest.voltage_v - 0.05
    assert rest.soc - loaded.soc == pytest.approx(1.0 / 60.0, rel=1e-3)  # a minute at 1 C
    assert loaded.temperature_k > AMBIENT_K


@pytest.mark.slow
def test_the_spme_refuses_a_set_with_tables_and_names_the_dfn() -> None:
    cell = replace(load_cell(), name="Ai2020", physics=PHYSICS._replace(parameter_set="Ai2020"))
    with pytest.raises(BenchFileError, match=r"twin\.spme needs formulas, and Ai2020 has tables; use twin\.dfn"):
        spme.build(PackSpec(1, 1, 5.0, 0.5 * ONE, ONE, ONE, AMBIENT_K, cell), {})
