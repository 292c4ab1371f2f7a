"""Times of a log as seconds: numbers with a unit, dates, `HH:MM:SS`, and durations with days."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.logs.numbers import to_numbers

if TYPE_CHECKING:
    from drivers.logs.table import Cells
    from drivers.logs.units import Unit
    from drivers.snapshot import Flags, Floats

_DURATION: Final = re.compile(
    r"(?:(\d+)\s*(?:d|day|days)?[ \-,.:]+)?(\d+):(\d{1,2}):(\d{1,2})(?:[.,:](\d+))?", re.IGNORECASE
)
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,:](\d+))?)?\s*([AaPp]\.?[Mm]\.?)?")
_YEAR_FIRST: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{2,4})")
_NAMED: Final = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3})[a-z]*[- ](\d{2,4})")
_NAMED_FIRST: Final = re.compile(r"([A-Za-z]{3})[a-z]*\.?[- ](\d{1,2}),?[- ](\d{4})")
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CENTURY: Final = 100
_TWELVE: Final = 12


def to_seconds(cells: Cells, unit: Unit | None, *, decimal_comma: bool) -> tuple[Floats, Flags]:
    """Return times in s and which cells hold text that is no time; dates count from 1970, without a time zone."""
    if cells.dtype.kind == "M":
        return _from_stamps(cells)
    if cells.dtype.kind == "m":
        return _from_spans(cells)
    scale = unit.scale if unit else 1.0
    if cells.dtype.kind != "O" or not _is_text(cells):
        numbers, wrong = to_numbers(cells, decimal_comma=decimal_comma)
        return _scale(numbers, scale), wrong
    times = _read_iso(cells)
    if times is None:
        day_first = is_day_first(cells)
        known = {cell: to_time(cell, day_first=day_first) for cell in set(cells.tolist())}
        times = np.array([known[cell] for cell in cells.tolist()], dtype=np.float64)
    other = np.flatnonzero(np.isnan(times))
    numbers, wrong = to_numbers(cells[other], decimal_comma=decimal_comma)
    times[other] = _scale(numbers, scale)
    no_time = np.zeros(len(cells), dtype=bool)
    no_time[other] = wrong
    return times, no_time


def _is_text(cells: Cells) -> bool:
    """Return whether the first cell that is not empty is a date or a time, as text or as an object."""
    for cell in cells.tolist():
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        return not math.isnan(to_time(cell, day_first=True)) or not math.isnan(to_time(cell, day_first=False))
    return False


def _read_iso(cells: Cells) -> Floats | None:
    """Return times as `2018-11-20 10:41:24.5` in s, the fast way; None where any cell is written otherwise."""
    if not all(isinstance(cell, str) and _ISO.fullmatch(cell) for cell in cells.tolist()):
        return None
    try:
        return cells.astype("datetime64[us]").astype(np.int64) / 1e6
    except ValueError:  # a day that no month has
        return None


def to_time(cell: Any, *, day_first: bool) -> float:
    """Return one time in s, NaN for what is none: a `datetime`, a duration, or a text of either."""
    if isinstance(cell, datetime):
        return (cell.replace(tzinfo=cell.tzinfo or UTC) - _EPOCH).total_seconds()
    if isinstance(cell, date):
        return (datetime(cell.year, cell.month, cell.day, tzinfo=UTC) - _EPOCH).total_seconds()
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if isinstance(cell, time):
        return cell.hour * 3600.0 + cell.minute * 60.0 + cell.second + cell.microsecond * 1e-6
    return parse_time(cell, day_first=day_first) if isinstance(cell, str) else math.nan


def parse_time(text: str, *, day_first: bool = False) -> float:
    """Return the time in s that a text holds: `12:30:05.25`, `1d 02:00:00`, `2018-11-20 10:41`, `20-Nov-18 1:02 PM`."""
    text = text.strip().strip("'\"")
    if found := _DURATION.fullmatch(text):
        days, hours, minutes, seconds = (float(part or 0) for part in found.groups()[:4])
        return 86400.0 * days + 3600.0 * hours + 60.0 * minutes + seconds + _fraction(found[5])
    day, rest = _parse_day(text, day_first=day_first)
    if math.isnan(day):
        return math.nan
    rest = re.sub(r"(Z|[+-]\d{2}:?\d{2})$", "", rest.strip(" T,")) or "0:00"
    found = _CLOCK.fullmatch(rest.strip())
    return math.nan if found is None else day + _read_clock(found)


def is_day_first(cells: Cells) -> bool:
    """Return whether dates such as `20/11/2018` have the day first.

    Dots or a first number above 12 say so, a second one above 12 denies it; else the number that changes more is the
    day.
    """
    texts = (cell.strip().strip("'\"") for cell in cells.tolist() if isinstance(cell, str))
    found = [match for match in map(_YEAR_LAST.match, texts) if match is not None]
    firsts, seconds = ({int(match[k]) for match in found} for k in (1, 2))
    if max(seconds, default=0) > _TWELVE:
        return False
    dotted = any("." in match[0] for match in found)
    return dotted or max(firsts, default=0) > _TWELVE or len(firsts) > len(seconds)


def _parse_day(text: str, *, day_first: bool) -> tuple[float, str]:
    """Return the day in s since 1970 and the text behind it; NaN where no day stands."""
    if found := _YEAR_FIRST.match(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _YEAR_LAST.match(text):
        first, second, year = (int(part) for part in found.groups())
        day, month = (first, second) if day_first else (second, first)
    elif (found := _NAMED.match(text)) and found[2].lower() in _MONTHS:
        day, month, year = int(found[1]), _MONTHS.index(found[2].lower()) + 1, int(found[3])
    elif (found := _NAMED_FIRST.match(text)) and found[1].lower() in _MONTHS:
        day, month, year = int(found[2]), _MONTHS.index(found[1].lower()) + 1, int(found[3])
    else:
        return math.nan, ""
    try:
        moment = datetime(year + 2000 if year < _CENTURY else year, month, day, tzinfo=UTC)
    except ValueError:
        return math.nan, ""
    return (moment - _EPOCH).total_seconds(), text[found.end() :]


def _read_clock(found: re.Match[str]) -> float:
    hour = int(found[1])
    if found[5]:
        hour = hour % _TWELVE + (_TWELVE if found[5][0] in "pP" else 0)
    return 3600.0 * hour + 60.0 * int(found[2]) + float(found[3] or 0) + _fraction(found[4])


def _fraction(digits: str | None) -> float:
    return float(f"0.{digits}") if digits else 0.0


def _scale(numbers: Floats, scale: float) -> Floats:
    with np.errstate(over="ignore"):  # a number beyond all times stays infinite
        return numbers * scale


def _from_stamps(cells: Cells) -> tuple[Floats, Flags]:
    stamps = cells.astype("datetime64[us]")
    seconds = stamps.astype(np.int64) / 1e6
    seconds[np.isnat(stamps)] = np.nan
    return seconds, np.zeros(len(cells), dtype=bool)


def _from_spans(cells: Cells) -> tuple[Floats, Flags]:
    spans = cells.astype("timedelta64[us]")
    seconds = spans.astype(np.int64) / 1e6
    seconds[np.isnat(spans)] = np.nan
    return seconds, np.zeros(len(cells), dtype=bool)
