"""All that any model needs of the cell: one object, one hash; twin, MPC, environment and policy share it."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from drivers.benchfile.document import Document
from drivers.benchfile.read import validate
from twin import cell_table, plating
from twin.cell_table import PARAMETER_FOLDER, CellTable
from twin.plating import PlatingTable  # noqa: TC001  # a field of a record names it
from twin.wear import WearParameters  # noqa: TC001  # pydantic reads it

if TYPE_CHECKING:
    from pathlib import Path

CELL: Final = PARAMETER_FOLDER / "chen2020.toml"  # the one place that names the cell
ZERO_C_K: Final = 273.15


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
    """One cell. `sha256` covers every file that its numbers come from."""

    name: str
    chemistry: str
    limits: CellLimits
    circuit: CellTable
    wear: WearParameters
    plating: PlatingTable
    sha256: str

    @property
    def capacity_ah(self) -> float:
        return self.circuit.capacity_ah


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")

    voltage_v: tuple[float, float]
    temperature_degc: tuple[float, float]
    charge_c: Annotated[float, Field(gt=0.0)]
    discharge_c: Annotated[float, Field(gt=0.0)]

    def convert(self) -> CellLimits:
        low_c, high_c = self.temperature_degc
        return CellLimits(*self.voltage_v, low_c + ZERO_C_K, high_c + ZERO_C_K, self.charge_c, self.discharge_c)


class _CellFile(BaseModel):
    """A cell file: what it holds itself, and the files beside it that hold the rest."""

    model_config = ConfigDict(extra="forbid")

    format: Annotated[Literal["pulsebms.cell/1"], Field(alias="schema")]
    name: str
    chemistry: str
    circuit: str
    plating: str
    limits: _Limits
    wear: WearParameters


@functools.lru_cache
def load_cell(path: Path = CELL) -> CellParameters:
    """Read a cell file and the files that it names; raise `BenchFileError` or `ValueError`."""
    cell = _read(path)
    files = [path, path.parent / cell.circuit, path.parent / cell.plating]
    digest = hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files))
    return CellParameters(
        cell.name,
        cell.chemistry,
        cell.limits.convert(),
        cell_table.load(files[1]),
        cell.wear,
        plating.load(files[2]),
        digest.hexdigest(),
    )


def read_name(path: Path = CELL) -> str:
    """Return the name of the cell: PyBaMM's parameter set."""
    return _read(path).name


def find_plating_file(path: Path = CELL) -> Path:
    """Return the file that holds the plating table of a cell file."""
    return path.parent / _read(path).plating


def _read(path: Path) -> _CellFile:
    return validate(Document.read(path), _CellFile)
