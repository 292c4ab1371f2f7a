"""What a controller sees of a pack: polarisation of the mean cell, and the distance of the extreme cells from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from control import shield
from twin.cell_table import OCV, R0, R1, R2, TAU1, TAU2, interpolate
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from drivers.snapshot import Columns, Floats
    from twin.cell_parameters import CellParameters

SEEN: Final = 8  # rows, see `control.shield`
REST_K: Final = 298.15


class ObservedPack:
    """Observes `packs` packs of `abreast` parallel cells of the cell file, from measured values only."""

    def __init__(self, cell: CellParameters, abreast: float, packs: int = 1) -> None:
        self._rows, self._abreast = cell.circuit.rows, abreast
        self.v = np.zeros((2, packs))  # both RC voltages of the mean cell
        at_rest = np.full((2, packs), 0.5), np.full((2, packs), 3.7), np.full((2, packs), REST_K)
        self.observe(np.zeros(packs), *at_rest, 0.0)  # compiles the kernel: no turn of a loop has seconds for that

    def restart(self, packs: Columns) -> None:
        """Forget the past of `packs`: they were at rest."""
        self.v[:, packs] = 0.0

    def observe(self, current_a: Floats, soc: Floats, voltage_v: Floats, kelvin: Floats, dt_s: float) -> Floats:
        """Return `seen[8, packs]` (see `control.shield`) after `dt_s` under `current_a[packs]`.

        `soc`, `voltage_v` and `kelvin` are `[2, packs]`: the lowest and the highest cell.
        """
        seen = np.empty((SEEN, len(current_a)))
        seen[[shield.LOW_SOC, shield.HIGH_SOC]] = soc
        seen[[shield.LOW_K, shield.HIGH_K]] = kelvin
        fill_circuit(self.v, current_a / self._abreast, voltage_v, self._rows, dt_s, seen)
        return seen


@kernel
def fill_circuit(  # noqa: PLR0917  # a kernel takes arrays, not records
    v: Floats, cell_a: Floats, voltage_v: Floats, rows: Floats, dt_s: float, seen: Floats
) -> None:
    """Advance both RC voltages `v[2, packs]`; fill them and the distance of the extreme cells into `seen`."""
    p = np.empty(rows.shape[0])
    for pack in range(len(cell_a)):
        interpolate(rows, 0.5 * (seen[shield.LOW_SOC, pack] + seen[shield.HIGH_SOC, pack]), p)
        a1, a2 = np.exp(-dt_s / p[TAU1]), np.exp(-dt_s / p[TAU2])
        v[0, pack] = a1 * v[0, pack] + (1.0 - a1) * p[R1] * cell_a[pack]
        v[1, pack] = a2 * v[1, pack] + (1.0 - a2) * p[R2] * cell_a[pack]
        model_v = p[OCV] - p[R0] * cell_a[pack] - v[0, pack] - v[1, pack]
        seen[shield.V1, pack], seen[shield.V2, pack] = v[0, pack], v[1, pack]
        seen[shield.ABOVE_V, pack] = voltage_v[1, pack] - model_v
        seen[shield.BELOW_V, pack] = model_v - voltage_v[0, pack]
