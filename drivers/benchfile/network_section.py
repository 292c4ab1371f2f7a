"""The table `[network]` of a cell file: the circuit that `fit` made of a laboratory's tests."""

from __future__ import annotations

import itertools
from typing import Final, Self

from pydantic import model_validator

from drivers.benchfile.cell_section import CellSection, Positive

PAIRS: Final = 4
RESISTANCES: Final = ("r0_ohm", *(f"r{pair}_ohm" for pair in range(1, PAIRS + 1)))


class NetworkSection(CellSection):
    """`[network]`: R0 and four pairs over state of charge and temperature (see `twin.network.network`).

    `shift_v` and the resistances have a row for each of `kelvins`, with a value for each of `socs`; `tau_s` a row of
    four for each of `kelvins`. `error_v`: the RMS error of the fit, by temperature.
    """

    fitted_to: str
    capacity_ah: Positive
    ocv_v: list[Positive]
    socs: list[float]
    kelvins: list[Positive]
    shift_v: list[list[float]]
    r0_ohm: list[list[Positive]]
    r1_ohm: list[list[Positive]]
    r2_ohm: list[list[Positive]]
    r3_ohm: list[list[Positive]]
    r4_ohm: list[list[Positive]]
    tau_s: list[list[Positive]]
    thermal_v: list[Positive]
    error_v: list[Positive]
    core_k_w: Positive
    core_s: Positive
    hysteresis_v: tuple[float, ...] = ()  # half of what charge lies above discharge, at the points of ocv_v

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("socs", "kelvins"):
            axis: list[float] = getattr(self, name)
            if not axis or any(not low < high for low, high in itertools.pairwise(axis)):
                raise ValueError(f"should have rising {name}")
        if len(self.ocv_v) < 2 or len(self.socs) < 2:  # noqa: PLR2004  # a table needs two points
            raise ValueError("should have at least two points of ocv_v and socs")
        rows = {"shift_v": self.shift_v, **{name: getattr(self, name) for name in RESISTANCES}, "tau_s": self.tau_s}
        for name, table in rows.items():
            width = PAIRS if name == "tau_s" else len(self.socs)
            if [len(row) for row in table] != [width] * len(self.kelvins):
                raise ValueError(f"should have {len(self.kelvins)} rows of {width} in {name}, one for each of kelvins")
        if self.hysteresis_v and len(self.hysteresis_v) != len(self.ocv_v):
            raise ValueError("should have one hysteresis_v for each of ocv_v, or none")
        for name in ("thermal_v", "error_v"):
            if len(getattr(self, name)) != len(self.kelvins):
                raise ValueError(f"should have one {name} for each of kelvins")
        return self
