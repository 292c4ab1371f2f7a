"""Per-cycle tables: which columns are features, and what a model sees of a row: lately, and when it was new."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.snapshot import Flags, Floats
    from drivers.table_file import NamedTable, Numbers, Texts

CELLS: Final = ("cell", "cell_id", "battery", "battery_id", "id")
CYCLES: Final = ("cycle", "cycle_row", "cycle_number", "cycle_index", "idx", "rpt number", "rpt_number")
CAPACITIES: Final = ("capacity", "capacity_ah", "discharge_capacity", "discharge_capacity_ah")
# Charge that went in, and what is computed from it or from the answer, is never a feature.
FORBIDDEN: Final = frozenset(
    ("q", "ah", "mah", "wh", "kwh", "capacity", "energy", "soh", "soc", "soe", "rul", "remaining", "throughput")
)
COUNTS: Final = frozenset({*CYCLES, "", "unnamed", "index", "row", "start", "date", "ambient", "dur"})
LATELY: Final = 9  # rows of the median
NEW: Final = 5  # first rows whose median is the new cell
MIXED: Final = 0.5  # of the rows: fewer pairs of cell and cycle are several cells under one name
SAME: Final = 1e-6  # of its greatest value: a column that varies less is the same in every row
OUTLIER: Final = 0.2  # of capacity, from the median of the rows around it
AROUND: Final = 21  # rows


@dataclass(frozen=True)
class CycleRows:
    """Rows of cells in the order of their cycles: `values[rows, names]`, NaN where missing; `capacity_ah` if known."""

    names: tuple[str, ...]
    values: Floats
    cell: Texts
    row: Numbers
    capacity_ah: Floats | None

    def __len__(self) -> int:
        return len(self.row)

    def keep(self, rows: Flags) -> CycleRows:
        """Return the rows that are true in `rows`."""
        capacity = None if self.capacity_ah is None else self.capacity_ah[rows]
        return CycleRows(self.names, self.values[rows], self.cell[rows], self.row[rows], capacity)

    def group(self) -> dict[str, Numbers]:
        """Return the places of the rows of each cell, in order."""
        if not len(self):
            return {}
        order = np.argsort(self.cell, kind="stable")
        names, first = np.unique(self.cell[order], return_index=True)
        return dict(zip(names.tolist(), np.split(order, first[1:]), strict=True))


def choose_features(names: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that may be features: no capacity, no charge, no name, no count of cycles."""
    return tuple(name for name in names if not is_forbidden(name) and name.strip().lower() not in {*CELLS, *COUNTS})


def is_forbidden(name: str) -> bool:
    """Return whether a column holds a charge or something computed from the capacity."""
    words = re.split(r"[^a-z]+", name.strip().lower())
    return bool(FORBIDDEN & set(words))


def read_cycles(table: NamedTable, features: tuple[str, ...] = (), cell: str = "", capacity: str = "") -> CycleRows:
    """Return the rows of a table; without `features`, every column with numbers that may be one.

    `cell`: the columns that name a cell together, separated by commas. Raise `LogError` where a named column is
    missing, no column is a feature, or several cells have the same name.
    """
    keys = tuple(name.strip() for name in cell.split(",") if name.strip())
    table.require([name for name in (*features, *keys, capacity) if name])
    if forbidden := [name for name in features if is_forbidden(name)]:
        what = f"{forbidden[0]} is a charge or a capacity, which is never a feature"
        raise LogError(what, where=str(table.path), key=forbidden[0], hint="name other columns")
    chosen = features or tuple(n for n in choose_features(table.names) if np.isfinite(table.take_numbers(n)).any())
    chosen = tuple(name for name in chosen if name not in {*keys, capacity})
    if not chosen:
        raise LogError("has no column that is a feature", where=str(table.path), hint="export charge times, voltages")
    keys = keys or tuple(name for name in CELLS if name in table)[:1]
    known = capacity or next((name for name in CAPACITIES if name in table), "")
    cycle = next((name for name in CYCLES if name in table), "")
    parts = [table.take_texts(key).tolist() for key in keys] or [[table.path.stem] * len(table)]
    named = np.array(["/".join(names) for names in zip(*parts, strict=True)], dtype=np.str_)
    if cycle:
        _refuse_mixed(table, named, cycle)
    order = np.lexsort((table.take_numbers(cycle), named)) if cycle else np.arange(len(table))
    values = np.column_stack([table.take_numbers(name) for name in chosen])
    values[~np.isfinite(values)] = np.nan
    capacity_ah = table.take_numbers(known)[order] if known else None
    return CycleRows(chosen, values[order], named[order], table.row[order], capacity_ah)


