"""Precompilation of what would delay the first start: kernels and the exported SPMe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drivers.snapshot import PackReading
from twin import cache as caches
from twin import ckf, coulomb_counter, ecm, ekf, spme_model
from twin.cell_parameters import load_cell
from twin.cell_physics import require_physics
from twin.half_cycles import follow_charge, make_turns
from twin.ports import PackSpec
from twin.spme import SpmePack

if TYPE_CHECKING:
    from pathlib import Path


def precompile(cache: Path | None = None) -> None:
    """Export the SPMe into `cache` (None: the user's) unless it is there, and compile each kernel by using it once."""
    pack = PackSpec(1, 1, 5.0, np.full(1, 0.5), np.ones(1), np.ones(1), 298.15)
    SpmePack(pack, spme_model.load(require_physics(pack.cell, "precompile"), cache)).step(
        np.zeros(1), pack.ambient_k, 0.01
    )
    state = ecm.build(pack, {}).step(np.zeros(1), pack.ambient_k, 0.01)
    reading = PackReading(0.0, 0.0, np.zeros(1), state.voltage_v, state.temperature_k)
    for estimator in (ekf.build(pack, {}), ckf.build(pack, {}), coulomb_counter.build(pack, {})):
        estimator.update(reading, 0.01)
    follow_charge(make_turns(np.zeros(1))[0], 0.0, 0.0)  # the MPC's


def is_precompiled() -> bool:
    """Return whether the user's cache holds the export of the installed versions."""
    return caches.find_spme_file(caches.find_cache_folder(), require_physics(load_cell(), "precompile")).exists()


if __name__ == "__main__":
    precompile()
