"""Excel and OpenDocument workbooks: the sheet whose header is known best, with the sheets that continue it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.logs.choose import count_roles
from drivers.logs.grid import Header, find_header
from drivers.logs.optional import import_reader
from drivers.logs.table import Table, refuse_log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drivers.logs.table import Cells, RepairJournal, Rows

SAMPLE: Final = 200  # rows in which the header is looked for


def open_spreadsheet(path: Path, given: Mapping[str, str]) -> Table:
    """Return the table of a workbook; raise `LogError` for a damaged one or one without columns of numbers.

    Arbin divides a long test over sheets with the same header: their rows count on from sheet to sheet.
    """
    calamine = import_reader("python_calamine", path, "bench")
    try:
        book: Any = calamine.CalamineWorkbook.from_path(str(path))
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except BaseException as error:  # its decoder may panic, which is no `Exception`
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise refuse_log(
            path, "is no Excel or OpenDocument workbook that can be read", "save it again as .xlsx"
        ) from error
    headers = {name: _read_header(rows, given) for name, rows in sheets.items()}
    known = {name: header for name, header in headers.items() if header is not None}
    if not known:
        raise refuse_log(path, "holds no sheet with columns of numbers", "name a workbook with a log of a cell")
    best = max(known, key=lambda name: (count_roles(known[name].names), len(sheets[name])))
    header = known[best]
    parts = [name for name in known if known[name].names == header.names]

    def take(places: Sequence[int], _: RepairJournal) -> tuple[list[Cells], Rows]:
        rows: list[Sequence[Any]] = []
        numbers: list[int] = []
        before = 0
        for name in parts:
            first = known[name].first
            rows += sheets[name][first:]
            numbers += range(before + first + 1, before + len(sheets[name]) + 1)
            before += len(sheets[name])
        columns = [np.array([_cell(row, place) for row in rows] + [None], dtype=object)[:-1] for place in places]
        return columns, np.array(numbers, dtype=np.int64)

    return Table(f"workbook, sheet {', '.join(parts)}", path, header.names, take, header.units, has_header=header.found)


def _read_header(rows: Sequence[Sequence[Any]], given: Mapping[str, str]) -> Header | None:
    return find_header([[str(cell) for cell in row] for row in islice(rows, SAMPLE)], given, decimal_comma=False)


def _cell(row: Sequence[Any], place: int) -> Any:
    return row[place] if place < len(row) and row[place] != "" else None
