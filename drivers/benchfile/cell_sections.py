"""The tables of a cell file, as pydantic checks them."""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from drivers.benchfile.cell_section import CellSection, Positive
from drivers.benchfile.network_section import NetworkSection  # noqa: TC001  # pydantic reads it

SCHEMA: Final = "pulsebms.cell/2"
DEFAULT: Final = "chen2020"  # the shipped cell of whoever names none
ROWS: Final = ("ocv_v", "r0_ohm", "r1_ohm", "tau1_s", "r2_ohm", "tau2_s")  # of a circuit, over state of charge
Chemistry = Literal["NMC", "NCA", "LCO", "LFP", "LMO", "Na-ion"]
_BEYOND_V: Final = 0.3  # of a BMS above the full cell: farther, it protects nothing
_SOURCED: Final = ("limits", "bms", "thermal", "circuit", "estimator", "network", "physics", "wear", "plating")


class CellLimitsSection(CellSection):
    """`[limits]`: what a cell may bear; rates in C of its capacity (magnitudes)."""

    voltage_v: tuple[Positive, Positive]
    temperature_degc: tuple[float, float]
    charge_c: Positive
    discharge_c: Positive

    @model_validator(mode="after")
    def _rise(self) -> Self:
        for name in ("voltage_v", "temperature_degc"):
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"should have {name} = [low, high], not [{low:g}, {high:g}]")
        return self


class CellBmsSection(CellSection):
    """`[bms]`: what a BMS keeps the cell within; rates in C (magnitudes). It bleeds cells above `balance_above_v`."""

    voltage_v: tuple[Positive, Positive]
    temperature_degc: tuple[float, float]
    charge_c: Positive
    discharge_c: Positive
    balance_above_v: Positive


class CellThermalSection(CellSection):
    """`[thermal]`: one temperature; heat that the cell stores a kelvin, and gives to its surroundings."""

    heat_capacity_j_k: Positive
    cooling_w_k: Positive


class CircuitSection(CellSection):
    """`[circuit]`, `[estimator]`: R0 and two RC pairs at evenly spaced states of charge from 0 to 1, at 25 degC.

    `capacity_ah`: charge between both ends of the table. R0 follows temperature by
    `exp(arrhenius_k (1/T - 1/298.15 K))`. `fitted_to`: the test that the numbers come from.
    """

    fitted_to: str
    capacity_ah: Positive
    arrhenius_k: float
    ocv_v: list[Positive]
    r0_ohm: list[Positive]
    r1_ohm: list[Positive]
    tau1_s: list[Positive]
    r2_ohm: list[Positive]
    tau2_s: list[Positive]

    @model_validator(mode="after")
    def _equal_lengths(self) -> Self:
        lengths = {name: len(getattr(self, name)) for name in ROWS}
        if len(set(lengths.values())) != 1 or lengths["ocv_v"] < 2:  # noqa: PLR2004  # a table needs two points
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise ValueError(f"should have rows of one length, at least 2: {told}")
        return self


class EmbeddedSection(CellSection):
    """`[physics.embedded]`: what a record of a cell file holds of the files beside it."""

    bpx: Annotated[str, Field(min_length=1)]


class PhysicsSection(CellSection):
    """`[physics]`: the equations of the cell for SPMe and DFN; a cell that was only fitted has none.

    `parameter_set`: PyBaMM's name; or `bpx`: a file in the Battery Parameter eXchange format, beside the cell file.
    The electrode area is `area_scale` times that of the set. `lacks`: what the set does not know. `embedded`: the
    text of the BPX file, in the record of a run and in a bundle.
    """

    parameter_set: str = ""
    bpx: str = ""
    area_scale: Positive = 1.0
    model: Literal["SPMe", "BasicDFN"] = "SPMe"
    lacks: tuple[str, ...] = ()
    embedded: EmbeddedSection | None = None

    @model_validator(mode="after")
    def _one_set(self) -> Self:
        if bool(self.parameter_set) == bool(self.bpx):
            raise ValueError("should name either parameter_set or bpx")
        return self


class WearSection(CellSection):
    """`[wear]`: constants of the law of Schmalstieg et al. 2014 for a cell of `cell_ah` (see `twin.wear`)."""

    cell_ah: Positive
    calendar_per_v: float
    calendar_at_0_v: float
    calendar_k: float
    cycling_per_v2: float
    cycling_v: float
    cycling_least: float
    cycling_per_depth: float
    reference_days: Positive
    reference_cycles: Positive


class PlatingSection(CellSection):
    """`[plating]`: anode potential while the cell charges, `anode_v[rates][kelvins][socs]` (see `twin.plating`)."""

    made_from: str
    rms_v: float
    worst_v: float
    rates_c: list[float]
    kelvins: list[Positive]
    anode_v: list[list[list[float]]]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("rates_c", "kelvins"):
            axis: list[float] = getattr(self, name)
            if any(not low < high for low, high in itertools.pairwise(axis)):
                raise ValueError(f"should have rising {name}")
        widths = {len(row) for block in self.anode_v for row in block}
        if [len(block) for block in self.anode_v] != [len(self.kelvins)] * len(self.rates_c) or len(widths) != 1:
            raise ValueError("should have one row of anode_v for each of rates_c and kelvins")
        if self.rates_c[0] != 0.0:
            raise ValueError("should have rates_c that begin at 0")
        return self


class CellFile(CellSection):
    """A cell file. `[source]` says for each other table where its numbers came from."""

    format: Annotated[Literal["pulsebms.cell/2"], Field(alias="schema")]
    name: Annotated[str, Field(min_length=1)]
    chemistry: Chemistry
    capacity_ah: Positive
    source: dict[str, str]
    limits: CellLimitsSection
    bms: CellBmsSection
    thermal: CellThermalSection
    circuit: CircuitSection
    estimator: CircuitSection | None = None
    network: NetworkSection | None = None
    physics: PhysicsSection | None = None
    wear: WearSection | None = None
    plating: PlatingSection | None = None

    @model_validator(mode="after")
    def _bms_within(self) -> Self:
        """Check that a BMS of this cell leaves it the middle of its range, and warns within what it bears."""
        low_v, high_v = self.limits.voltage_v
        least_v, most_v = self.bms.voltage_v
        if not low_v <= least_v < high_v <= most_v < high_v + _BEYOND_V:
            raise ValueError(
                f"should have bms.voltage_v = [{least_v:g}, {most_v:g}] V from {low_v:g} to less than {high_v:g} V, "
                f"and from {high_v:g} to less than {high_v + _BEYOND_V:g} V"
            )
        return self

    @model_validator(mode="after")
    def _sources(self) -> Self:
        missing = [name for name in _SOURCED if getattr(self, name) is not None and not self.source.get(name)]
        if missing:
            raise ValueError(f"should say in [source] where the numbers of {', '.join(missing)} come from")
        return self

    def content(self) -> dict[str, Any]:
        """Return everything that a model reads; not what says where it came from, nor what it lacks.

        A value that is the default is left out, so that a later key with a default changes no hash.
        """
        texts: Any = {"source": True, "physics": {"lacks", "embedded"}}
        return self.model_dump(mode="json", exclude=texts, exclude_defaults=True)
