"""The one door from an allowed command to the instruments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from drivers.scpi.cells import CellSimulator
    from drivers.scpi.iobox import IoBox
    from drivers.scpi.supply import Supply
    from drivers.snapshot import Columns, Command, Floats


@dataclass
class BenchActuator:
    """Cell voltages to the cell simulator, pack current to the supply, temperatures to the I/O box."""

    cells: CellSimulator
    supply: Supply
    io_box: IoBox
    thermistors: int
    _shares: tuple[Columns, Columns] | None = None  # where each share begins, and its cells

    def apply(self, command: Command) -> None:
        self.cells.set_voltages(command.cell_voltage_v)
        self.supply.set_current(command.current_a)
        self.io_box.set_temperatures(self._at_thermistors(command.cell_temperature_k))

    def safe(self) -> None:
        self.supply.set_current(0.0)

    def _at_thermistors(self, cell_k: Floats) -> Floats:
        """Each thermistor sits on its share of the cells and feels their mean."""
        if self._shares is None:
            sizes = np.array([len(share) for share in np.array_split(cell_k, self.thermistors)])
            self._shares = np.cumsum(sizes) - sizes, sizes
        begins, sizes = self._shares
        return np.add.reduceat(cell_k, begins) / sizes
