"""The actuator: the only path from an allowed command to the instruments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from drivers.scpi.cell_simulator import CellSimulator
    from drivers.scpi.io_box import IoBox
    from drivers.scpi.supply import Supply
    from drivers.snapshot import Columns, Command, Floats


@dataclass
class BenchActuator:
    """Cell voltages to the cell simulator, pack current to the supply, temperatures to the I/O box."""

    cells: CellSimulator
    supply: Supply
    io_box: IoBox
    thermistors: int

    def apply(self, command: Command) -> None:
        self.cells.set_voltages(command.cell_voltage_v)
        self.supply.set_current(command.current_a)
        self.io_box.set_temperatures(average_at_thermistors(command.cell_temperature_k, self.thermistors))

    def safe(self) -> None:
        self.supply.set_current(0.0)


def average_at_thermistors(cell_k: Floats, thermistors: int) -> Floats:
    """Return the temperature of each thermistor in K: the mean of its share of the cells.

    Of more thermistors than cells, several have the same cell.
    """
    begins, sizes = _shares(len(cell_k), thermistors)
    return np.add.reduceat(cell_k, begins) / sizes


@cache
def _shares(cells: int, thermistors: int) -> tuple[Columns, Columns]:
    """Return the first cell of each share, and its number of cells; the shares are those of `Wiring.hil`."""
    edges = -(-np.arange(thermistors + 1) * cells // thermistors)
    return np.minimum(edges[:-1], edges[1:] - 1), np.maximum(np.diff(edges), 1)
