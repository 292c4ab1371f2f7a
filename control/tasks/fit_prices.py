"""Print the numbers of `[prices]` that fit a table, and how well: `python -m control.tasks.fit_prices TABLE`."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from control.tasks.price_fit import fit_prices
from control.tasks.price_table import UNITS, read_price_table
from control.tasks.prices import DAY, HOURS, draw_prices
from control.tasks.task import TaskPrices
from drivers.errors import PulseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.tasks.price_fit import FittedPrices
    from drivers.snapshot import Floats

SEED, DRAWN = 1, 2000  # days of the fitted generator that are compared
HEAD: Final[tuple[str, ...]] = ("", "days", "mean", "std of days", "std of hours", "mean day, correlation with the fit")


class PriceFigures(NamedTuple):
    """Figures of `hourly[days, 24]` in EUR/kWh: mean, spread of the days, spread of the hours within their day.

    `correlation`: of the mean day with the daily shape of the generator.
    """

    days: int
    mean: float
    of_days: float
    of_hours: float
    correlation: float


def describe_prices(hourly: Floats) -> PriceFigures:
    """Return the figures of `hourly[days, 24]`."""
    daily = hourly.mean(axis=1)
    correlation = float(np.corrcoef(hourly.mean(axis=0), DAY)[0, 1])
    return PriceFigures(
        len(hourly), float(daily.mean()), float(daily.std()), float((hourly - daily[:, None]).std()), correlation
    )


def draw_fitted(fitted: FittedPrices) -> Floats:
    """Return `[DRAWN, 24]` prices of a generator with these numbers."""
    prices = TaskPrices(**fitted._asdict())
    return draw_prices(np.random.default_rng(SEED), prices, HOURS * DRAWN).reshape(DRAWN, HOURS)


def format_fit(fitted: FittedPrices, spans: dict[str, Floats]) -> str:
    """Return the numbers as TOML, and the figures of some spans beside those of the generator as comments."""
    lines = ["[prices]", *(f"{name} = {value:.4f}" for name, value in fitted._asdict().items()), ""]
    rows: list[tuple[str, ...]] = [HEAD]
    for name, hourly in {"drawn with these numbers": draw_fitted(fitted), **spans}.items():
        days, *figures = describe_prices(hourly)
        rows.append((name, f"{days}", *(f"{figure:.3f}" for figure in figures)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines += ["# " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the fit; return the exit status, 2 for a bad table or span."""
    given = _parse(arguments)
    try:
        table = read_price_table(given.table, given.unit, given.column)
        span = table.cut(given.begin, given.end)
        fitted, spans = fit_prices(span.hourly), {"the days of the fit": span.hourly}
        if given.judge_begin or given.end:
            spans["held-out days"] = table.cut(given.judge_begin or given.end, given.judge_end).hourly
    except (PulseError, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"# {span.format_line()}\n{format_fit(fitted, spans)}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    about = "Print the numbers of [prices] that fit a table, and the figures of other days beside theirs."
    parser = argparse.ArgumentParser(prog="python -m control.tasks.fit_prices", description=about)
    units = f"{' or '.join(UNITS)}, if the header does not say it"
    parser.add_argument("table", metavar="TABLE", type=Path, help="CSV or Parquet table of prices")
    parser.add_argument("--unit", default="", metavar="UNIT", help=units)
    parser.add_argument("--column", default="", metavar="NAME", help="column of the prices, or place")
    for name, variable, words in (
        ("--from", "begin", "first day of the fit"),
        ("--to", "end", "day after the last one of the fit"),
        ("--judge-from", "judge_begin", "first held-out day; default: --to"),
        ("--judge-to", "judge_end", "day after the last held-out one"),
    ):
        parser.add_argument(name, dest=variable, type=date.fromisoformat, metavar="DATE", help=words)
    given = parser.parse_args(arguments)
    if given.judge_begin is not None and (given.end is None or given.judge_begin < given.end):
        parser.error("--judge-from lies within the days of the fit, which end with --to")
    return given


if __name__ == "__main__":
    raise SystemExit(main())
