"""What PyBaMM needs to build a cell of a cell file: small, and sent to the processes that may import it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from drivers.benchfile.cell_file import Cell
    from twin.cell_parameters import CellParameters


class CellPhysics(NamedTuple):
    """A parameter set by PyBaMM's name or as the text of a BPX file; the cell has `area_scale` times its electrodes.

    `model`: which form of it is built, "SPMe" and DFN, or "BasicDFN" alone. Heat in J/K and W/K of the whole cell.
    """

    parameter_set: str
    bpx: str
    area_scale: float
    model: str
    heat_capacity_j_k: float
    cooling_w_k: float

    @classmethod
    def of(cls, cell: Cell) -> Self | None:
        """Return the physics of a cell file; None where it has none."""
        physics, thermal = cell.file.physics, cell.file.thermal
        if physics is None:
            return None
        heat = thermal.heat_capacity_j_k, thermal.cooling_w_k
        return cls(physics.parameter_set, cell.bpx, physics.area_scale, physics.model, *heat)

    @property
    def name(self) -> str:
        """How the set is called in sentences and file names."""
        return self.parameter_set or "BPX"


def require_physics(cell: CellParameters, lane: str) -> CellPhysics:
    """Return the physics of a cell; raise `BenchFileError` where its file has none."""
    if cell.physics is None:
        hint = "use twin.ecm, or a cell whose file has [physics]"
        raise BenchFileError(f"{lane} needs the equations of a cell, and {cell.name} has only a circuit", hint=hint)
    return cell.physics


def require_lithium(cell: CellParameters, lane: str) -> CellPhysics:
    """Return the physics of a cell that has an SPMe; raise `BenchFileError` for another."""
    physics = require_physics(cell, lane)
    if physics.model != "SPMe":
        hint = "use twin.ecm, and twin.dfn beside it"
        raise BenchFileError(f"{lane} is of lithium cells, and {cell.name} has {physics.model} alone", hint=hint)
    return physics
