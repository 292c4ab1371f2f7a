"""Prices of a task from a table: the span that episodes are drawn of, and the one that the expectation is fitted to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control.tasks.price_fit import fit_prices
from control.tasks.price_table import read_price_table
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from control.tasks.price_fit import FittedPrices
    from control.tasks.price_table import PriceTable

HOUR_S: Final = 3600.0


@dataclass(frozen=True)
class PriceSource:
    """A price table with what `read_price_table` needs to know of it.

    Episodes lie in the days from `begin` to before `end`, prices known ahead included. The numbers of `[prices]` are
    fitted to the days from `fit_begin` to before `fit_end` (default: `begin`), if there is a `fit_begin`.
    """

    path: Path
    unit: str = ""
    column: str = ""
    begin: date | None = None
    end: date | None = None
    fit_begin: date | None = None
    fit_end: date | None = None

    def find_mistake(self) -> str:
        """Return what is wrong with the spans; empty if nothing is."""
        begin, end, fit_end = self.begin, self.end, self.fit_end or self.begin
        if begin and end and not begin < end:
            return f"the prices end on {end}, which is not after {begin}"
        if self.fit_end and not self.fit_begin:
            return "the span of the fit has an end and no begin"
        if self.fit_begin and not begin:
            return "a fit needs a begin of the prices: it may only use days before them"
        if self.fit_begin and fit_end and begin and not self.fit_begin < fit_end <= begin:
            return f"the fit uses {self.fit_begin} to {fit_end}, which is not before the prices of {begin}"
        return ""

    def read(self, steps: int, step_s: float) -> PriceMarket:
        """Return the days of which episodes of `steps` steps are drawn; raise `BenchFileError`."""
        table = read_price_table(self.path, self.unit, self.column)
        drawn = table.cut(self.begin, self.end)
        drawn.find_starts(math.ceil(steps / (24 * count_per_hour(step_s))))
        return PriceMarket(self, drawn, None if self.fit_begin is None else self._fit(table))

    def _fit(self, table: PriceTable) -> FittedPrices:
        try:
            return fit_prices(table.cut(self.fit_begin, self.fit_end or self.begin).hourly)
        except ValueError as error:
            raise BenchFileError(str(error), where=str(self.path), hint="name a longer span of the fit") from error


class PriceMarket(NamedTuple):
    """The days that episodes are drawn of, and the numbers that were fitted to earlier ones, if any."""

    source: PriceSource
    table: PriceTable
    fitted: FittedPrices | None

    def describe(self) -> dict[str, Any]:
        """Return what results say about the prices."""
        source, fitted = self.source, None if self.fitted is None else self.fitted._asdict()
        spans = {"from": source.begin, "to": source.end, "fit_from": source.fit_begin, "fit_to": source.fit_end}
        days = {name: None if day is None else day.isoformat() for name, day in spans.items()}
        return {**self.table.describe(), **days, "fitted": fitted}


def count_per_hour(step_s: float) -> int:
    """Return how many steps of a task an hour has."""
    return max(1, round(HOUR_S / step_s))
