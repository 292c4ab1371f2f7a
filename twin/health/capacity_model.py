"""Capacity from what a charger sees of each cycle: times and voltages, never the charge itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from drivers.errors import LogError
from twin.health.cycle_table import find_sound, view_rows
from twin.health.feature_regression import FeatureRegression, RegressionSize, leave_cells_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.snapshot import Flags, Floats
    from twin.health.cycle_table import CycleRows

SIZE: Final = RegressionSize()
COVERED: Final = 0.95
LEAST_CELLS: Final = 5
FIRST: Final = 5  # rows of a cell whose capacity is its first one


@dataclass(frozen=True)
class CapacityEstimates:
    """For each row: capacity in Ah with a 95 % interval; NaN and a reason where the row is unlike the taught ones."""

    capacity_ah: Floats
    low_ah: Floats
    high_ah: Floats
    reasons: tuple[str, ...]

    @property
    def is_known(self) -> Flags:
        """Which rows have a capacity."""
        return np.isfinite(self.capacity_ah)


@dataclass(frozen=True)
class CapacityModel:
    """log(capacity in Ah) from the features `names`, of which those in `logarithmic` enter as logarithms.

    95 % of the rows of cells that were left out were within `exp(half_width)`. Where a feature is missing, or farther
    from the taught ones than `most_distance` spreads, there is no estimate.
    """

    names: tuple[str, ...]
    logarithmic: Flags
    regression: FeatureRegression
    half_width: float
    most_distance: float
    nominal_ah: float  # median first capacity of the taught cells
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def estimate(self, rows: CycleRows) -> CapacityEstimates:
        """Return the capacity of each row; a row depends on itself and earlier ones of its cell."""
        x = view_rows(rows, self.logarithmic)
        missing = np.asarray(np.isnan(x).any(axis=1), dtype=np.bool_).tolist()
        x = np.where(np.isnan(x), self.regression.mean, x)
        away: list[float] = self.regression.find_distance(x).tolist()
        reasons = tuple(
            self._explain(gap, far, place)
            for gap, far, place in zip(missing, away, self.regression.find_farthest(x), strict=True)
        )
        known = np.array([not reason for reason in reasons], dtype=np.bool_)
        middle = np.where(known, np.exp(self.regression.predict(x)), np.nan)
        half = float(np.exp(self.half_width))
        return CapacityEstimates(middle, middle / half, middle * half, reasons)

    def _explain(self, missing: bool, away: float, place: int) -> str:  # noqa: FBT001  # of one row
        if missing:
            return "a feature has no value"
        if away <= self.most_distance:
            return ""
        name = self.names[place % len(self.names)]
        return f"{name} is {away:.1f} spreads from the taught rows, more than {self.most_distance:.1f}"

    def encode(self) -> dict[str, Any]:
        """Return the model for a file."""
        names = ("half_width", "most_distance", "nominal_ah")
        features = {"names": list(self.names), "logarithmic": self.logarithmic.tolist()}
        numbers = {name: getattr(self, name) for name in names}
        return {"about": dict(self.about), **features, **numbers, "regression": self.regression.encode()}

    @classmethod
    def decode(cls, fields: Mapping[str, Any]) -> Self:
        """Return the model of `encode`; raise `KeyError`, `TypeError` or `ValueError`."""
        names, logarithmic = tuple(map(str, fields["names"])), np.asarray(fields["logarithmic"], dtype=np.bool_)
        regression = FeatureRegression.decode(fields["regression"])
        if len(logarithmic) != len(names) or len(regression.mean) != 2 * len(names):
            raise ValueError("its names do not fit its regression")
        half, most, nominal = (float(fields[name]) for name in ("half_width", "most_distance", "nominal_ah"))
        return cls(names, logarithmic, regression, half, most, nominal, dict(fields["about"]))


def teach_capacity(rows: CycleRows, about: Mapping[str, Any], show: Callable[[float], None]) -> CapacityModel:
    """Return the model of the rows with a sound capacity; raise `LogError` for too few cells."""
    with np.errstate(invalid="ignore"):
        logarithmic = np.nanmin(rows.values, axis=0, initial=np.inf) > 0.0
    x, sound = view_rows(rows, logarithmic), find_sound(rows)
    sound &= np.isfinite(x).all(axis=1)
    cells = len(set(rows.cell[sound].tolist()))
    if rows.capacity_ah is None or cells < LEAST_CELLS:
        what = f"a capacity is known of {cells} cells, fewer than {LEAST_CELLS}"
        raise LogError(what, key="cell", value=cells, bound=LEAST_CELLS, hint="teach a table of more cells")
    y = np.log(rows.capacity_ah[sound])
    left = leave_cells_out(x[sound], y, rows.cell[sound], SIZE, show)
    return CapacityModel(
        rows.names,
        logarithmic,
        FeatureRegression.fit(x[sound], y, rows.cell[sound], SIZE),
        left.find_half_width(COVERED, cells),
        left.find_most_distance(),
        find_nominal(rows.keep(sound)),
        dict(about) | {"fit_cells": cells, "fit_rows": int(sound.sum())},
    )


def find_nominal(rows: CycleRows) -> float:
    """Return the median over cells of the median of their first capacities, in Ah."""
    if rows.capacity_ah is None:
        return float("nan")
    first = [float(np.median(rows.capacity_ah[places[:FIRST]])) for places in rows.group().values()]
    return float(np.median(first))


def score_capacity(model: CapacityModel, rows: CycleRows) -> dict[str, Any]:
    """Return RMSE in % of the nominal capacity over all rows with a sound capacity, and how many the interval holds."""
    judged = rows.keep(find_sound(rows))
    estimates = model.estimate(judged)
    known = estimates.is_known
    if judged.capacity_ah is None or not known.any():
        return {"rows": len(judged), "cells": 0, "rejected": len(judged), "rmse_pct": None, "coverage_95": None}
    truth, errors = judged.capacity_ah, (estimates.capacity_ah - judged.capacity_ah) / model.nominal_ah
    held = (estimates.low_ah <= truth) & (truth <= estimates.high_ah)
    return {
        "rows": len(judged),
        "cells": len(set(judged.cell.tolist())),
        "rejected": int((~known).sum()),
        "rmse_pct": 100.0 * float(np.sqrt(np.mean(np.square(errors[known])))),
        "coverage_95": float(np.mean(held[known])),
    }
