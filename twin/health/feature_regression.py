"""Ridge regression on standardised features, with radial functions for what is not linear, and its error by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from twin.health.cell_split import make_folds
from twin.health.radial_network import RadialNetwork, Whitening, round_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.snapshot import Flags, Floats
    from drivers.table_file import Numbers, Texts

CLIP: Final = 6.0  # spreads; beyond, a feature counts as at the bound
RIDGE: Final = 10.0
SMOOTHING: Final = 0.1  # ridge of the radial functions
SEED: Final = 2
COMMON: Final = 0.995  # of rows of left-out cells are within a distance that counts as common
FARTHEST: Final = 1.5  # times that distance is accepted
_TINY: Final = 1e-9
_LINALG: Any = np.linalg  # its types hide the kind of number


@dataclass(frozen=True)
class RegressionSize:
    """How large a regression is: most rows of a fit, centres, and the width of the radial functions in spreads."""

    rows: int = 4000
    centres: int = 250
    width: float = 1.0


@dataclass(frozen=True)
class FeatureRegression:
    """y(x) = linear[0] + z . linear[1:] + network(z), z the standardised features, clipped."""

    mean: Floats
    spread: Floats
    linear: Floats
    network: RadialNetwork

    @classmethod
    def fit(cls, x: Floats, y: Floats, cells: Texts, size: RegressionSize) -> Self:
        """Fit to `x[rows, features]` and `y[rows]`; of many rows, to as many of each cell, drawn with a fixed seed."""
        drawn = _draw_rows(cells, size.rows)
        x, y = x[drawn], y[drawn]
        mean, spread = x.mean(axis=0), x.std(axis=0) + _TINY
        z = _standardise(x, mean, spread)
        columns = _add_one(z)
        ridge = RIDGE * np.eye(columns.shape[1])
        ridge[0, 0] = 0.0
        linear: Floats = _LINALG.solve(columns.T @ columns + ridge, columns.T @ y)
        network = RadialNetwork.fit(
            z, y - columns @ linear, Whitening.fit(z, 0, 1.0, size.width), size.centres, SMOOTHING
        )
        return cls(mean, spread, linear, network)

    def predict(self, x: Floats) -> Floats:
        """Return y for each row of `x`."""
        z = _standardise(x, self.mean, self.spread)
        return _add_one(z) @ self.linear + self.network.predict(z)

    def find_distance(self, x: Floats) -> Floats:
        """Return the greatest distance of a feature from its mean, in spreads, for each row."""
        return np.abs((x - self.mean) / self.spread).max(axis=1)

    def find_farthest(self, x: Floats) -> list[int]:
        """Return which feature is farthest from its mean, for each row."""
        return np.abs((x - self.mean) / self.spread).argmax(axis=1).tolist()

    def encode(self) -> dict[str, Any]:
        """Return the coefficients for JSON."""
        arrays = {"mean": self.mean, "spread": self.spread, "linear": self.linear}
        return {name: round_digits(values) for name, values in arrays.items()} | {"network": self.network.encode()}

    @classmethod
    def decode(cls, fields: Mapping[str, Any]) -> Self:
        """Return the regression of `encode`; raise `KeyError`, `TypeError` or `ValueError`."""
        mean, spread, linear = (np.asarray(fields[name], dtype=np.float64) for name in ("mean", "spread", "linear"))
        if mean.shape != spread.shape or linear.shape != (len(mean) + 1,):
            raise ValueError("the arrays of its regression do not fit each other")
        return cls(mean, spread, linear, RadialNetwork.decode(fields["network"]))


@dataclass(frozen=True)
class LeftOutErrors:
    """Errors and distances of rows, each by a fit that its cell had no part in."""

    errors: Floats
    away: Floats

    def find_half_width(self, share: float, cells: int, judged: Flags | None = None) -> float:
        """Return the error that `share` of the judged rows do not exceed, raised for few cells as for few samples.

        Split conformal prediction (Lei et al. 2018), with cells for samples.
        """
        errors = np.abs(self.errors if judged is None else self.errors[judged])
        return float(np.quantile(errors, min(1.0, share * (1.0 + 1.0 / cells))))

    def find_most_distance(self) -> float:
        """Return the distance up to which a row is like those that were taught."""
        return FARTHEST * float(np.quantile(self.away, COMMON))


def leave_cells_out(
    x: Floats, y: Floats, cells: Texts, size: RegressionSize, show: Callable[[float], None]
) -> LeftOutErrors:
    """Fit once for each fold of cells without it; `show` is told the fraction done."""
    fold = make_folds(cells)
    errors, away = np.empty(len(y)), np.empty(len(y))
    for number in range(folds := int(fold.max()) + 1):
        show(number / (folds + 1))
        out = fold == number
        fitted = FeatureRegression.fit(x[~out], y[~out], cells[~out], size)
        errors[out], away[out] = fitted.predict(x[out]) - y[out], fitted.find_distance(x[out])
    return LeftOutErrors(errors, away)


def _draw_rows(cells: Texts, most: int) -> Numbers:
    """Return places of at most `most` rows, about as many of each cell: a long life counts no more than a short one."""
    order = np.random.default_rng(SEED).permutation(len(cells))
    by_cell = order[np.argsort(cells[order], kind="stable")]
    _, first, count = np.unique(cells[by_cell], return_index=True, return_counts=True)
    turn = np.arange(len(cells)) - np.repeat(first, count)
    return by_cell[np.argsort(turn, kind="stable")[:most]]


def _standardise(x: Floats, mean: Floats, spread: Floats) -> Floats:
    return np.clip((x - mean) / spread, -CLIP, CLIP)


def _add_one(z: Floats) -> Floats:
    return np.hstack([np.ones((len(z), 1)), z])
