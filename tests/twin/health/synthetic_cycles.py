"""Per-cycle rows of made-up cells: charge times shrink and voltages rise as the capacity fades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.health.cycle_table import CycleRows

if TYPE_CHECKING:
    from drivers.snapshot import Floats

NAMES = ("CC charge time", "CV charge time", "voltage mean")
NOMINAL_AH = 2.0


def make_cycles(cells: int, seed: int) -> CycleRows:
    """Cells that lose 20 % in 60 to 150 rows, each with its own first capacity and bend."""
    noise = np.random.default_rng(seed)
    values: list[Floats] = []
    capacity: list[Floats] = []
    names: list[str] = []
    for number in range(cells):
        rows, bend, first = int(noise.integers(60, 150)), noise.uniform(1.0, 2.0), noise.normal(NOMINAL_AH, 0.02)
        health = 1.0 - 0.24 * (np.arange(rows) / rows) ** bend
        times = 3000.0 * health * first / NOMINAL_AH
        columns = (times, 600.0 * (2.0 - health), 4.1 + 0.02 * (1.0 - health))
        spread = (5.0, 4.0, 2e-4)
        values.append(np.column_stack([c + noise.normal(0.0, s, rows) for c, s in zip(columns, spread, strict=True)]))
        names += [f"{seed}/{number}"] * rows
        capacity.append(first * health)
    total = len(names)
    cell, row = np.array(names), np.arange(1, total + 1)
    return CycleRows(NAMES, np.vstack(values), cell, row, np.concatenate(capacity))
