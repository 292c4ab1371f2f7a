"""The cells of a price table as text: CSV as editors and spreadsheets write it, or Parquet; with the row of each."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import BenchFileError, PackageMissing, describe_error
from drivers.regular_file import read_regular
from drivers.text_encoding import decode_any

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 64 * 2**20
SEPARATORS: Final = ",;\t"
LINE_END: Final = re.compile(r"\r\n|\r|\n")
DECLARED: Final = "sep="  # a first line of Excel: `sep=;`
PARQUET: Final = b"PAR1"
SPREADSHEETS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # xlsx and ods are zip files, xls an OLE file
SHOWN: Final = 40  # characters of a cell in a message


@dataclass(frozen=True)
class PriceCells:
    """A table of text: the names of the columns, and the cells of each row with its number in the file (from 1).

    `has_comma`: whether a comma is a decimal point. Row numbers of a Parquet file count its rows without a header.
    """

    path: Path
    header: list[str]
    rows: list[tuple[int, list[str]]]
    has_comma: bool = False

    def parse(self, text: str) -> float:
        """Return a number; NaN for what is none."""
        if self.has_comma and "." not in text:
            text = text.replace(",", ".", 1)
        try:
            return math.nan if "_" in text else float(text)
        except ValueError:
            return math.nan

    def mistake(self, what: str, hint: str, *, row: int | None = None, column: int | None = None) -> BenchFileError:
        """Return an error about the file, or about a row and a column of it."""
        key = None if column is None else self.header[column]
        what = what if key is None else f'column "{key}" {what}'
        return BenchFileError(what, where=str(self.path), line=row, key=key, hint=hint)


def read_cells(path: Path) -> PriceCells:
    """Read a table; raise `BenchFileError` for what is none, `PackageMissing` for Parquet without pyarrow."""
    try:
        raw = read_regular(path, MAX_BYTES)
    except OSError as error:
        hint = "name the file of a price table"
        raise BenchFileError(f"cannot be read: {error.strerror}", where=str(path), hint=hint) from error
    if raw.startswith(SPREADSHEETS):
        hint = "save the sheet of the prices as CSV"
        raise BenchFileError("is a spreadsheet, not a CSV or Parquet table", where=str(path), hint=hint)
    cells = _read_parquet(path, raw) if raw.startswith(PARQUET) else _read_csv(path, raw)
    if not cells.rows:
        raise cells.mistake("is empty: it has no row below its header", "name a table with prices")
    for number, row in cells.rows:
        if len(row) != len(cells.header):
            what = f"has {len(row)} cells, the header {len(cells.header)}"
            raise cells.mistake(what, "write one cell for each column", row=number)
    return cells


def quote(text: str) -> str:
    """Return a cell as a message shows it."""
    return f'"{text[:SHOWN]}"'


def _read_csv(path: Path, raw: bytes) -> PriceCells:
    try:
        lines = LINE_END.split(decode_any(raw).lstrip("\ufeff"))
    except UnicodeDecodeError as error:
        what = f"is not {error.encoding.upper()} text"
        raise BenchFileError(what, where=str(path), hint="save it as CSV in UTF-8") from error
    first = next((number for number, line in enumerate(lines) if line.strip(SEPARATORS + " ")), None)
    if first is not None and lines[first].lower().startswith(DECLARED):
        first += 1
    if first is None or first >= len(lines):
        raise BenchFileError("is empty", where=str(path), hint="name a table with prices")
    separator = max(SEPARATORS, key=lambda one: len(_split(path, first, lines[first], one)))
    header = _split(path, first, lines[first], separator)
    while header and not header[-1]:  # a spreadsheet writes all its columns
        header.pop()
    rows: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines[first + 1 :], first + 1):
        if line.strip(SEPARATORS + " "):
            cells = _split(path, number, line, separator)
            while len(cells) > len(header) and not cells[-1]:
                cells.pop()
            rows.append((number + 1, cells))
    return PriceCells(path, header, rows, has_comma=separator != ",")


def _split(path: Path, number: int, line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), list[str]())]
    except csv.Error as error:
        hint = "save it as CSV"
        raise BenchFileError(f"cannot be read: {error}", where=str(path), line=number + 1, hint=hint) from error


def _read_parquet(path: Path, raw: bytes) -> PriceCells:
    try:
        parquet: Any = import_module("pyarrow.parquet")  # a quarter of a second
    except ImportError as error:
        hint = 'install "pulsebms[bench]", or save it as CSV'
        raise PackageMissing("needs the package pyarrow", where=str(path), hint=hint) from error
    try:
        table: Any = parquet.read_table(io.BytesIO(raw))
        columns = [[_format(value) for value in column.to_pylist()] for column in table.columns]
    except Exception as error:  # its exceptions have no common base
        what = f"is not a Parquet table: {describe_error(error)}"
        raise BenchFileError(what, where=str(path), hint="write it anew, or save it as CSV") from error
    rows = [list(row) for row in zip(*columns, strict=True)]
    return PriceCells(path, list(map(str, table.column_names)), list(enumerate(rows, 1)))


def _format(value: Any) -> str:
    """Return a cell as text; empty for what is missing."""
    if value is None or value != value:  # noqa: PLR0124  # NaN
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value).strip()
