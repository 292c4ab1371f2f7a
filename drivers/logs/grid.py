"""The header of a grid of cells: which row names the columns, which one their units, and where the numbers begin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.logs.choose import count_roles
from drivers.logs.numbers import parse_number
from drivers.logs.times import parse_time
from drivers.logs.units import is_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAST: Final = 2  # names that the table must know, or numbers in a row, before a row counts as header or as data
BETWEEN: Final = 4  # rows that may stand between the header and the numbers: units, blanks


@dataclass(frozen=True, slots=True)
class Header:
    """Where the columns are named; `first` is the place of the first row of numbers among the rows."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    first: int
    found: bool = True


def find_header(rows: Sequence[Sequence[str]], given: Mapping[str, str], *, decimal_comma: bool) -> Header | None:
    """Return the header among the first rows of a file, one without names where a file begins with numbers, or None.

    The header is the row with most names of the table, else the one that holds the names that the user gives, else
    the text before the first row of numbers.
    """
    data = [_is_data(row, decimal_comma=decimal_comma) for row in rows]
    place = _most_known([() if is_data else row for row, is_data in zip(rows, data, strict=True)])
    if True not in data:
        return None if place is None else Header(_strip(rows[place]), (), len(rows))
    if place is None:
        place = _holding(rows, set(given.values()))
    if place is None:
        first = data.index(True)
        wide = [at for at in range(max(0, first - BETWEEN), first) if len(rows[at]) >= max(LEAST, len(rows[first]) - 1)]
        if not wide:
            names = tuple(f"{k} ({cell.strip()})" for k, cell in enumerate(rows[first], 1))
            return Header(names, (), first, found=False)
        place = wide[0]
    later = range(place + 1, min(place + 1 + BETWEEN, len(rows)))
    first = next((at for at in later if data[at]), place + 1)
    return Header(_strip(rows[place]), _read_units(rows[place + 1 : first]), first)


def _is_data(row: Sequence[str], *, decimal_comma: bool) -> bool:
    cells = [cell for cell in row if cell.strip()]
    numbers = sum(not math.isnan(parse_number(cell, decimal_comma=decimal_comma)) for cell in cells)
    times = sum(not math.isnan(parse_time(cell)) for cell in cells[:8])
    return numbers >= LEAST and numbers + times >= LEAST and not any(is_unit(c) and len(c) > 1 for c in cells)


def _most_known(rows: Sequence[Sequence[str]]) -> int | None:
    known = [count_roles(row) for row in rows]
    best = max(known, default=0)
    return known.index(best) if best >= LEAST else None


def _holding(rows: Sequence[Sequence[str]], names: set[str]) -> int | None:
    wanted = {name.strip().lower() for name in names}
    held = [len(wanted & {cell.strip().lower() for cell in row}) for row in rows]
    best = max(held, default=0)
    return held.index(best) if best >= LEAST else None


def _read_units(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    for row in rows:
        if any(is_unit(cell) for cell in row):
            return tuple(cell.strip().strip("[]()") for cell in row)
    return ()


def _strip(row: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell.strip().strip("'\"").strip() for cell in row)
