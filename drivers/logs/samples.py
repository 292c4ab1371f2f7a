"""The samples of a log in SI units, one array for each column, before and between the repairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from drivers.logs.column_names import QUANTITY, Role, read_direction
from drivers.logs.numbers import to_numbers
from drivers.logs.sentinels import blank_sentinels
from drivers.logs.table import refuse_log
from drivers.logs.times import to_seconds
from drivers.logs.units import Unit, find_unit

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.logs.choose import Chosen, ColumnChoice
    from drivers.logs.table import Cells, RepairJournal, Rows, Table
    from drivers.snapshot import Flags, Floats

DEFAULT = {"time": "s", "voltage": "V", "current": "A", "temperature": "degC", "charge": "Ah"}
TIMES = (Role.TIME, Role.DATE, Role.STEP_TIME)
LAST_S = 1e11  # the dates of the next millennium; no time is later
NEEDED = (Role.VOLTAGE, Role.CURRENT)


@dataclass(frozen=True)
class Samples:
    """Columns of one length with their headers; `state` is 1 for charge, -1 for discharge, 0 for any other word."""

    path: Path
    columns: dict[Role, Floats]
    headers: dict[Role, str]
    row: Rows

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, role: Role) -> Floats:
        return self.columns[role]

    def get(self, role: Role) -> Floats | None:
        """Return a column, None where the log has none."""
        return self.columns.get(role)

    def __contains__(self, role: Role) -> bool:
        return role in self.columns

    def keep(self, kept: Flags | Rows) -> Self:
        """Return the samples at these places, in their order."""
        return replace(self, columns={role: values[kept] for role, values in self.columns.items()}, row=self.row[kept])

    def put(self, role: Role, values: Floats, header: str | None = None) -> Self:
        """Return the samples with other values of a column."""
        headers = self.headers if header is None else self.headers | {role: header}
        return replace(self, columns=self.columns | {role: values}, headers=headers)

    def drop(self, *roles: Role) -> Self:
        """Return the samples without these columns."""
        return replace(self, columns={role: values for role, values in self.columns.items() if role not in roles})

    def locate(self, place: int, role: Role) -> str:
        """Return where a sample stands in the file: `row 17, column Voltage(V)`."""
        return f"row {self.row[place]}, column {self.headers.get(role, role.value)}"


def read_samples(table: Table, chosen: Chosen, journal: RepairJournal) -> Samples:
    """Return the chosen columns in SI units; text that is no number and sentinel values become NaN, and are counted.

    Raise `LogError` for a file without rows and for a needed column without numbers.
    """
    order = sorted(chosen.columns, key=lambda choice: choice.role is not Role.VOLTAGE)  # its times are the log's
    cells, row = table.take([choice.place for choice in order], journal)
    if not len(row):
        raise refuse_log(table.path, "holds no rows of numbers", "export the log again: it may be cut off")
    samples = Samples(table.path, {}, {choice.role: choice.header for choice in order}, row)
    for choice, column in zip(order, cells, strict=True):
        values = _convert(table, choice, column, samples, journal)
        if np.isfinite(values).any():
            samples = samples.put(choice.role, values)
        elif choice.role in NEEDED:
            what = f"has no numbers in column {choice.header!r} for the {choice.role}"
            raise refuse_log(table.path, what, "name another column: --columns", row=int(row[0]), key=choice.role.value)
    if chosen.period_s is not None:
        journal.say(f"no column holds the time: rows are {chosen.period_s:g} s apart, as given")
        samples = samples.put(
            Role.TIME, np.arange(len(row), dtype=np.float64) * chosen.period_s, "rows at a fixed period"
        )
    if not any(role in samples for role in TIMES):
        header = next(samples.headers[role] for role in TIMES if role in samples.headers)
        what = f"has no times in column {header!r}"
        raise refuse_log(table.path, what, "name another column: --columns time=...", row=int(row[0]), key="time")
    return samples


def _convert(table: Table, choice: ColumnChoice, cells: Cells, samples: Samples, journal: RepairJournal) -> Floats:
    if choice.role is Role.STATE:
        words = {word: float(read_direction(word)) for word in set(map(str, cells.tolist()))}
        return np.array([words[str(cell)] for cell in cells.tolist()])
    unit = _find_unit(choice, cells, journal)
    if choice.role in TIMES:
        values, wrong = to_seconds(cells, unit, decimal_comma=table.decimal_comma)
        values = np.where(np.abs(values) <= LAST_S, values, np.nan)
    else:
        numbers, wrong = to_numbers(cells, decimal_comma=table.decimal_comma)
        numbers = blank_sentinels(numbers, choice, samples, journal)
        values = numbers * unit.scale + unit.offset if unit else numbers
    if (number := int(wrong.sum())) and not wrong.all():
        first = samples.locate(int(np.argmax(wrong)), choice.role)
        journal.count("not_numbers", number, f"{number} cells hold text that is no number, first {first}")
    return np.where(np.isfinite(values), values, np.nan)


def _find_unit(choice: ColumnChoice, cells: Cells, journal: RepairJournal) -> Unit | None:
    """Return the unit in the header, else the default of the quantity, which is said; None for the unit of dates."""
    if choice.unit is not None:
        return choice.unit
    typed_times = choice.role in TIMES and cells.dtype.kind in "MmO"
    default = DEFAULT[QUANTITY[choice.role]]
    if choice.role is not Role.DATE and not typed_times:
        journal.say(f"column {choice.header} states no unit that is known: taken as {default}")
    return find_unit(QUANTITY[choice.role], default)
