"""Which log a verb reads, and how its columns are called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.cell_voltages import list_cell_numbers, read_cell_voltages
from drivers.logs.choose import parse_columns
from drivers.logs.log import read_log

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.logs.log import CellLog

_SEVERAL: Final = 2
ZERO_C_K: Final = 273.15


@dataclass(frozen=True)
class LogChoice:
    """A log as a user names it; empty text and None where he says nothing; `number`: a cell of a run, from 1."""

    path: Path
    columns: str = ""
    sign: str = ""
    number: int | None = None
    temperature_degc: float | None = None  # of a log that has none
    series: int = 1  # cells of a log of a pack: their mean is read
    parallel: int = 1

    def read(self) -> CellLog:
        """Read the log; raise `LogError` or `RunLogError`."""
        columns = parse_columns(self.columns) if self.columns else None
        log = self._average(read_log(self.path, columns, self.sign or None, self.number))
        if self.temperature_degc is None or log.temperature_k is not None:
            return log
        return replace(log, temperature_k=np.full(len(log), self.temperature_degc + ZERO_C_K))

    def _average(self, log: CellLog) -> CellLog:
        """Return the mean cell of a pack; its temperature is that of the log."""
        if self.series == self.parallel == 1:
            return log
        done = f"the mean cell of {self.series} in series and {self.parallel} in parallel"
        return replace(
            log,
            voltage_v=log.voltage_v / self.series,
            current_a=log.current_a / self.parallel,
            ah=None if log.ah is None else log.ah / self.parallel,
            notes=(*log.notes, done),
        )

    def with_number(self, number: int) -> LogChoice:
        """Return the same choice of another cell."""
        return replace(self, number=number)


def choose_weakest(choice: LogChoice) -> int | None:
    """Return the cell of a run whose voltage is the lowest of all, None where the user chose or there is one cell.

    Raise `LogError` or `RunLogError`.
    """
    if choice.number is not None or choice.columns:
        return None
    known = list_cell_numbers(choice.path)
    if len(known) < _SEVERAL:
        return None
    numbers, volts = read_cell_voltages(choice.with_number(known[0]).read())
    lowest = np.where(np.isfinite(volts), volts, np.inf).min(axis=1)
    return numbers[int(np.argmin(lowest))]
