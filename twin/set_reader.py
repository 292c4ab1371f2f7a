"""The numbers and functions of a cell's parameter set, one by one. Importing this module costs seconds (PyBaMM)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin import pybamm_models

if TYPE_CHECKING:
    from twin.cell_physics import CellPhysics


class SetReader:
    """The parameter set of a cell. `ranges`: stoichiometries (empty, full), negative electrode first.

    `notes`: what a caller could not express, a sentence each.
    """

    def __init__(self, physics: CellPhysics) -> None:
        self._set: Any = pybamm_models.read_set(physics)
        self.name = physics.name
        self.notes = list[str]()
        self.ranges = pybamm_models.find_lithium_ranges(physics)
        self.reference_k = self.read("Reference temperature [K]")
        self.pairs = round(self.read("Number of electrodes connected in parallel to make a cell"))

    def read(self, name: str, otherwise: float | None = None) -> float:
        """Return a number; `otherwise` where the set lacks it, or raise `KeyError`."""
        if otherwise is not None and name not in self._set.keys():  # noqa: SIM118  # `in` asks for something else
            return otherwise
        return float(self._set[name])

    def evaluate(self, name: str, *at: float) -> float:
        """Return the value of a function of the set at these arguments."""
        value = self._set.evaluate(self._call(name, *map(pybamm_models.make_scalar, at)))
        return float(np.ravel(value)[0])

    def spell(self, name: str, variable: str, *more: float) -> str:
        """Return a function as text: of `variable` as its first argument, of these numbers as the others."""
        symbol = self._call(name, pybamm_models.make_symbol(variable), *map(pybamm_models.make_scalar, more))
        return str(symbol)

    def _call(self, name: str, *at: Any) -> Any:
        value = self._set[name]
        return value(*at) if callable(value) else pybamm_models.make_scalar(float(value))
