"""The one reader of logs: `read_log` returns times, voltages and currents in SI units, and says what it did to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.choose import choose_columns
from drivers.logs.clock import repair_clock
from drivers.logs.clock_choice import choose_clock
from drivers.logs.column_names import Role, find_vendor
from drivers.logs.counters import compare_counter, fill_counters, merge_counters, orient_counter
from drivers.logs.formats import open_table
from drivers.logs.gaps import count_gaps
from drivers.logs.run_log import choose_cell, find_cells, open_run
from drivers.logs.samples import Samples, read_samples
from drivers.logs.saturation import leave_out_saturated
from drivers.logs.scales import scale_current, scale_temperature, scale_voltage
from drivers.logs.sign import DISCHARGE, orient_current
from drivers.logs.table import RepairJournal, Rows, refuse_log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.logs.table import Table
    from drivers.snapshot import Floats

LEAST: Final = 2  # samples of a log
MOST_LEFT_OUT: Final = 0.5  # of the rows
RUN_FILE: Final = "run.json"
HIGHEST_V: Final = 2000.0  # no pack has more
HIGHEST_A: Final = 20000.0


@dataclass(frozen=True)
class CellLog:
    """A log of one cell or pack: arrays of one length, in SI units, without NaN.

    `ah` is the cycler's own counter in Ah, brought to one convention: it falls while the cell discharges, as
    `current_a` is positive. `row[k]` is the row of sample k in the file: the line of a text, the row of a sheet, the
    record from 1 of a binary file. `notes` are sentences about what was detected, repaired or left out, and `counts`
    how many rows or columns each repair touched.
    """

    path: Path
    kind: str  # the format
    vendor: str  # whose names the columns have, empty where that is not known
    positive: str  # what a positive current is in the file: charge, discharge, or empty where none flows
    time_s: Floats  # strictly rising, from the log's own times
    voltage_v: Floats
    current_a: Floats  # discharge positive
    temperature_k: Floats | None
    ah: Floats | None
    row: Rows
    rows_read: Rows  # of all rows of numbers in the file: those that are not in `row` were left out
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict[str, int])

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def duration_s(self) -> float:
        """From the first sample to the last."""
        return float(self.time_s[-1] - self.time_s[0])


def read_log(
    path: Path | str, columns: Mapping[str, str] | None = None, sign: str | None = None, cell: int | None = None
) -> CellLog:
    """Read a log in any format that `formats` knows, or a run folder.

    `columns` maps time, voltage, current, temperature, ah, ... to headers or to places from 1; a time such as `5s` is
    a fixed period from row to row. `sign` says which current is positive, "charge" or "discharge"; without it, the log
    must show it. `cell` chooses a cell of a run or of its export.
    Raise `LogError` with file, row and column for what cannot be read or repaired, `RunLogError` for a damaged run,
    `PackageMissing` for a format whose package is not installed.
    """
    path, given = Path(path), dict(columns or {})
    if (path / RUN_FILE).is_file():
        table, chosen = open_run(path, cell)
        given, sign = chosen | given, sign or DISCHARGE
    else:
        table = open_table(path, given)
        if cell is not None or (find_cells(table.names) and not given):
            given, sign = choose_cell(path, table.names, cell) | given, sign or DISCHARGE
    return _read(table, given, sign)


def _read(table: Table, given: Mapping[str, str], sign: str | None) -> CellLog:
    journal = RepairJournal()
    vendor = table.vendor_hint or find_vendor(table.names)
    journal.say(f"read as {table.kind}{f', columns of {vendor}' if vendor else ''}")
    samples = read_samples(table, choose_columns(table, given), journal)
    rows_read = samples.row
    samples = choose_clock(samples, journal)
    samples = scale_temperature(scale_voltage(samples, journal), journal)
    samples = _leave_out(samples, journal)
    samples = fill_counters(samples)
    counted = Role.CHARGE_AH in samples and Role.DISCHARGE_AH in samples
    samples = repair_clock(merge_counters(samples, journal), journal)
    samples = leave_out_saturated(scale_current(samples, journal), journal)
    _check_length(samples, len(samples))
    samples, positive = orient_current(samples, sign, vendor, counted, journal)
    samples = orient_counter(samples, journal)
    count_gaps(samples, journal)
    compare_counter(samples, journal)
    return CellLog(
        table.path,
        table.kind,
        vendor,
        positive,
        samples[Role.TIME],
        samples[Role.VOLTAGE],
        samples[Role.CURRENT],
        samples.get(Role.TEMPERATURE),
        samples.get(Role.AH),
        samples.row,
        rows_read,
        tuple(journal.notes),
        dict(journal.counts),
    )


def _leave_out(samples: Samples, journal: RepairJournal) -> Samples:
    """Leave out rows without a time, a voltage or a current, and those that no pack can have."""
    all_rows = len(samples)
    for role, highest in ((Role.TIME, np.inf), (Role.VOLTAGE, HIGHEST_V), (Role.CURRENT, HIGHEST_A)):
        values = samples[role]
        missing = ~np.isfinite(values)
        absurd = np.abs(np.where(missing, 0.0, values)) > highest
        for rows, what in ((missing, "without a value"), (absurd, "with a value that no pack has")):
            if number := int(rows.sum()):
                where = samples.locate(int(np.argmax(rows)), role)
                journal.count("left_out", number, f"{number} rows {what} left out, first {where}")
        samples = samples.keep(~(missing | absurd))
    _check_length(samples, all_rows)
    return samples


def _check_length(samples: Samples, all_rows: int) -> None:
    left = len(samples)
    if left < LEAST or left < MOST_LEFT_OUT * all_rows:
        what = f"has a time, a voltage and a current in only {left} of {all_rows} rows"
        hint = "check the columns: --columns time=...,voltage=...,current=..."
        raise refuse_log(samples.path, what, hint, value=left, bound=LEAST)
