"""End of life from the beginning of a life: how many cycles a cell has until its capacity is a share of its first.

Trained on cells cut at several shares of their life, as a user does not know at which share he asks. Counts are rows
of the table: where cycles were left out of it, as in filtered sets, they are left out of the count too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from drivers.errors import LogError
from twin.health.cycle_table import slide_median
from twin.health.feature_regression import FeatureRegression, RegressionSize, leave_cells_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.snapshot import Floats
    from drivers.table_file import Texts
    from twin.health.cycle_table import CycleRows

SIZE: Final = RegressionSize(centres=100, width=1.0)
SHARES: Final = tuple(np.linspace(0.15, 0.9, 11).tolist())  # of a life, at which a taught cell is cut
JUDGED: Final = 0.3
ENDS: Final = (0.8, 0.85, 0.88, 0.9)  # shares of the first capacity
MOST: Final = 0.6  # of the cells
COVERED: Final = 0.90
LEAST_ROWS: Final = 15
LEAST_CELLS: Final = 8
SMOOTH: Final = 9  # rows
NEW: Final = 5  # rows


@dataclass(frozen=True)
class LifeForecast:
    """Rows until the end of life of one cell, from its first row, with a 90 % interval; or why there is none."""

    cell: str
    seen_rows: int
    life_rows: float = np.nan
    low_rows: float = np.nan
    high_rows: float = np.nan
    reason: str = ""
    is_reached: bool = False  # the end of life is among the rows: nothing is forecast


@dataclass(frozen=True)
class LifeModel:
    """log(rows until capacity is `end` of its first value) from the fade so far and the drift of `names`."""

    end: float
    names: tuple[str, ...]
    regression: FeatureRegression
    half_width: float
    most_distance: float
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def forecast(self, rows: CycleRows, share: float = 1.0) -> list[LifeForecast]:
        """Return a forecast for each cell, from the first `share` of its rows."""
        return [
            self._forecast_cell(rows, cell, places[: round(share * len(places))])
            for cell, places in rows.group().items()
        ]

    def _forecast_cell(self, rows: CycleRows, cell: str, places: Any) -> LifeForecast:
        seen = len(places)
        if rows.capacity_ah is None:
            return LifeForecast(cell, seen, reason="no capacity is known of its rows")
        if (life := find_life(rows.capacity_ah[places], self.end)) is not None:
            return LifeForecast(cell, seen, float(life), float(life), float(life), is_reached=True)
        x = describe_fade(rows.capacity_ah[places], rows.values[places])
        if x is None:
            return LifeForecast(cell, seen, reason=f"fewer than {LEAST_ROWS} rows have every value")
        if (away := float(self.regression.find_distance(x[None])[0])) > self.most_distance:
            reason = f"its fade is {away:.1f} spreads from that of the taught cells, more than {self.most_distance:.1f}"
            return LifeForecast(cell, seen, reason=reason)
        ahead, half = float(np.exp(self.regression.predict(x[None])[0])), float(np.exp(self.half_width))
        return LifeForecast(cell, seen, max(ahead, seen), max(ahead / half, seen), max(ahead * half, seen))

    def encode(self) -> dict[str, Any]:
        """Return the model for a file."""
        numbers = {name: getattr(self, name) for name in ("end", "half_width", "most_distance")}
        parts = {"names": list(self.names), "regression": self.regression.encode()}
        return {"about": dict(self.about), **numbers, **parts}

    @classmethod
    def decode(cls, fields: Mapping[str, Any]) -> Self:
        """Return the model of `encode`; raise `KeyError`, `TypeError` or `ValueError`."""
        names, regression = tuple(map(str, fields["names"])), FeatureRegression.decode(fields["regression"])
        half_width, most_distance = float(fields["half_width"]), float(fields["most_distance"])
        return cls(float(fields["end"]), names, regression, half_width, most_distance, dict(fields["about"]))


def find_life(capacity_ah: Floats, end: float) -> int | None:
    """Return the first row (from 1) whose smoothed capacity is below `end` of the first; None if none is."""
    known = np.where(capacity_ah > 0.0, capacity_ah, np.nan)
    smooth = slide_median(known, SMOOTH, centred=True)
    with np.errstate(invalid="ignore"):
        below = np.flatnonzero(smooth < end * np.nanmedian(known[:NEW]))
    return int(below[0]) + 1 if len(below) else None


def choose_end(rows: CycleRows) -> float:
    """Return the first of `ENDS` that most cells reach, else the last one."""
    if rows.capacity_ah is None:
        return ENDS[-1]
    lives = [rows.capacity_ah[places] for places in rows.group().values()]
    for end in ENDS:
        if sum(find_life(one, end) is not None for one in lives) >= MOST * len(lives):
            return end
    return ENDS[-1]


def describe_fade(capacity_ah: Floats, values: Floats) -> Floats | None:
    """Return what the rows of one cell show: their number, loss, its slope and bend, and the drift of each value.

    None where too few rows have every value.
    """
    known = np.isfinite(capacity_ah) & (capacity_ah > 0.0) & np.isfinite(values).all(axis=1)
    q, v = capacity_ah[known], values[known]
    if (rows := len(q)) < LEAST_ROWS:
        return None
    q, t, few = q / float(np.median(q[:NEW])), np.arange(rows) / rows, max(NEW, rows // 5)
    bend, slope, _ = np.polyfit(t, q, 2).tolist()
    late = float(np.polyfit(t[rows // 2 :], q[rows // 2 :], 1)[0])
    begin, now = np.median(v[:few], axis=0), np.median(v[-few:], axis=0)
    scale = np.where(begin == 0.0, 1.0, np.abs(begin))
    fade = [np.log(rows), 1.0 - float(np.median(q[-few:])), -slope - bend, -bend, -late]
    return np.concatenate([fade, begin, (now - begin) / scale])


def teach_life(rows: CycleRows, end: float, about: Mapping[str, Any], show: Callable[[float], None]) -> LifeModel:
    """Return the model of the cells that reach the end of life; raise `LogError` for too few."""
    x, y, cells, share = _cut_lives(rows, end)
    count = len(set(cells.tolist()))
    if count < LEAST_CELLS:
        what = f"{count} cells reach {end:g} of their first capacity, fewer than {LEAST_CELLS}"
        raise LogError(what, key="end", value=end, bound=LEAST_CELLS, hint="teach more cells, or raise --end")
    left = leave_cells_out(x, y, cells, SIZE, show)
    half = left.find_half_width(COVERED, count, np.abs(share - JUDGED) < 0.06)  # noqa: PLR2004  # one cut either way
    details = dict(about) | {"fit_cells": count, "end": end, "cut_at": [round(one, 3) for one in SHARES]}
    fitted = FeatureRegression.fit(x, y, cells, SIZE)
    return LifeModel(end, rows.names, fitted, half, left.find_most_distance(), details)


def score_life(model: LifeModel, rows: CycleRows, share: float = JUDGED) -> dict[str, Any]:
    """Return the median error in % of life from the first `share` of each life, and how many the interval holds."""
    errors, inside = list[float](), list[bool]()
    for places in rows.group().values():
        life = None if rows.capacity_ah is None else find_life(rows.capacity_ah[places], model.end)
        if life is None:
            continue
        chosen = np.zeros(len(rows), dtype=np.bool_)
        chosen[places[: round(share * life)]] = True
        for one in model.forecast(rows.keep(chosen)):
            if not one.reason:
                errors.append(abs(one.life_rows / life - 1.0))
                inside.append(one.low_rows <= life <= one.high_rows)
    found = len(errors)
    return {
        "cells": found,
        "errors_pct": [100.0 * error for error in errors],
        "median_error_pct": 100.0 * float(np.median(errors)) if found else None,
        "coverage_90": float(np.mean(inside)) if found else None,
    }


def _cut_lives(rows: CycleRows, end: float) -> tuple[Floats, Floats, Texts, Floats]:
    """Return features, log of life, cell and share of life of each taught cell at each cut."""
    x: list[Floats] = []
    y, cells, shares = list[float](), list[str](), list[float]()
    for cell, places in rows.group().items():
        life = None if rows.capacity_ah is None else find_life(rows.capacity_ah[places], end)
        for share in SHARES if life else ():
            cut = places[: round(share * float(life or 0))]
            capacity = np.asarray(rows.capacity_ah)[cut]
            if (one := describe_fade(capacity, rows.values[cut])) is not None:
                x.append(one)
                y.append(float(np.log(float(life or 1))))
                cells.append(cell)
                shares.append(share)
    return np.array(x), np.array(y), np.array(cells, dtype=np.str_), np.array(shares)
