"""Which log a verb reads, and how its columns are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.logs.choose import parse_columns
from drivers.logs.log import read_log

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
