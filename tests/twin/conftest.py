from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.twin.cell_physics import PHYSICS
from twin import spme_model
from twin.ports import PackSpec
from twin.spme import SpmePack

MakePack = Callable[..., PackSpec]


@pytest.fixture(scope="session")
def make_pack() -> MakePack:
    """One cell as PyBaMM has it by default; `cells=24, spread=True` gives the second-life pack of the bench."""

    def make(cells: int = 1, *, cell_ah: float = 5.0, soc0: float = 0.6, spread: bool = False) -> PackSpec:
        noise = np.random.default_rng(24).standard_normal((3, cells)) * float(spread)
        return PackSpec(
            cells=cells,
            parallel=12 if spread else 1,
            cell_ah=cell_ah,
            soc0=soc0 + 0.01 * noise[0],
            capacity_factor=1.0 + 0.03 * noise[1],
            resistance_factor=1.0 + 0.08 * noise[2],
            ambient_k=298.15,
        )

    return make


@pytest.fixture(scope="session")
def spme() -> spme_model.SpmeModel:
    return spme_model.load(PHYSICS)


@pytest.fixture
def spme_pack(spme: spme_model.SpmeModel, make_pack: MakePack) -> SpmePack:
    return SpmePack(make_pack(24, spread=True), spme)
