"""A published table of prices: its whole days, of which a task draws episodes."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from control.tasks.price_file import quote, read_cells
from control.tasks.price_times import HOUR_MIN, PriceTime, PriceTimes
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from control.tasks.price_file import PriceCells
    from drivers.snapshot import Columns, Floats

UNITS: Final[Mapping[str, float]] = {"EUR/kWh": 1.0, "EUR/MWh": 1e-3}  # to EUR/kWh
UNIT: Final = re.compile(r"([^\s()\[\],;/]+)\s*/\s*([kM])Wh", re.IGNORECASE)  # of a header
EURO: Final = ("EUR", "EURO", "€")
DAY_MIN: Final = 24 * HOUR_MIN
QUARTERS: Final = 96  # of a day
PARTS: Final = (24, 48, QUARTERS)  # prices of a whole day
DAY_HASH: Final = 12  # characters
SUNDAY: Final = 6
SUMMER_ENDS_MIN: Final = 4 * HOUR_MIN  # the hour that occurs twice lies before
HOUR_PARTS: Final = 4  # quarters
_Entries: TypeAlias = dict[PriceTime, tuple[int, float]]  # row and price


@dataclass(frozen=True, eq=False)
class PriceTable:
    """Whole days of a table: `days[n]` as `date.toordinal` counts, `eur_kwh[n, 96]` of each quarter of an hour.

    `skipped`: days between them that are not whole: on which summer time begins or ends, or with a missing price.
    """

    path: Path
    column: str
    days: Columns
    eur_kwh: Floats
    skipped: tuple[int, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of the days and their prices, whatever the file looks like."""
        content = self.days.astype("<i8").tobytes() + self.eur_kwh.astype("<f8").tobytes()
        return hashlib.sha256(content).hexdigest()

    @property
    def day_hashes(self) -> tuple[str, ...]:
        """A short hash of each day with its prices, by which a day is known again in another table."""
        days = zip(self.days.astype("<i8"), self.eur_kwh.astype("<f8"), strict=True)
        return tuple(hashlib.sha256(day.tobytes() + prices.tobytes()).hexdigest()[:DAY_HASH] for day, prices in days)

    @property
    def hourly(self) -> Floats:
        """`[n, 24]`: the mean price of each hour (EUR/kWh)."""
        return self.eur_kwh.reshape(len(self.days), -1, HOUR_PARTS).mean(axis=2)

    def cut(self, begin: date | None, end: date | None) -> PriceTable:
        """Return the days from `begin` to before `end`; raise `BenchFileError` if there is none."""
        low = 0 if begin is None else begin.toordinal()
        high = date.max.toordinal() if end is None else end.toordinal()
        is_within = (self.days >= low) & (self.days < high)
        if not is_within.any():
            first, last = (date.fromordinal(int(day)) for day in (self.days[0], self.days[-1]))
            what = f"has no whole day from {begin or first} to before {end or 'its end'}: it holds {first} to {last}"
            raise BenchFileError(what, where=str(self.path), hint="name days that it holds")
        skipped = tuple(day for day in self.skipped if low <= day < high)
        return PriceTable(self.path, self.column, self.days[is_within], self.eur_kwh[is_within], skipped)

    def find_starts(self, days: int) -> Columns:
        """Return the places of the days after which the next `days - 1` follow without a gap.

        Raise `BenchFileError` if there is none.
        """
        last = np.arange(days - 1, len(self.days))
        starts = (last - (days - 1))[self.days[last] - self.days[last - (days - 1)] == days - 1]
        if not len(starts):
            what = f"has no {days} whole days in a row, which an episode with the prices known ahead needs"
            raise BenchFileError(what, where=str(self.path), hint="name a longer span, or another table")
        return starts

    def draw(self, random: np.random.Generator, steps: int, per_hour: int) -> Floats:
        """Return the price (EUR/kWh) of `steps` steps from midnight of a day that is drawn."""
        days = -(-steps // (24 * per_hour))
        start = int(random.choice(self.find_starts(days)))
        quarters = self.eur_kwh[start : start + days].ravel()
        if per_hour % HOUR_PARTS:
            return np.repeat(quarters.reshape(-1, HOUR_PARTS).mean(axis=1), per_hour)[:steps]
        return np.repeat(quarters, per_hour // HOUR_PARTS)[:steps]

    def describe(self) -> dict[str, Any]:
        """Return what scripts and results say about it."""
        first, last = (date.fromordinal(int(day)).isoformat() for day in (self.days[0], self.days[-1]))
        about = {"table": self.path.name, "column": self.column, "sha256": self.sha256}
        return about | {"first": first, "last": last, "days": len(self.days), "skipped": len(self.skipped)}

    def format_line(self) -> str:
        """Return the line for people."""
        about = self.describe()
        return (
            f"prices of {about['table']}, {about['column']}: {about['days']} whole days from {about['first']} to "
            f"{about['last']}, {about['skipped']} skipped"
        )


def read_price_table(path: Path, unit: str = "", column: str = "") -> PriceTable:
    """Read a table; raise `BenchFileError`, which names row and column.

    `unit`: "EUR/kWh" or "EUR/MWh", needed where the header does not say it. `column`: the column of the prices where
    more than one can be meant; in a table with the prices of several places below each other, the place.
    """
    cells = read_cells(path)
    times = PriceTimes(cells)
    cells, price = _find_prices(cells, times, column)
    scale = UNITS[_find_unit(cells, price, unit)]
    entries: _Entries = {}
    extra: dict[int, int] = {}  # of each day, prices at times that occur twice
    missing: set[int] = set()
    for row, texts in cells.rows:
        time, value = times.read(row, texts), cells.parse(texts[price])
        if not texts[price]:
            missing.add(time.day)
            continue
        if not math.isfinite(value):
            what, hint = f"holds {quote(texts[price])}, which is no number", "correct it, or leave it empty"
            raise cells.mistake(what, f"{hint}: its day is then skipped", row=row, column=price)
        if time.minute % (DAY_MIN // QUARTERS):
            what = f"holds {quote(texts[times.columns[-1]])}, which is neither a full hour nor a quarter of one"
            raise cells.mistake(what, "name a table by the hour", row=row, column=times.columns[-1])
        if time in entries:
            _require_summer_end(cells, times, time, (entries[time][0], row), extra)
        entries[time] = row, scale * value
    return _make_table(cells, price, entries, missing | set(extra))


def _require_summer_end(
    cells: PriceCells, times: PriceTimes, time: PriceTime, rows: tuple[int, int], extra: dict[int, int]
) -> None:
    """Count a time that occurs twice; raise `BenchFileError` unless it is in the hour in which summer time ends."""
    extra[time.day] = extra.get(time.day, 0) + 1
    is_night = date.fromordinal(time.day).weekday() == SUNDAY and time.minute < SUMMER_ENDS_MIN
    if time.offset_min is not None or not is_night or extra[time.day] > HOUR_PARTS:
        shown = f"{date.fromordinal(time.day)} {time.minute // HOUR_MIN:02d}:{time.minute % HOUR_MIN:02d}"
        what = f"holds {shown} twice, first in row {rows[0]}"
        hint = "delete one, or name the column or the place of the prices"
        raise cells.mistake(what, hint, row=rows[1], column=times.columns[0])


def _make_table(cells: PriceCells, price: int, entries: _Entries, odd: set[int]) -> PriceTable:
    """Return the whole days; `odd` are days that are none."""
    by_day: dict[int, dict[int, float]] = {day: {} for day in odd}
    for time, (_, value) in entries.items():
        day = by_day.setdefault(time.day, {})
        if time.minute in day:  # the same clock with another offset from UTC
            odd.add(time.day)
        day[time.minute] = value
    whole: dict[int, Floats] = {}
    for number, prices in sorted(by_day.items()):
        parts = len(prices)
        is_even = parts in PARTS and sorted(prices) == list(range(0, DAY_MIN, DAY_MIN // parts))
        if is_even and number not in odd:
            whole[number] = np.repeat([prices[minute] for minute in sorted(prices)], QUARTERS // parts)
    skipped = tuple(sorted(set(range(min(by_day), max(by_day) + 1)) - set(whole)))
    if not whole:
        first = min(by_day)
        what = f"has no whole day: {date.fromordinal(first)} has {len(by_day[first])} prices, a whole one 24, 48 or 96"
        raise cells.mistake(what, "name a table by the hour, or by the quarter of an hour")
    days = np.array(list(whole), np.intp)
    return PriceTable(cells.path, cells.header[price], days, np.array(list(whole.values())), skipped)


def _find_prices(cells: PriceCells, times: PriceTimes, column: str) -> tuple[PriceCells, int]:
    """Return the rows that count, and the column of their prices."""
    others = [place for place in range(len(cells.header)) if place not in times.columns]
    if column in cells.header and (found := cells.header.index(column)) in others:
        return cells, found
    if column:
        holding = [place for place in others if any(row[place] == column for _, row in cells.rows)]
        if len(holding) != 1:
            raise cells.mistake(f'has no column "{column}"', _list_names(cells, others))
        rows = [(number, row) for number, row in cells.rows if row[holding[0]] == column]
        cells = replace(cells, rows=rows)
    named = [place for place in others if "price" in cells.header[place].lower() or UNIT.search(cells.header[place])]
    found = named or others
    if len(found) == 1:
        return cells, found[0]
    if not found:
        raise cells.mistake("has no column beside that of the times", "name a table with a column of prices")
    raise cells.mistake("has more than one column that may hold the prices", _list_names(cells, found))


def _list_names(cells: PriceCells, places: Iterable[int]) -> str:
    return "name the column: " + ", ".join(cells.header[place] for place in places)


def _find_unit(cells: PriceCells, price: int, unit: str) -> str:
    """Return the unit that the header or the user declares; it is never guessed."""
    declared = ""
    if found := UNIT.search(cells.header[price]):
        if found[1].upper() not in EURO:
            hint = "convert the prices to EUR"
            raise cells.mistake(f"is in {found[0]}, and the costs of a task are in EUR", hint, column=price)
        declared = f"EUR/{'M' if found[2].upper() == 'M' else 'k'}Wh"
    if unit and declared and unit != declared:
        raise cells.mistake(f"is in {declared}, not in {unit}", f"leave the unit {unit} out", column=price)
    if unit and unit not in UNITS:
        raise cells.mistake(f'cannot be in "{unit}"', f"use {' or '.join(UNITS)}", column=price)
    if not (unit or declared):
        hint = f"name the unit: {' or '.join(UNITS)}"
        raise cells.mistake("does not say the unit of its prices", hint, column=price)
    return unit or declared
