"""Coulomb counting: SoC from an assumed start; its standard deviation grows with time and charge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.snapshot import Estimate
from twin.hold import CurrentHold, replace_nan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats, PackReading
    from twin.ports import Estimator, PackSpec

SETTINGS: Final = ("soc0", "soc0_std")  # that a bench file may give
CAPACITY_SHARE: Final = 0.06  # a cell's own capacity against the nameplate
SENSOR_C_RATE: Final = 0.004  # offset of the current sensor over the capacity, 1/h
UNKNOWN_C_RATE: Final = 0.5  # how far a current that is only assumed may be off


class CoulombCounter:
    """A counter of each cell's charge against the nameplate capacity; nothing corrects it."""

    def __init__(self, pack: PackSpec, soc0: float, soc0_std: float) -> None:
        self._capacity_as = 3600.0 * pack.parallel * pack.cell_ah
        self._soc0, self._soc0_std = soc0, soc0_std
        self._counted: Floats = np.zeros(pack.cells)
        self._drift = 0.0
        self._held = CurrentHold(pack.cells)

    def update(self, reading: PackReading, dt_s: float) -> Estimate:
        """Add `dt_s` of current; hold an unknown current at its last known value and increase the deviation faster."""
        current_a = reading.current_a + replace_nan(reading.balancing_a)
        self._drift += (SENSOR_C_RATE if np.isfinite(reading.current_a) else UNKNOWN_C_RATE) * dt_s / 3600.0
        self._counted = self._counted + self._held(current_a) * dt_s / self._capacity_as
        spread = self._soc0_std**2 + self._drift**2 + (CAPACITY_SHARE * self._counted) ** 2
        return Estimate(self._soc0 - self._counted, np.sqrt(spread))


def build(pack: PackSpec, settings: Mapping[str, Any]) -> Estimator:
    """Build the lane; settings `soc0` (fraction, 0.5) and `soc0_std` (0.05). It uses only the nameplate of `pack`."""
    unknown = set(settings) - set(SETTINGS)
    if unknown:
        raise ValueError(
            f"twin.coulomb_counter has no setting {', '.join(sorted(unknown))}; its settings are soc0 and soc0_std"
        )
    return CoulombCounter(pack, float(settings.get("soc0", 0.5)), float(settings.get("soc0_std", 0.05)))
