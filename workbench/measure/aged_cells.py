"""Known cells that lose capacity or gain resistance in one step, and the slow lane that follows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from drivers.snapshot import PackReading, StateOfHealth
from twin.network.network import R0
from twin.network.slow_health import SlowHealth
from workbench.measure.known_cell import CAPACITY_AH, make_drive, make_network, simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.snapshot import Floats
    from twin.network.network import Network

DT_S: Final = 1.0
KELVIN: Final = 298.15
NOISE_V: Final = 2e-3
OFFSET_A: Final = 0.005 * CAPACITY_AH  # that the current sensor is off by
REST: Final = np.zeros(1000)
WRONG_SOC: Final = 0.03  # of the filter beside the lane
SOC0: Final = 0.95


class Ageing(NamedTuple):
    """Capacity over the nameplate's, R0 and the resistances of the pairs over those of a new cell."""

    capacity: float = 1.0
    resistance: float = 1.0
    pairs: float = 1.0

    def make_network(self) -> Network:
        """Return the circuit of a known cell of this age."""
        network = make_network(self.pairs, self.capacity * CAPACITY_AH)
        network.tables[R0] *= self.resistance / self.pairs
        return network


NEW: Final = Ageing()
STEP: Final = 0.2
# Capacity alone, R0 alone, capacity with all resistances, and nothing.
AGED: Final = (Ageing(1.0 - STEP), Ageing(resistance=1.0 + STEP), Ageing(1.0 - STEP, 1.0 + STEP, 1.0 + STEP), NEW)


def make_slow(cells: int) -> SlowHealth:
    """Return the slow lane of a pack of known cells, which has the circuit of a new one."""
    return SlowHealth(make_network(), cells, CAPACITY_AH)


def make_cycle(seed: int) -> Floats:
    """Return currents (A): a drive of about half of the nameplate, its charge, and a rest after each."""
    drive = make_drive(seed, rows=2500, mean_a=1.4, swing_a=1.6)
    charge_a = -float(drive.sum()) / 1500.0
    return np.concatenate([drive, REST, np.full(1500, charge_a), REST])


def feed_cycles(
    slow: SlowHealth, cells: Sequence[Ageing], cycles: Sequence[int], *, offset_a: float = 0.0, seed: int = 7
) -> StateOfHealth:
    """Return what is told after a rest and the cycles of these seeds; the current sensor is off by `offset_a`."""
    current_a = np.concatenate([REST, *(make_cycle(seed) for seed in cycles)])
    return feed_current(slow, current_a, cells, offset_a=offset_a, seed=seed)


def feed_current(
    slow: SlowHealth,
    current_a: Floats,
    cells: Sequence[Ageing] = (NEW,),
    *,
    dt_s: float = DT_S,
    offset_a: float = 0.0,
    lost: slice = slice(0),
    seed: int = 7,
) -> StateOfHealth:
    """Return what is told at the end of currents (A); the samples `lost` were not measured, `seed` is of the noise."""
    traces = [simulate(cell.make_network(), current_a, dt_s, KELVIN, SOC0, NOISE_V, seed) for cell in cells]
    voltage_v, soc = (np.stack([getattr(one, name) for one in traces], 1) for name in ("voltage_v", "soc"))
    nothing, kelvin = np.zeros(len(cells)), np.full(len(cells), KELVIN)
    seen_a, told = current_a + offset_a, StateOfHealth(nothing, nothing, nothing, nothing)
    seen_a[lost] = np.nan
    for k, current in enumerate(seen_a):
        reading = PackReading(dt_s * k, float(current), nothing, voltage_v[k], kelvin)
        told = slow.update(reading, soc[k] + WRONG_SOC, dt_s)
    return told
