"""Twin and estimator lanes as protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from drivers.snapshot import Estimate

if TYPE_CHECKING:
    from drivers.snapshot import Floats, PackReading


@dataclass(frozen=True)
class PackSpec:
    """The pack that a twin plays: `cells` in series, each of `parallel` cells of `cell_ah`; start and surroundings.

    `soc0[n]` start per cell (fraction), `capacity_factor[n]` and `resistance_factor[n]` spread of a second-life pack,
    `ambient_k`.
    """

    cells: int
    parallel: int
    cell_ah: float
    soc0: Floats
    capacity_factor: Floats
    resistance_factor: Floats
    ambient_k: float


@dataclass(frozen=True)
class PackState:
    """What a twin hands to its successor: `soc[n]`, `temperature_k[n]`, `voltage_v[n]` under `current_a[n]`."""

    soc: Floats
    temperature_k: Floats
    voltage_v: Floats
    current_a: Floats


@dataclass(frozen=True)
class HealthEstimate(Estimate):
    """`Estimate` with what a lane believes of resistance and power, each with its standard deviation.

    `r0_ohm[n]` of a series element at its present charge and temperature, `discharge_w` and `charge_w` what the pack
    can give and take (magnitudes) at the end of ten seconds of constant current.
    """

    r0_ohm: Floats
    r0_std_ohm: Floats
    discharge_w: float
    discharge_std_w: float
    charge_w: float
    charge_std_w: float


class Twin(Protocol):
    """A model of the pack, or of some of its cells (`columns`: which, counted from 0)."""

    @property
    def columns(self) -> tuple[int, ...]: ...

    def step(self, current_a: Floats, ambient_k: float, dt_s: float) -> PackState:
        """Advance by `dt_s` under the pack's cell currents `current_a[pack cells]` (A, discharge positive).

        Returns arrays over `columns`. Never blocks; a lane that works elsewhere answers its newest result.
        """
        ...

    def take_over(self, state: PackState) -> None:
        """Continue from another twin's state so that the terminal voltage steps as little as the model allows."""
        ...

    def age_s(self) -> float:
        """How far the newest answer lags behind the last `step`, 0 for a lane that computes in place."""
        ...

    def close(self) -> None: ...


class Estimator(Protocol):
    """A belief about each cell, from measured values and parameters of its own."""

    def update(self, reading: PackReading, dt_s: float) -> Estimate: ...
