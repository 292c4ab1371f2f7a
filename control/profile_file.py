"""The CSV file of a current profile, as editors and spreadsheets write it: encoding, separator, decimal point."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.errors import BenchFileError
from drivers.text_encoding import decode_any

if TYPE_CHECKING:
    from collections.abc import Iterator

SEPARATORS: Final = ",;\t"
LINE_END: Final = re.compile(r"\r\n|\r|\n")
HEADERS: Final = (["t_s", "current_a"], ["t_s", "c_rate"])
COLUMNS: Final = 2
DECLARED: Final = "sep="  # a first line of Excel: `sep=;`


class ProfileFile:
    """A file in UTF-8, UTF-16 or UTF-32, whose first line names its columns.

    `is_rate`: whether the second column is in C. Columns are separated by commas, semicolons or tabs. Numbers may have
    decimal commas where commas do not separate columns. Empty lines are skipped.
    """

    def __init__(self, name: str) -> None:
        """Read the file `name` and its first line; raise `BenchFileError` if that is none of `HEADERS`."""
        self._name = name
        self.last_line = 1
        lines = LINE_END.split(_read_text(name))
        self._lines = [(number, line) for number, line in enumerate(lines, 1) if line.strip(SEPARATORS + " ")]
        if self._lines and self._lines[0][1].lower().startswith(DECLARED):
            self._lines = self._lines[1:]
        number, first = self._lines[0] if self._lines else (1, "")
        self._separator = next((one for one in SEPARATORS if one in first), SEPARATORS[0])
        found = self._split(number, first)
        if found not in HEADERS:
            said = f'its first line is "{first.strip()[:60]}"' if first else "it is empty"
            bound = " or ".join(SEPARATORS[0].join(header) for header in HEADERS)
            what, hint = f"is not a current profile: {said}", f"write {bound} in the first line"
            raise BenchFileError(what, where=name, line=number, value=first[:200], bound=bound, hint=hint)
        self.is_rate = found == HEADERS[1]

    def read_numbers(self) -> Iterator[tuple[int, list[float]]]:
        """Yield each line's place in the file and its numbers; raise `BenchFileError` for another content."""
        for number, line in self._lines[1:]:
            self.last_line = number
            cells = self._split(number, line)
            values = [self._parse(cell) for cell in cells]
            if len(values) != COLUMNS or not all(map(math.isfinite, values)):
                raise self._mistake(number, line, "is not two numbers")
            yield number, values

    def _split(self, number: int, line: str) -> list[str]:
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=self._separator))]
        except csv.Error as error:
            raise self._mistake(number, line, f"cannot be read: {error}") from error
        while len(cells) > COLUMNS and not cells[-1]:  # a spreadsheet writes all its columns
            cells.pop()
        return cells

    def _parse(self, cell: str) -> float:
        """Return the number, NaN for what is none; a comma is the decimal point where it separates no columns."""
        if self._separator != "," and "." not in cell:
            cell = cell.replace(",", ".", 1)
        try:
            return math.nan if "_" in cell else float(cell)
        except ValueError:
            return math.nan

    def _mistake(self, number: int, line: str, what: str) -> BenchFileError:
        hint = "write time in s, and current in A or in C"
        if self._separator == "," and line.count(",") >= COLUMNS:
            hint += ": decimal points, or semicolons between the columns"
        elif "," in line and "." in line:
            hint += ": without a separator of thousands"
        return BenchFileError(what, where=self._name, line=number, value=line[:200], hint=hint)


def _read_text(name: str) -> str:
    try:
        return decode_any(Path(name).read_bytes()).lstrip("\ufeff")
    except OSError as error:
        hint = "check the file of the lane"
        raise BenchFileError(f"cannot be read: {error.strerror}", where=name, key="file", hint=hint) from error
    except UnicodeDecodeError as error:
        what, hint = f"is not {error.encoding.upper()} text", "save it as UTF-8"
        raise BenchFileError(what, where=name, key="file", bound="UTF-8", hint=hint) from error
