"""Tables of pulse tests: what is read to grade them, and what beyond that to teach a model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from drivers.errors import Usage
from drivers.table_file import read_table
from twin.health.grade_training import PulseRows
from twin.health.pulse_set import NOMINAL, VOLTAGES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drivers.snapshot import Floats
    from drivers.table_file import NamedTable, Texts

CAPACITY, CHEMISTRY, CELL = "Q", "Mat", "ID"


def read_pulses(path: Path) -> NamedTable:
    """Read a table with U1 to U21 and Qn; raise `LogError` where a column is missing."""
    table = read_table(path, (*VOLTAGES, NOMINAL))
    table.require((*VOLTAGES, NOMINAL))
    return table


def take_volts(table: NamedTable) -> Floats:
    """Return the voltages `[rows, 21]` in V."""
    return np.column_stack([table.take_numbers(name) for name in VOLTAGES])


def take_cells(table: NamedTable, pattern: str) -> Texts:
    """Return the physical cell of each row: what `pattern` finds in its ID, else the whole ID; its row without ID.

    Raise `Usage` for a pattern that is no regular expression.
    """
    if CELL not in table:
        return np.array([f"{table.path.stem}:{row}" for row in table.row.tolist()], dtype=np.str_)
    try:
        search = re.compile(pattern or "(.*)").search
    except re.error as error:
        what, hint = f"{pattern!r} is no regular expression: {error}", "for instance '^([^-]+)' for the text before -"
        raise Usage(what, key="cell-of", value=pattern, hint=hint) from error
    found = [(name, search(name)) for name in table.take_texts(CELL).tolist()]
    return np.array([name if match is None else match.group(match.lastindex or 0) for name, match in found])


def read_taught(paths: Sequence[Path], pattern: str) -> PulseRows:
    """Read tables with measured capacities Q, to teach a model; raise `LogError`, `Usage`."""
    tables = [read_pulses(path) for path in paths]
    for table in tables:
        table.require((CAPACITY,))
    unknown = [np.full(len(table), "unknown") for table in tables]
    return PulseRows(
        np.vstack([take_volts(table) for table in tables]),
        np.concatenate([table.take_numbers(NOMINAL) for table in tables]),
        np.concatenate([table.take_numbers(CAPACITY) for table in tables]),
        np.concatenate(
            [t.take_texts(CHEMISTRY) if CHEMISTRY in t else no for t, no in zip(tables, unknown, strict=True)]
        ),
        np.concatenate([take_cells(table, pattern) for table in tables]),
    )
