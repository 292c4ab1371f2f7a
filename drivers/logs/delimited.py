"""Text with columns: any delimiter, decimal comma or point, a preamble before the header, units below it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.grid import find_header
from drivers.logs.table import Table, refuse_log, things

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from drivers.logs.grid import Header
    from drivers.logs.table import Cells, RepairJournal, Rows

SAMPLE: Final = 500  # lines in which delimiter, decimal sign and header are looked for
DELIMITERS: Final = ("\t", ";", "|", ",", " ")  # the earlier one where two divide the lines alike
NEARLY: Final = 0.8  # of the lines that the best delimiter divides alike
_COMMA: Final = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_GROUPS: Final = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_POINT: Final = re.compile(r"[+-]?\d+\.\d+([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class _Layout:
    text: str
    delimiter: str
    width: int
    header: Header


def open_delimited(path: Path, text: str, given: Mapping[str, str]) -> Table:
    """Return the table in a text; raise `LogError` where it holds no columns of numbers."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise refuse_log(path, "is empty", "export the log again")
    lines = list(islice(_lines(text), SAMPLE))
    delimiter = find_delimiter(lines)
    sample = list(_split(iter(lines), delimiter))
    comma = has_decimal_comma(sample, groups=delimiter == ",")
    header = find_header(sample, given, decimal_comma=comma or delimiter == ",")
    if header is None:
        hint = "export columns of time, voltage and current with their names in one row"
        raise refuse_log(path, f"holds no columns of numbers in its first {len(lines)} lines", hint)
    width = Counter(map(len, sample[header.first :])).most_common(1)
    layout = _Layout(text, delimiter, width[0][0] if width else len(header.names), header)
    _check_commas(path, layout, sample)
    shown = {"\t": "tabs", " ": "blanks"}.get(delimiter, f"'{delimiter}'")
    kind = f"text divided by {shown}{', with decimal commas' if comma else ''}"

    def take(places: Sequence[int], journal: RepairJournal) -> tuple[list[Cells], Rows]:
        return _take(layout, places, journal)

    return Table(kind, path, header.names, take, header.units, comma, header.found)


def find_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that divides most lines into the same number of columns, two or more."""
    scores: dict[str, int] = {}
    for delimiter in DELIMITERS:
        widths = Counter(len(row) for row in _split(iter(lines), delimiter) if len(row) > 1)
        scores[delimiter] = widths.most_common(1)[0][1] if widths else 0
    best = max(scores.values())
    return next(delimiter for delimiter, score in scores.items() if score >= NEARLY * best)


def has_decimal_comma(rows: Sequence[Sequence[str]], *, groups: bool) -> bool:
    """Return whether numbers are written `3,65`: more cells look so than like `3.65`.

    With `groups`, a cell such as `1,234` is a group of thousands.
    """
    cells = [cell.strip() for row in rows for cell in row]
    commas = [cell for cell in cells if _COMMA.fullmatch(cell) and not (groups and _GROUPS.fullmatch(cell))]
    return len(commas) > sum(bool(_POINT.fullmatch(cell)) for cell in cells)


def _check_commas(path: Path, layout: _Layout, sample: Sequence[Sequence[str]]) -> None:
    """Refuse text divided by commas whose numbers have decimal commas too: nobody can tell them apart."""
    header = layout.header
    names = len([name for name in header.names if name])
    row: Sequence[str] = sample[header.first] if header.first < len(sample) else ()
    if (
        layout.delimiter == ","
        and header.found
        and len(row) > names + 2
        and all(cell.strip().lstrip("+-").isdigit() for cell in row)
    ):
        what = (
            f"has {len(row)} whole numbers under {names} names: commas divide the columns and stand in the numbers too"
        )
        raise refuse_log(path, what, "export with semicolons, or with decimal points", row=header.first + 1)


def _take(layout: _Layout, places: Sequence[int], journal: RepairJournal) -> tuple[list[Cells], Rows]:
    columns: list[list[str]] = [[] for _ in places]
    rows: list[int] = []
    short: list[int] = []
    needed = max(places, default=0) + 1
    lines = islice(_lines(layout.text), layout.header.first, None)
    for number, row in enumerate(_split(lines, layout.delimiter), layout.header.first + 1):
        if len(row) > needed or len(row) >= max(needed, layout.width):  # a cell before another one is whole
            rows.append(number)
            for column, place in zip(columns, places, strict=True):
                column.append(row[place])
        elif any(cell.strip() for cell in row):
            short.append(number)
    if short:
        end = ", the last one: the file is cut off there" if rows and short[-1] > rows[-1] else ""
        what = f"{things(len(short), 'row')} with fewer columns than the others left out"
        journal.count("short_rows", len(short), f"{what}, first row {short[0]}{end}")
    return [np.array(column, dtype=object) for column in columns], np.array(rows, dtype=np.int64)


def _lines(text: str) -> Iterator[str]:
    """Return the lines as an editor counts them."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end + 1


def _split(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    """Return the cells of each line; a quote that stays open ends with its line, so that rows stay lines."""
    for line in lines:
        if delimiter == " ":
            yield line.split()
        elif '"' in line and len(line) < csv.field_size_limit():
            yield from csv.reader([line], delimiter=delimiter)
        else:
            yield line.split(delimiter)
