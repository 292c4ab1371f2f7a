"""The physics of the default cell, for tests that step PyBaMM."""

from __future__ import annotations

from typing import Final

from twin.cell_parameters import load_cell
from twin.cell_physics import CellPhysics, require_physics

PHYSICS: Final[CellPhysics] = require_physics(load_cell(), "a test")
