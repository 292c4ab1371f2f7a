"""The times of a price table: one column of dates and times, or a date and an hour."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from control.tasks.price_file import quote

if TYPE_CHECKING:
    from control.tasks.price_file import PriceCells

HOUR_MIN: Final = 60
HOURS: Final = 24
MOST_HOURS: Final = 25  # of the day on which summer time ends
NAMES: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CLOCK: Final = r"(\d{1,2}):(\d{2})(?::00(?:\.0+)?)?"
NAMED: Final = re.compile(rf"(\d{{1,2}})([a-z]{{3}})(\d{{4}})(?:[ T]+{CLOCK})?", re.IGNORECASE)  # 01jan2022 00:00:00
NUMBERED: Final = re.compile(rf"(\d{{1,2}})([./])(\d{{1,2}})\2(\d{{4}})(?:[ T]+{CLOCK})?")  # 31.12.2022, 12/31/2022
OF_DAY: Final = re.compile(rf"(?:{CLOCK}|(\d{{1,2}}))(?:\s*-\s*({CLOCK}))?")  # 7, 07:00, 07:00 - 07:15
DATE_LENGTH: Final = len("2022-01-01")
YEAR: Final = re.compile(r"(\d{4})/(\d{1,2})/")
KNOWN: Final = "ISO 8601, 01jan2022 00:00:00, 31.12.2022 00:00, or a date with slashes"


class PriceTime(NamedTuple):
    """When a price begins: the day as `date.toordinal` counts, the minute of that day, and its offset from UTC.

    `offset_min` is None for a time without a zone, which is taken as the clock of the market.
    """

    day: int
    minute: int
    offset_min: int | None


class _Stamp(NamedTuple):
    day: int
    minute: int | None  # None: a date alone
    offset_min: int | None = None


class PriceTimes:
    """Finds the columns of time in a table, and reads them. `columns`: their numbers."""

    def __init__(self, cells: PriceCells) -> None:
        """Raise `BenchFileError` for a table without a time, or with dates that can be read in two ways."""
        self._cells, self._stamp = cells, _find_column(cells)
        self._day_first = self._find_order()
        self._hour = None if self._read_stamp(*cells.rows[0]).minute is not None else self._find_hour()
        self._ends = self._hour is not None and self._is_ending(self._hour)

    @property
    def columns(self) -> tuple[int, ...]:
        return (self._stamp,) if self._hour is None else (self._stamp, self._hour)

    def read(self, row: int, cells: list[str]) -> PriceTime:
        """Return the time of a row; raise `BenchFileError` for what is none."""
        day, minute, offset_min = self._read_stamp(row, cells)
        if self._hour is not None:
            minute = self._read_hour(row, cells[self._hour])
        if minute is None:
            what = f"holds {quote(cells[self._stamp])}, a date without a time"
            raise self._cells.mistake(what, "write the time beside it", row=row, column=self._stamp)
        return PriceTime(day, minute, offset_min)

    def _read_stamp(self, row: int, cells: list[str]) -> _Stamp:
        stamp = _read_stamp(cells[self._stamp], day_first=self._day_first)
        if stamp is None:
            what = f"holds {quote(cells[self._stamp])}, which is no time that is known"
            raise self._cells.mistake(what, f"write times as {KNOWN}", row=row, column=self._stamp)
        return stamp

    def _read_hour(self, row: int, cell: str) -> int:
        """Return the minute of the day at which the price begins."""
        found = OF_DAY.fullmatch(cell)
        if found:
            hour, minute = int(found[1] or found[3]), int(found[2] or 0)
            begins = hour * HOUR_MIN + minute - HOUR_MIN * (self._ends and not found[4])
            if hour <= MOST_HOURS and minute < HOUR_MIN and begins >= 0:
                return begins
        what = f"holds {quote(cell)}, which is no hour of a day"
        raise self._cells.mistake(what, "write 1 to 24, or a clock time", row=row, column=self._hour)

    def _find_hour(self) -> int:
        """Return the column of the hours beside a column of dates."""
        cells, (row, first) = self._cells, self._cells.rows[0]
        for column, cell in enumerate(first):
            is_named = "hour" in cells.header[column].lower()
            if column != self._stamp and OF_DAY.fullmatch(cell) and (is_named or ":" in cell):
                return column
        what = f"holds dates without a time, and no other column is called Hour or holds times such as {quote('07:00')}"
        raise cells.mistake(what, "add one", row=row, column=self._stamp)

    def _is_ending(self, column: int) -> bool:
        """Return whether an hour is named by its end: by the header, or by whether there is an hour 0 or 24."""
        cells, name = self._cells, self._cells.header[column].lower()
        hours = {row[column] for _, row in cells.rows}
        if "ending" in name or any("-" in hour for hour in hours):
            return "ending" in name
        numbers = {int(found[1] or found[3]) for hour in hours if (found := OF_DAY.fullmatch(hour))}
        if (0 in numbers) != (HOURS in numbers):
            return HOURS in numbers
        what = "does not tell whether an hour is named by its begin or by its end: it has not one of 0 and 24"
        raise cells.mistake(what, "call it Hour Ending, or write hours from 0 to 23", column=column)

    def _find_order(self) -> bool:
        """Return whether a date with slashes begins with the day; dates with dots always do."""
        found = [NUMBERED.match(row[self._stamp]) for _, row in self._cells.rows]
        slashed = [(int(one[1]), int(one[3])) for one in found if one and one[2] == "/"]
        if not slashed:
            return True
        day_first, month_first = (max(numbers) > len(NAMES) for numbers in zip(*slashed, strict=True))
        if day_first == month_first:
            what = "holds dates whose day and month cannot be told apart"
            raise self._cells.mistake(what, "write dates as 2022-12-31", column=self._stamp)
        return day_first


def _find_column(cells: PriceCells) -> int:
    """Return the first column whose first cell is a time, else the first that is called so."""
    row, first = cells.rows[0]
    found = (column for column, cell in enumerate(first) if NUMBERED.match(cell) or _read_stamp(cell))
    called = (column for column, name in enumerate(cells.header) if "time" in name.lower() or "date" in name.lower())
    if (column := next(found, next(called, None))) is None:
        what = f"has no column of times: its cells are {', '.join(map(quote, first))}"
        raise cells.mistake(what, f"write times as {KNOWN}", row=row)
    return column


def _read_stamp(cell: str, *, day_first: bool = True) -> _Stamp | None:
    """Return the time of a cell; of a period, its begin; None for what is no time."""
    cell = YEAR.sub(r"\1-\2-", cell.partition(" - ")[0].strip())
    if found := NUMBERED.fullmatch(cell):
        day, month = (found[1], found[3]) if day_first else (found[3], found[1])
        return _make_stamp((int(found[4]), int(month), int(day)), found[5], found[6])
    if found := NAMED.fullmatch(cell):
        month = NAMES.index(found[2].lower()) + 1 if found[2].lower() in NAMES else 0
        return _make_stamp((int(found[3]), month, int(found[1])), found[4], found[5])
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return None
    if moment.second or moment.microsecond:
        return None
    offset = moment.utcoffset()
    offset_min = None if offset is None else int(offset.total_seconds()) // 60
    minute_of_day = moment.hour * HOUR_MIN + moment.minute if len(cell) > DATE_LENGTH else None
    return _Stamp(moment.toordinal(), minute_of_day, offset_min)


def _make_stamp(of: tuple[int, int, int], hour: str | None, minute: str | None) -> _Stamp | None:
    """Return the time of year, month and day; None for a day or a clock that there is not."""
    try:
        ordinal = date(*of).toordinal()
    except ValueError:
        return None
    if hour is None or minute is None:
        return _Stamp(ordinal, None)
    is_clock = int(hour) < HOURS and int(minute) < HOUR_MIN
    return _Stamp(ordinal, int(hour) * HOUR_MIN + int(minute)) if is_clock else None
