"""Lanes from a bench file: one module each, `build(pack, settings)`."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from control.lanes import Lanes
from twin.ports import PackSpec

if TYPE_CHECKING:
    from drivers.benchfile.model import Bench, Pack, Role


def pack_spec(pack: Pack) -> PackSpec:
    """The declared pack with its spread drawn from the declared seed: two starts meet the same pack."""
    draw = np.random.default_rng(pack.seed)
    return PackSpec(
        cells=pack.cells,
        parallel=pack.parallel,
        cell_ah=pack.cell_ah,
        soc0=np.clip(pack.soc0 + pack.soc0_spread * draw.standard_normal(pack.cells), 0.0, 1.0),
        capacity_factor=1.0 + pack.capacity_spread * draw.standard_normal(pack.cells).clip(-2.5, 2.5),
        resistance_factor=1.0 + pack.resistance_spread * draw.standard_normal(pack.cells).clip(-2.5, 2.5),
        ambient_k=pack.ambient_k,
    )


def build_lanes(bench: Bench, role: Role, pack: PackSpec) -> Lanes[Any]:
    """All lanes of a role; raises `BenchFileError` at the line of a lane that cannot be built."""
    parts: dict[str, Any] = {}
    for lane in bench.lanes(role):
        try:
            parts[lane.name] = importlib.import_module(lane.module).build(pack, lane.settings)
        except Exception as error:
            said = f"cannot be built: {type(error).__name__}: {error}"
            hint = "docs/lanes.md shows what a lane needs"
            raise bench.document.mistake((*bench.at(lane), "module"), said, value=lane.module, hint=hint) from error
    return Lanes(role, parts, bench.active(role).name, time.monotonic)