def _refuse_mixed(table: NamedTable, named: Texts, cycle: str) -> None:
    """Raise `LogError` where most rows share cell and cycle with another row: cells of one name are mixed."""
    number = table.take_numbers(cycle)
    pairs, count = np.unique(np.rec.fromarrays([named, number]), return_counts=True)
    if len(pairs) > MIXED * len(table):
        return
    first = pairs[int(np.argmax(count))]
    what = f"has {count.max()} rows of cell {first[0]} with {cycle} {first[1]:g}"
    hint = "name all columns that tell cells apart: --cell-column Group,Cell"
    raise LogError(what, where=str(table.path), key="cell", hint=hint)


def keep_varying(rows: CycleRows) -> tuple[CycleRows, tuple[str, ...]]:
    """Return the rows with those features alone that vary, and the names of the others; raise `LogError` if none."""
    varies = np.array([_varies(column) for column in rows.values.T], dtype=np.bool_)
    if not varies.any():
        what = f"no feature varies: {', '.join(rows.names)}"
        raise LogError(what, key="column", hint="teach a table with charge times or voltages of each cycle")
    kept = tuple(name for name, is_one in zip(rows.names, varies, strict=True) if is_one)
    others = tuple(name for name in rows.names if name not in kept)
    return replace(rows, names=kept, values=rows.values[:, varies]), others


def _varies(column: Floats) -> bool:
    known = column[np.isfinite(column)]
    return len(known) > 1 and float(np.ptp(known)) > SAME * float(np.abs(known).max())


def find_sound(rows: CycleRows) -> Flags:
    """Return which rows have a capacity that can be taught: positive, and no outlier among the rows around it."""
    sound = np.zeros(len(rows), dtype=np.bool_)
    if rows.capacity_ah is None:
        return sound
    for places in rows.group().values():
        capacity = np.where(rows.capacity_ah[places] > 0.0, rows.capacity_ah[places], np.nan)
        usual = slide_median(capacity, AROUND, centred=True)
        with np.errstate(invalid="ignore"):
            sound[places] = np.abs(capacity / usual - 1.0) <= OUTLIER
    return sound


def view_rows(rows: CycleRows, logarithmic: Flags) -> Floats:
    """Return features `[rows, 2 names]`: the median of each value over the last rows, and over the first rows.

    Only this row and earlier ones of the cell are used. A missing value is the last known one of its cell.
    """
    values = rows.values.copy()
    values[:, logarithmic] = np.log(np.where(values[:, logarithmic] > 0.0, values[:, logarithmic], np.nan))
    lately, new = np.full_like(values, np.nan), np.full_like(values, np.nan)
    for places in rows.group().values():
        for name in range(values.shape[1]):
            column = _hold_last(values[places, name])
            lately[places, name] = slide_median(column, LATELY)
            new[places, name] = _find_new(column)
    return np.hstack([lately, new])


def slide_median(values: Floats, length: int, *, centred: bool = False) -> Floats:
    """Return the median of the last `length` values up to each, or of those around it; NaN are left out."""
    before, after = (length // 2, length // 2) if centred else (length - 1, 0)
    padded = np.concatenate([np.full(before, np.nan), values, np.full(after, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, before + after + 1)
    ordered, known = np.sort(windows, axis=1), np.isfinite(windows).sum(axis=1)
    lower, upper = np.maximum(known - 1, 0) // 2, known // 2
    row = np.arange(len(values))
    return 0.5 * (ordered[row, lower] + ordered[row, np.minimum(upper, np.maximum(known - 1, 0))])


def _hold_last(values: Floats) -> Floats:
    last = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), -1))
    return np.where(last < 0, np.nan, values[np.maximum(last, 0)])


def _find_new(values: Floats) -> Floats:
    """Return the median of the first rows that are known at each row."""
    begun = [float(np.median(values[: k + 1])) for k in range(min(NEW, len(values)))]
    return np.concatenate([begun, np.full(len(values) - len(begun), begun[-1])])
