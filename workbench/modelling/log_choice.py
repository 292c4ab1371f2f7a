"""Which log a verb reads, and how its columns are called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from drivers.logs.cell_voltages import read_cell_voltages
from drivers.logs.choose import parse_columns
from drivers.logs.formats import open_table
from drivers.logs.log import RUN_FILE, read_log
from drivers.logs.run_log import find_cells

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.logs.log import CellLog


@dataclass(frozen=True)
class LogChoice:
    """A log as a user names it; empty text and None where he says nothing; `number`: a cell of a run, from 1."""

    path: Path
    columns: str = ""
    sign: str = ""
    number: int | None = None

    def read(self) -> CellLog:
        """Read the log; raise `LogError` or `RunLogError`."""
        columns = parse_columns(self.columns) if self.columns else None
        return read_log(self.path, columns, self.sign or None, self.number)

    def with_number(self, number: int) -> LogChoice:
        """Return the same choice of another cell."""
        return replace(self, number=number)


def choose_weakest(choice: LogChoice) -> int | None:
    """Return the cell of a run whose voltage is the lowest of all, None where the user chose or there is one cell.

    Raise `LogError` or `RunLogError`.
    """
    if choice.number is not None or choice.columns or not _has_cells(choice.path):
        return None
    numbers, volts = read_cell_voltages(choice.with_number(1).read())
    lowest = np.nanmin(np.where(np.isfinite(volts), volts, np.inf), axis=1)
    return numbers[int(np.argmin(lowest))] if len(numbers) > 1 else None


def _has_cells(path: Path) -> bool:
    """Return whether a path is a run, or the export of a run with several cells."""
    return (path / RUN_FILE).is_file() or len(find_cells(open_table(path, {}).names)) > 1
