"""Read a file of the Battery Parameter eXchange (BPX): one lithium cell of one material an electrode, in JSON.

The standard: https://bpxstandard.com, versions 0.1 to 1.1. Version 1 moved temperatures and the electrolyte's
concentration to `State`; both places are read.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from drivers.benchfile.bpx_expression import parse_expression
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from pathlib import Path

VERSION: Final = "1.1.0"
REFERENCE_K: Final = 298.15
ELECTROLYTE_MOL_M3: Final = 1000.0  # the concentration where a file states none
Positive = Annotated[float, Field(gt=0.0)]
Share = Annotated[float, Field(gt=0.0, le=1.0)]


def _check_expression(text: str) -> str:
    parse_expression(text)
    return text


class BpxSection(BaseModel):
    """A table of the file: no undeclared keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BpxTable(BpxSection):
    """A function as points, linear in between; `x` rises or falls."""

    x: Annotated[list[float], Field(min_length=2)]
    y: Annotated[list[float], Field(min_length=2)]

    @model_validator(mode="after")
    def _fits(self) -> BpxTable:
        if len(self.x) != len(self.y):
            raise ValueError(f"should have as many y as x, not {len(self.y)} and {len(self.x)}")
        if len({left < right for left, right in itertools.pairwise(self.x)}) != 1 or len(set(self.x)) != len(self.x):
            raise ValueError("should have x that only rise or only fall")
        return self


_KINDS: Final = ("formula", "table", "number")


def _name_kind(value: Any) -> str:
    return "formula" if isinstance(value, str) else "table" if isinstance(value, dict | BpxTable) else "number"


Function = Annotated[
    Annotated[float, Tag("number")]
    | Annotated[str, AfterValidator(_check_expression), Tag("formula")]
    | Annotated[BpxTable, Tag("table")],
    Discriminator(_name_kind),
]


def _refuse_constant(ocp: Any) -> Any:
    if isinstance(ocp, int | float):
        raise ValueError("should be a formula or a table of the stoichiometry, not one number")  # noqa: TRY004  # pydantic
    return ocp


class BpxHeader(BpxSection):
    """`Header`."""

    version: Annotated[str | float, Field(alias="BPX")]
    model: Annotated[Literal["SPM", "SPMe", "DFN", "Partial"], Field(alias="Model")]
    title: Annotated[str, Field(alias="Title")] = ""
    description: Annotated[str, Field(alias="Description")] = ""
    references: Annotated[str, Field(alias="References")] = ""


class BpxCell(BpxSection):
    """`Cell`: areas in m2 (the electrode's is of one pair), volume in m3, temperatures in K."""

    area_m2: Annotated[Positive, Field(alias="Electrode area [m2]")]
    pairs: Annotated[int, Field(alias="Number of electrode pairs connected in parallel to make a cell", gt=0)]
    low_v: Annotated[Positive, Field(alias="Lower voltage cut-off [V]")]
    high_v: Annotated[Positive, Field(alias="Upper voltage cut-off [V]")]
    nominal_ah: Annotated[Positive, Field(alias="Nominal cell capacity [A.h]")]
    reference_k: Annotated[Positive, Field(alias="Reference temperature [K]")] = REFERENCE_K
    surface_m2: Annotated[Positive | None, Field(alias="External surface area [m2]")] = None
    volume_m3: Annotated[Positive | None, Field(alias="Volume [m3]")] = None
    density_kg_m3: Annotated[Positive | None, Field(alias="Density [kg.m-3]")] = None
    heat_j_kg_k: Annotated[Positive | None, Field(alias="Specific heat capacity [J.K-1.kg-1]")] = None
    conductivity_w_m_k: Annotated[Positive | None, Field(alias="Thermal conductivity [W.m-1.K-1]")] = None
    initial_k: Annotated[Positive | None, Field(alias="Initial temperature [K]")] = None
    ambient_k: Annotated[Positive | None, Field(alias="Ambient temperature [K]")] = None


class BpxElectrolyte(BpxSection):
    """`Electrolyte`: functions are of the concentration in mol/m3."""

    transference: Annotated[float, Field(alias="Cation transference number")]
    diffusivity: Annotated[Function, Field(alias="Diffusivity [m2.s-1]")]
    conductivity: Annotated[Function, Field(alias="Conductivity [S.m-1]")]
    diffusivity_j_mol: Annotated[float, Field(alias="Diffusivity activation energy [J.mol-1]")] = 0.0
    conductivity_j_mol: Annotated[float, Field(alias="Conductivity activation energy [J.mol-1]")] = 0.0
    initial_mol_m3: Annotated[Positive | None, Field(alias="Initial concentration [mol.m-3]")] = None


class BpxSeparator(BpxSection):
    """`Separator`."""

    thickness_m: Annotated[Positive, Field(alias="Thickness [m]")]
    porosity: Annotated[Share, Field(alias="Porosity")]
    transport: Annotated[Share, Field(alias="Transport efficiency")]


