"""Which log a verb reads, and how its columns are called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.choose import parse_columns
from drivers.logs.log import read_log

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.logs.log import CellLog

ZERO_C_K: Final = 273.15


@dataclass(frozen=True)
class LogChoice:
    """A log as a user names it; empty text and None where he says nothing; `number`: a cell of a run, from 1."""

    path: Path
    columns: str = ""
    sign: str = ""
    number: int | None = None
    temperature_degc: float | None = None  # of a log that has none

    def read(self) -> CellLog:
        """Read the log; raise `LogError` or `RunLogError`."""
        columns = parse_columns(self.columns) if self.columns else None
        log = read_log(self.path, columns, self.sign or None, self.number)
        if self.temperature_degc is None or log.temperature_k is not None:
            return log
        return replace(log, temperature_k=np.full(len(log), self.temperature_degc + ZERO_C_K))
