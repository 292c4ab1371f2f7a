"""The parameter table of an equivalent circuit over state of charge: read, write, interpolate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.cell_sections import ROWS
from drivers.benchfile.document import Document
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

OCV, R0, R1, TAU1, R2, TAU2 = range(len(ROWS))
REFERENCE_K: Final = 298.15


@dataclass(frozen=True)
class CellTable:
    """One cell of `capacity_ah`: `rows[6, points]` (see `ROWS`) at evenly spaced states of charge, 0 to 1, at 25 degC.

    R0 follows temperature by `exp(arrhenius_k (1/T - 1/298.15 K))`; `fitted_to`: the source of the numbers.
    """

    fitted_to: str
    capacity_ah: float
    arrhenius_k: float
    heat_capacity_j_k: float
    cooling_w_k: float
    rows: Floats

    def find_resistance(self, t_s: float) -> float:
        """Return the resistance (ohm) that a step of current meets after `t_s`: the median over state of charge."""
        fast, slow = (self.rows[r] * (1.0 - np.exp(-t_s / self.rows[tau])) for r, tau in ((R1, TAU1), (R2, TAU2)))
        return float(np.median(self.rows[R0] + fast + slow))


def load(path: Path) -> CellTable:
    """Read a file of `store`; raise `BenchFileError` or `ValueError`, which names what is wrong."""
    content = dict(Document.read(path).values)
    missing = [key for key in (*CellTable.__dataclass_fields__, *ROWS) if key != "rows" and key not in content]
    if missing:
        raise ValueError(f"{path}: {', '.join(missing)} missing")
    rows = np.array([content.pop(name) for name in ROWS], dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] < 2 or not (rows > 0.0).all():  # noqa: PLR2004  # a table needs two points
        raise ValueError(f"{path}: {', '.join(ROWS)} must be equally long lists of positive numbers")
    return CellTable(rows=rows, **content)


def store(table: CellTable, path: Path) -> None:
    """Write `table` as TOML that a person can read."""
    scalars = {name: getattr(table, name) for name in CellTable.__dataclass_fields__ if name != "rows"}
    lines = [
        f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value:.6g}" for name, value in scalars.items()
    ]
    lines += [
        f"{name} = [\n    " + ",\n    ".join(f"{value:.6g}" for value in row) + ",\n]"
        for name, row in zip(ROWS, table.rows, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@kernel
def interpolate(rows: Floats, soc: float, out: Floats) -> float:
    """Fill `out[6]` with the table's values at `soc`; return the slope of the open-circuit voltage (V per 1).

    Outside 0 to 1 the open-circuit voltage continues with its last slope; the others stay constant.
    """
    intervals = rows.shape[1] - 1
    place = soc * intervals
    left = min(max(int(np.floor(place)), 0), intervals - 1)
    inside = min(max(place - left, 0.0), 1.0)
    for row in range(rows.shape[0]):
        out[row] = rows[row, left] + inside * (rows[row, left + 1] - rows[row, left])
    rise = rows[0, left + 1] - rows[0, left]
    out[0] = rows[0, left] + (place - left) * rise
    return rise * intervals
