"""A duty for a forecast: a table (CSV or Parquet) of `time_s` and one of `current_a`, `power_w`, `c_rate`.

Each value holds until the next time; the last row ends the duty. Discharge is positive.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

TIME: Final = "time_s"
KINDS: Final = ("current_a", "power_w", "c_rate")
PARQUET: Final = (".parquet", ".pq")
_LEAST_ROWS: Final = 2


@dataclass(frozen=True)
class Duty:
    """`values[n]` of `kind` (A, W or C) from `time_s[n]` to `time_s[n + 1]`; `time_s` begins at 0 and rises."""

    kind: str
    time_s: Floats
    values: Floats

    def average(self, starts_s: Floats, ends_s: Floats) -> Floats:
        """Return the mean value of each interval; the duty repeats after its last time. No charge is lost."""
        integral = np.concatenate([[0.0], np.cumsum(self.values[:-1] * np.diff(self.time_s))])
        length_s = float(self.time_s[-1])

        def sum_until(t_s: Floats) -> Floats:
            return np.floor(t_s / length_s) * integral[-1] + np.interp(np.mod(t_s, length_s), self.time_s, integral)

        return (sum_until(ends_s) - sum_until(starts_s)) / (ends_s - starts_s)


def read_duty(path: Path) -> Duty:
    """Read a duty; raise `BenchFileError`: file, row, column."""
    is_parquet = path.suffix.lower() in PARQUET
    names, rows = _read_parquet(path) if is_parquet else _read_csv(path)
    first = 1 if is_parquet else 2  # row of the table, or line of the text
    kinds = [name for name in KINDS if name in names]
    if TIME not in names or len(kinds) != 1:
        what = f"has the columns {', '.join(names) or 'none'}, not {TIME} and one of {', '.join(KINDS)}"
        raise BenchFileError(
            what, where=str(path), line=1, key=TIME, bound=f"{TIME} and one of them", hint="rename them"
        )
    columns = {name: names.index(name) for name in (TIME, kinds[0])}
    numbers = {
        name: np.array([_parse(path, row, name, cells, place) for row, cells in enumerate(rows, first)])
        for name, place in columns.items()
    }
    time_s = numbers[TIME]
    if len(time_s) < _LEAST_ROWS:
        raise BenchFileError(
            f"has {len(time_s)} rows", where=str(path), bound="2 rows", hint="the last row ends the duty"
        )
    falls = np.flatnonzero(~(np.diff(time_s) > 0.0))
    if len(falls):
        row = int(falls[0]) + 1
        what = f"column {TIME} is {time_s[row]:g} s after {time_s[row - 1]:g} s"
        hint = "sort the rows, and name each time once"
        raise BenchFileError(what, where=str(path), line=row + first, key=TIME, value=float(time_s[row]), hint=hint)
    return Duty(kinds[0], time_s - time_s[0], numbers[kinds[0]])


def _read_csv(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a CSV file"
        raise BenchFileError(f"cannot be read: {reason}", where=str(path), hint="name a CSV or Parquet file") from error
    return [name.strip() for name in rows[0]] if rows else [], rows[1:]


def _read_parquet(path: Path) -> tuple[list[str], list[list[Any]]]:
    try:
        table: Any = import_module("pyarrow.parquet").read_table(path)
    except (OSError, ValueError) as error:  # pyarrow's own errors are of these
        raise BenchFileError("cannot be read as Parquet", where=str(path), hint="name a Parquet file") from error
    columns: list[list[Any]] = [column.to_pylist() for column in table.columns]
    return list(table.column_names), [list(row) for row in zip(*columns, strict=True)]


def _parse(path: Path, row: int, name: str, cells: list[Any], place: int) -> float:
    text = cells[place] if place < len(cells) else ""
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        what = f"column {name} is {str(text)!r}, not a number"
        raise BenchFileError(what, where=str(path), line=row, key=name, value=str(text), hint="correct the value")
    return value
