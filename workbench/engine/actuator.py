"""The actuator: the only path from an allowed command to the instruments."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.scpi.cell_simulator import CellSimulator
    from drivers.scpi.io_box import IoBox
    from drivers.scpi.supply import Supply
    from drivers.snapshot import Columns, Command, Floats


@dataclass
class BenchActuator:
    """Cell voltages to the cell simulator, pack current to the supply, temperatures to the I/O box.

    `held_k`: K of the thermistors, by number from 1, that do not follow the cell that they share with others.
    """

    cells: CellSimulator
    supply: Supply
    io_box: IoBox
    thermistors: int
    held_k: Mapping[int, float] = field(default_factory=dict[int, float])

    def apply(self, command: Command) -> None:
        self.cells.set_voltages(command.cell_voltage_v)
        self.supply.set_current(command.current_a)
        self.io_box.set_temperatures(self.find_thermistor_k(command.cell_temperature_k))

    def safe(self) -> None:
        self.supply.set_current(0.0)

    def find_thermistor_k(self, cell_k: Floats) -> Floats:
        """Return the temperature of each thermistor in K: the mean of its share of the cells, or what is held."""
        begins, sizes = _find_shares(len(cell_k), self.thermistors)
        thermistor_k = np.add.reduceat(cell_k, begins) / sizes
        for number, kelvin in self.held_k.items():
            thermistor_k[number - 1] = kelvin
        return thermistor_k

    def find_cells(self, cells: int, number: int) -> slice:
        """Return the columns of the cells that thermistor `number`, from 1, feels in a pack of `cells` cells."""
        begins, sizes = _find_shares(cells, self.thermistors)
        return slice(begins[number - 1], begins[number - 1] + sizes[number - 1])

    def list_sharing(self, cells: int, number: int) -> list[int]:
        """Return the numbers of the other thermistors at the same cell; empty where a thermistor has its own."""
        begins, _ = _find_shares(cells, self.thermistors)
        return [int(other) + 1 for other in np.flatnonzero(begins == begins[number - 1]) if other != number - 1]


@cache
def _find_shares(cells: int, thermistors: int) -> tuple[Columns, Columns]:
    """Return the first cell of each thermistor's share, and its number of cells; the shares are those of `Wiring.hil`.

    Of more thermistors than cells, several have the same cell.
    """
    edges = -(-np.arange(thermistors + 1) * cells // thermistors)
    return np.minimum(edges[:-1], edges[1:] - 1), np.maximum(np.diff(edges), 1)
