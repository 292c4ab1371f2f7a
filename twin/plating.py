"""The anode potential of a charging cell as a table over SoC, temperature and rate; below zero lithium plates.

The potential is that of the negative electrode against the electrolyte at the separator, where a DFN cell plates first
(Chu et al. 2017, J. Electrochem. Soc. 164, A1240). The table holds it after a long charge at one rate, which is the
lowest that a shorter charge at that rate can reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.benchfile.document import Document
from twin.numba_kernel import kernel

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

SCHEMA: Final = "pulsebms.plating/1"


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


def load(path: Path) -> PlatingTable:
    """Read a file of `store`; raise `BenchFileError` or `ValueError`, which names what is wrong."""
    content = Document.read(path).values
    if content.get("schema") != SCHEMA:
        raise ValueError(f"{path}: schema is {content.get('schema')!r}, not {SCHEMA}")
    try:
        rates, kelvins = (np.array(content[key], np.float64) for key in ("rates_c", "kelvins"))
        anode = np.array(content["anode_v"], np.float64)
        table = PlatingTable(
            str(content["made_from"]), rates, kelvins, anode, float(content["rms_v"]), float(content["worst_v"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: is not a table of anode potentials: {error}") from error
    if anode.shape[:2] != (len(rates), len(kelvins)) or rates[0] != 0.0:
        raise ValueError(f"{path}: anode_v has shape {anode.shape} for {len(rates)} rates and {len(kelvins)} kelvins")
    if (np.diff(rates) <= 0.0).any() or (np.diff(kelvins) <= 0.0).any() or not np.isfinite(anode).all():
        raise ValueError(f"{path}: rates_c and kelvins must rise, anode_v must be finite")
    return table


def store(table: PlatingTable, path: Path) -> None:
    """Write `table` as TOML that a person can read."""
    rows = [
        "    [\n"
        + "".join(f"        [{', '.join(f'{v:.5f}' for v in row)}],  # {kelvin:g} K\n" for kelvin, row in named)
        + f"    ],  # {rate:g} C\n"
        for rate, named in (
            (rate, zip(table.kelvins, rows, strict=True))
            for rate, rows in zip(table.rates_c, table.anode_v, strict=True)
        )
    ]
    lines = [
        f'schema = "{SCHEMA}"',
        f'made_from = "{table.made_from}"',
        f"rms_v = {table.rms_v:.5f}",
        f"worst_v = {table.worst_v:.5f}",
        f"rates_c = [{', '.join(f'{rate:g}' for rate in table.rates_c)}]",
        f"kelvins = [{', '.join(f'{kelvin:g}' for kelvin in table.kelvins)}]",
        "anode_v = [\n" + "".join(rows) + "]",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


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
