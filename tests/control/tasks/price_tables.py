"""Small price tables that a test writes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from control.tasks.prices import draw_prices

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from control.tasks.task import TaskPrices

BEGIN = datetime(2022, 1, 1)  # noqa: DTZ001  # the clock of a market has no zone


def write_table(
    path: Path,
    days: int = 4,
    *,
    begin: datetime = BEGIN,
    per_hour: int = 1,
    header: str = "time,price (EUR/MWh)",
    stamp: Callable[[datetime], str] = datetime.isoformat,
    price: Callable[[int], float] = float,
) -> Path:
    """Write `days` whole days from midnight of `begin`, the price of the row `n` being `price(n)`."""
    times = (begin + timedelta(hours=row / per_hour) for row in range(24 * days * per_hour))
    rows = (f"{stamp(time)},{price(row)!r}" for row, time in enumerate(times))
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def write_drawn_table(path: Path, prices: TaskPrices, days: int, seed: int = 1) -> Path:
    """Write prices in EUR/kWh that the generator draws."""
    drawn = draw_prices(np.random.default_rng(seed), prices, 24 * days)
    return write_table(path, days, header="time,price (EUR/kWh)", price=lambda row: float(drawn[row]))


def day_of(number: int) -> date:
    """Return the day of the table with this number, from 0."""
    return (BEGIN + timedelta(days=number)).date()