class BpxElectrode(BpxSeparator):
    """`Negative electrode`, `Positive electrode`: functions are of the stoichiometry."""

    conductivity_s_m: Annotated[Positive, Field(alias="Conductivity [S.m-1]")]
    least: Annotated[float, Field(alias="Minimum stoichiometry", ge=0.0, le=1.0)]
    most: Annotated[float, Field(alias="Maximum stoichiometry", ge=0.0, le=1.0)]
    concentration_mol_m3: Annotated[Positive, Field(alias="Maximum concentration [mol.m-3]")]
    radius_m: Annotated[Positive, Field(alias="Particle radius [m]")]
    surface_m: Annotated[Positive, Field(alias="Surface area per unit volume [m-1]")]
    diffusivity: Annotated[Function, Field(alias="Diffusivity [m2.s-1]")]
    ocp: Annotated[Function, AfterValidator(_refuse_constant), Field(alias="OCP [V]")]
    rate_mol_m2_s: Annotated[Positive, Field(alias="Reaction rate constant [mol.m-2.s-1]")]
    entropic: Annotated[Function, Field(alias="Entropic change coefficient [V.K-1]")] = 0.0
    diffusivity_j_mol: Annotated[float, Field(alias="Diffusivity activation energy [J.mol-1]")] = 0.0
    rate_j_mol: Annotated[float, Field(alias="Reaction rate constant activation energy [J.mol-1]")] = 0.0

    @model_validator(mode="after")
    def _rise(self) -> BpxElectrode:
        if not self.least < self.most:
            raise ValueError(f"should have stoichiometries that rise, not from {self.least:g} to {self.most:g}")
        return self


class BpxParameters(BpxSection):
    """`Parameterisation`; `User-defined` is not read."""

    cell: Annotated[BpxCell, Field(alias="Cell")]
    electrolyte: Annotated[BpxElectrolyte, Field(alias="Electrolyte")]
    negative: Annotated[BpxElectrode, Field(alias="Negative electrode")]
    positive: Annotated[BpxElectrode, Field(alias="Positive electrode")]
    separator: Annotated[BpxSeparator, Field(alias="Separator")]
    user_defined: Annotated[dict[str, Any], Field(alias="User-defined")] = {}


class BpxConditions(BpxSection):
    """`Initial conditions`: only the electrolyte's concentration is part of a cell; the rest is of an experiment."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    electrolyte_mol_m3: Annotated[Positive | None, Field(alias="Initial electrolyte concentration [mol.m-3]")] = None


class BpxSurroundings(BpxSection):
    """`Thermal environment`."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    cooling_w_m2_k: Annotated[float | None, Field(alias="Heat transfer coefficient [W.m-2.K-1]", ge=0.0)] = None


class BpxState(BpxSection):
    """`State`."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    conditions: Annotated[BpxConditions, Field(alias="Initial conditions")] = BpxConditions()
    surroundings: Annotated[BpxSurroundings, Field(alias="Thermal environment")] = BpxSurroundings()


class BpxFile(BpxSection):
    """A BPX file. `Validation` (measured curves) is not read."""

    header: Annotated[BpxHeader, Field(alias="Header")]
    parameters: Annotated[BpxParameters, Field(alias="Parameterisation")]
    state: Annotated[BpxState, Field(alias="State")] = BpxState()
    validation: Annotated[dict[str, Any], Field(alias="Validation")] = {}

    @property
    def electrolyte_mol_m3(self) -> float:
        """The concentration of the electrolyte at rest."""
        stated = self.state.conditions.electrolyte_mol_m3 or self.parameters.electrolyte.initial_mol_m3
        return stated or ELECTROLYTE_MOL_M3

    @property
    def not_read(self) -> list[str]:
        """What of the file no cell file takes: measured curves, and what its maker defined."""
        return [
            *(f"User-defined / {key}" for key in self.parameters.user_defined),
            *(["Validation"] * bool(self.validation)),
        ]

    def find_heat(self) -> tuple[float | None, float | None]:
        """Return heat capacity (J/K) and cooling (W/K) of the cell; None for what the file does not say."""
        cell, coefficient = self.parameters.cell, self.state.surroundings.cooling_w_m2_k
        capacity_j_k = cooling_w_k = None
        if cell.density_kg_m3 and cell.volume_m3 and cell.heat_j_kg_k:
            capacity_j_k = cell.density_kg_m3 * cell.volume_m3 * cell.heat_j_kg_k
        if coefficient and cell.surface_m2:
            cooling_w_k = coefficient * cell.surface_m2
        return capacity_j_k, cooling_w_k


def read_bpx(path: Path) -> BpxFile:
    """Read and check a BPX file; raise `BenchFileError`: file, line or key, value."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BenchFileError(f"cannot be read: {reason}", where=str(path), hint="name a BPX file") from error
    return parse_bpx(path, text)


def parse_bpx(path: Path, text: str) -> BpxFile:
    """Check the text of a BPX file as if it were the file at `path`; raise `BenchFileError`."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise BenchFileError("is not JSON", where=str(path), line=line, bound="JSON", hint="name a BPX file") from error
    try:
        return BpxFile.model_validate(values)
    except ValidationError as error:
        raise _describe(path, error) from error


def _describe(path: Path, error: ValidationError) -> BenchFileError:
    """Return the error for the first mistake; the keys of a BPX file stand in it as written."""
    every = error.errors(include_url=False)
    first = next((one for one in every if "Particle" in one["loc"]), every[0])  # it is why others are missing
    steps = [str(step) for step in first["loc"]]
    key = " / ".join(step for step in steps if step not in _KINDS)
    where = key or "the file"
    if any(step == "Particle" for step in steps):
        what, hint = f"{where}: an electrode of several materials is not supported", "name a file of one material"
    elif first["type"] == "missing":
        what, hint = f"{where} is missing", "a DFN needs it: add it to the BPX file"
    elif first["type"] == "extra_forbidden":
        what, hint = f"{where} is not a key of BPX", "correct it, or move it to User-defined"
    else:
        text = first["msg"].removeprefix("Value error, ")
        what, hint = f"{where} {text[max(text.find('should'), 0) :]}", "correct the value"
    value = first["input"] if isinstance(first["input"], int | float | str) else None
    return BenchFileError(what, where=str(path), key=key, value=value, hint=hint)
