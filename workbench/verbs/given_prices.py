"""The options `--prices...` of the verbs that run a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from control.tasks.price_source import PriceSource
from control.tasks.task import replace_prices
from drivers.errors import Usage

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from control.tasks.task import ControlTask
    from workbench.report import Report


class GivenPrices(NamedTuple):
    """A price table beside a task, as the options name it."""

    table: Path | None = None
    unit: str = ""
    column: str = ""
    begin: datetime | None = None
    end: datetime | None = None
    fit_begin: datetime | None = None

    def apply(self, report: Report, task: ControlTask) -> ControlTask:
        """Return the task on these prices, if there are any, and report the prices that come from a table.

        Raise `Usage` for options that do not fit each other or the task, and `BenchFileError` for a table.
        """
        if self.table is None and self != NO_PRICES:
            raise Usage("an option --prices-... was given without --prices", hint="add --prices TABLE")
        if self.table is not None:
            spans = map(_find_day, (self.begin, self.end, self.fit_begin))
            source = PriceSource(self.table, self.unit, self.column, *spans)
            if mistake := source.find_mistake():
                raise Usage(mistake, hint="correct the dates of --prices-from, --prices-to and --prices-fit-from")
            task = replace_prices(task, source)
        if task.market is not None:
            report.line(task.market.table.format_line())
            report.body["prices"] = task.market.describe()
        return task


NO_PRICES: Final = GivenPrices()


def _find_day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
