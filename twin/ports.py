"""The protocols of twin and estimator lanes, and their data."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from drivers.snapshot import Estimate

if TYPE_CHECKING:
    from drivers.snapshot import Floats, PackReading
    from twin.cell_parameters import CellParameters


def _load_cell() -> CellParameters:
    from twin.cell_parameters import load_cell  # noqa: PLC0415  # numba, which light verbs do without

    return load_cell()


class PackLimits(NamedTuple):
    """What a bench file allows a pack beside its cell: V and K of each cell, A of the pack (magnitudes)."""

    low_v: float = -inf
    high_v: float = inf
    low_k: float = -inf
    high_k: float = inf
    charge_a: float = inf
    discharge_a: float = inf


NO_LIMITS: Final = PackLimits()


@dataclass(frozen=True)
class PackSpec:
    """The pack that a twin simulates: `cells` in series, each of `parallel` cells of `cell_ah`; start and surroundings.

    `soc0[n]`: start per cell (fraction); `capacity_factor[n]` and `resistance_factor[n]`: spread of a second-life pack;
    `ambient_k`: temperature of the surroundings; `cell`: the cell file; `limits`: what the bench file allows.
    """

    cells: int
    parallel: int
    cell_ah: float
    soc0: Floats
    capacity_factor: Floats
    resistance_factor: Floats
    ambient_k: float
    cell: CellParameters = field(default_factory=_load_cell)
    limits: PackLimits = NO_LIMITS

    @property
    def element_ah(self) -> float:
        """The nameplate capacity of a series element."""
        return self.parallel * self.cell_ah


@dataclass(frozen=True)
class PackState:
    """The state that a twin gives to the next: `soc[n]`, `temperature_k[n]`, `voltage_v[n]` under `current_a[n]`.

    `outside`: the columns (from 0) that are outside the range of the twin's equations, so that their voltage is held or
    extrapolated and must not be trusted.
    """

    soc: Floats
    temperature_k: Floats
    voltage_v: Floats
    current_a: Floats
    outside: tuple[int, ...] = ()


class StateOfPower(NamedTuple):
    """The power (W, magnitudes) that a pack can give and take throughout a horizon, each with its 95 % interval.

    Rely on the low side.
    """

    discharge_w: float
    discharge_low_w: float
    discharge_high_w: float
    charge_w: float
    charge_low_w: float
    charge_high_w: float


@dataclass(frozen=True)
class HealthEstimate(Estimate):
    """`Estimate` with estimated resistance, its standard deviation, and the state of power.

    `r0_ohm[n]`: of a series element at its present charge and temperature; `power`: one for each of
    `twin.power.HORIZONS_S`; `power_held`: a value that it rests on is not known now, the last one stands for it.
    """

    r0_ohm: Floats
    r0_std_ohm: Floats
    power: tuple[StateOfPower, ...]
    power_held: bool


class Twin(Protocol):
    """A model of the pack, or of some of its cells (`columns`: which, counted from 0)."""

    @property
    def columns(self) -> tuple[int, ...]: ...

    def step(self, current_a: Floats, ambient_k: float, dt_s: float) -> PackState:
        """Advance by `dt_s` under the pack's cell currents `current_a[pack cells]` (A, discharge positive).

        Return arrays over `columns`. Never block; a lane with a worker process returns its newest result.
        """
        ...

    def take_over(self, state: PackState) -> None:
        """Continue from another twin's state so that the terminal voltage steps as little as the model allows."""
        ...

    def age_s(self) -> float:
        """Return how far the newest result lags behind the last `step`; 0 for a lane without a worker process."""
        ...

    def close(self) -> None: ...


class Estimator(Protocol):
    """An estimator of each cell from measured values and its own parameters."""

    def update(self, reading: PackReading, dt_s: float) -> Estimate: ...
