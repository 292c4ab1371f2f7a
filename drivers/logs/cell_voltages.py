"""Voltages of all cells of a run, or of a log of a pack, at the rows of a log that was read from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import LogError
from drivers.logs.formats import open_table
from drivers.logs.log import RUN_FILE
from drivers.logs.run_log import find_cells, find_voltage, read_channel
from drivers.logs.table import RepairJournal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drivers.logs.log import CellLog
    from drivers.snapshot import Floats

_HEADER: Final = re.compile(  # "Cell 3 (V)", "cell_03_voltage", "Ucell 3"
    r"[uv]?[ _]?cell[ _#]?(?:voltage|volts|[uv])?[ _#]?0*(\d+)"
    r"(?:[ _]?(?:voltage|volts|[uv]))?(?:[ _]?[\[(/]?m?v[\])]?)?",
    re.IGNORECASE,
)
_MILLIVOLT: Final = 20.0  # no cell has more volts


def read_cell_voltages(log: CellLog) -> tuple[tuple[int, ...], Floats]:
    """Return the numbers of the cells and their voltages in V, one row per cell, one column per sample of the log.

    NaN where a voltage is not known. Nothing for a log of one cell. Raise `LogError` or `RunLogError`.
    """
    if (log.path / RUN_FILE).is_file():
        return _read_run(log)
    table = open_table(log.path, {})
    places = find_cell_columns(table.names)
    if not places:
        return (), np.empty((0, len(log)))
    columns, rows = table.take(list(places.values()), RepairJournal())
    at = np.searchsorted(rows, log.row)
    if not np.array_equal(rows[np.minimum(at, len(rows) - 1)], log.row):
        raise LogError("has rows that moved while it was read", where=str(log.path), hint="read it again")
    volts = np.array([_parse(column, decimal_comma=table.decimal_comma) for column in columns])[:, at]
    known = volts[np.isfinite(volts)]
    return tuple(places), volts / 1e3 if len(known) and np.median(known) > _MILLIVOLT else volts


def list_cell_numbers(path: Path) -> list[int]:
    """Return the cells of a run, or of its export; nothing for another log. Raise `LogError` or `RunLogError`."""
    if not (path / RUN_FILE).is_file():
        return find_cells(open_table(path, {}).names)
    from drivers.runlog.run import Run  # noqa: PLC0415  # it imports pyarrow

    with Run.open(path) as run:
        return find_cells(run.table.names)


def find_cell_columns(names: Sequence[str]) -> dict[int, int]:
    """Return the place of each cell's voltage among the headers, by its number."""
    if own := find_cells(names):
        return {cell: names.index(find_voltage(names, cell)) for cell in own}
    found = {int(match[1]): place for place, name in enumerate(names) if (match := _HEADER.fullmatch(name.strip()))}
    return dict(sorted(found.items()))


def _read_run(log: CellLog) -> tuple[tuple[int, ...], Floats]:
    from drivers.runlog.run import Run  # noqa: PLC0415  # it imports pyarrow

    with Run.open(log.path) as run:
        numbers = find_cells(run.table.names)
        volts = [read_channel(run, find_voltage(run.table.names, number)) for number in numbers]
    return tuple(numbers), np.array(volts).reshape(len(numbers), -1)[:, log.row - 1]


def _parse(column: Any, *, decimal_comma: bool) -> Floats:
    """Return numbers, NaN for what is none."""
    if column.dtype.kind in "fiu":
        return np.asarray(column, dtype=np.float64)
    return np.array([_parse_one(value, decimal_comma=decimal_comma) for value in column])


def _parse_one(value: Any, *, decimal_comma: bool) -> float:
    text = str(value).strip()
    try:
        return float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        return float("nan")
