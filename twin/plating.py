"""The anode potential of a charging cell as a table over SoC, temperature and rate; below zero lithium plates.

The potential is that of the negative electrode against the electrolyte at the separator, where a DFN cell plates first
(Chu et al. 2017, J. Electrochem. Soc. 164, A1240). The table holds it after a long charge at one rate, which is the
lowest that a shorter charge at that rate can reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Floats


@dataclass(frozen=True)
class PlatingTable:
    """`anode_v[rates, kelvins, socs]` in V at evenly spaced states of charge, 0 to 1; rates in C, the first is 0.

    `rms_v` and `worst_v`: error on charges that the table was not made from; `worst_v` is the largest amount by which
    the table promised too much.
    """

    made_from: str
    rates_c: Floats
    kelvins: Floats
    anode_v: Floats
    rms_v: float
    worst_v: float


NO_LIMIT_V: Final = -1.0  # of the anode potential: below it no cell goes
NO_PLATING: Final = PlatingTable(
    "no table", np.array([0.0, 1.0]), np.array([250.0, 350.0]), np.full((2, 2, 2), 1.0), 0.0, 0.0
)  # of a cell whose file has none: it promises a volt everywhere, which no limit asks for


@kernel
def locate(axis: Floats, value: float) -> tuple[int, float]:
    """Return the interval of `value` on a rising axis and the place within it; an outside value keeps to the edge."""
    left = 0
    while left < len(axis) - 2 and value >= axis[left + 1]:
        left += 1
    inside = (value - axis[left]) / (axis[left + 1] - axis[left])
    return left, min(max(inside, 0.0), 1.0)


@kernel
def look_up(  # noqa: PLR0917  # a kernel takes arrays, not records
    anode_v: Floats, rates_c: Floats, kelvins: Floats, rate_c: float, kelvin: float, soc: float
) -> float:
    """Return the anode potential in V, linear between points; a discharge counts as rest."""
    r, inside_r = locate(rates_c, rate_c)
    k, inside_k = locate(kelvins, kelvin)
    intervals = anode_v.shape[2] - 1
    place = min(max(soc, 0.0), 1.0) * intervals
    s = min(int(place), intervals - 1)
    inside_s = place - s
    value = 0.0
    for dr in range(2):
        weight_r = inside_r if dr else 1.0 - inside_r
        for dk in range(2):
            weight = weight_r * (inside_k if dk else 1.0 - inside_k)
            low, high = anode_v[r + dr, k + dk, s], anode_v[r + dr, k + dk, s + 1]
            value += weight * (low + inside_s * (high - low))
    return value
