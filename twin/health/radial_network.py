"""A network of radial functions fitted by ridge regression: a function of some numbers in few coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import scipy.cluster.vq
import scipy.spatial.distance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats

_SCIPY: Any = scipy.spatial.distance  # carries no types
_VQ: Any = scipy.cluster.vq
_LINALG: Any = np.linalg
RIDGE: Final = 1e-2
SEED: Final = 1
DIGITS: Final = 6  # of a stored coefficient
_TINY: Final = 1e-9


@dataclass(frozen=True)
class Whitening:
    """`scale(x)`: centred, divided by its spread, turned to principal axes, which are evened out by a root.

    The first `lead` columns stay as they are and count by `1 / lead_width`, all others together by `1 / width`.
    """

    mean: Floats
    spread: Floats
    axes: Floats  # from the other columns to scaled principal axes
    lead: int
    lead_width: float

    @classmethod
    def fit(cls, x: Floats, lead: int, lead_width: float, width: float) -> Self:
        """Fit to `x[rows, columns]`."""
        mean, spread = x.mean(axis=0), x.std(axis=0) + _TINY
        others = ((x - mean) / spread)[:, lead:]
        _, sizes, turned = np.linalg.svd(others, full_matrices=False)
        axes = turned.T / np.sqrt(sizes / np.sqrt(len(x)) + _TINY)
        size = np.sqrt(np.square(others @ axes).sum(axis=1).mean())
        return cls(mean, spread, axes / (size * width), lead, lead_width)

    def scale(self, x: Floats) -> Floats:
        """Return `x[rows, columns]` in the space of the network."""
        z = (x - self.mean) / self.spread
        return np.hstack([z[:, : self.lead] / self.lead_width, z[:, self.lead :] @ self.axes])


@dataclass(frozen=True)
class RadialNetwork:
    """y = mean + sum of weight_k exp(-|z - centre_k|^2 / 2), z scaled by `whitening`.

    Ridge regression on a subset of centres (Rasmussen and Williams 2006, 8.3.4); a centre is the mean of a cluster of
    rows (k-means), never a row.
    """

    whitening: Whitening
    centres: Floats
    weights: Floats
    mean: float

    @classmethod
    def fit(cls, x: Floats, y: Floats, whitening: Whitening, centres: int, ridge: float = RIDGE) -> Self:
        """Fit to `x[rows, columns]` and `y[rows]`."""
        z = whitening.scale(x)
        middle = _find_centres(z, centres)
        near, among = _compute_kernel(z, middle), _compute_kernel(middle, middle)
        left = near.T @ near + ridge * among + _TINY * len(x) * np.eye(len(middle))
        weights: Floats = _LINALG.solve(left, near.T @ (y - y.mean()))
        return cls(whitening, middle, weights, float(y.mean()))

    def predict(self, x: Floats) -> Floats:
        """Return y for each row of `x`."""
        return self.mean + _compute_kernel(self.whitening.scale(x), self.centres) @ self.weights

    def encode(self) -> dict[str, Any]:
        """Return the coefficients as lists, for JSON."""
        w = self.whitening
        arrays = {
            "mean_x": w.mean,
            "spread_x": w.spread,
            "axes": w.axes,
            "centres": self.centres,
            "weights": self.weights,
        }
        scalars = {"lead": w.lead, "lead_width": w.lead_width, "mean": self.mean}
        return scalars | {name: round_digits(values) for name, values in arrays.items()}

    @classmethod
    def decode(cls, fields: Mapping[str, Any]) -> Self:
        """Return the network of `encode`; raise `KeyError`, `TypeError` or `ValueError` for anything else."""
        mean, spread, axes, centres, weights = (
            np.asarray(fields[name], dtype=np.float64) for name in ("mean_x", "spread_x", "axes", "centres", "weights")
        )
        lead = int(fields["lead"])
        shapes = (mean.shape == spread.shape, axes.shape[:1] == (len(mean) - lead,), len(weights) == len(centres))
        if not all(shapes) or centres.shape[1:] != (lead + axes.shape[1],) or not np.isfinite(weights).all():
            raise ValueError("its arrays do not fit each other")
        return cls(
            Whitening(mean, spread, axes, lead, float(fields["lead_width"])), centres, weights, float(fields["mean"])
        )


def round_digits(values: Floats, digits: int = DIGITS) -> Any:
    """Return an array as nested lists of numbers with few digits."""
    if values.ndim > 1:
        return [round_digits(row, digits) for row in values]
    return [float(f"{value:.{digits}g}") for value in values]


def _find_centres(z: Floats, centres: int) -> Floats:
    """Return means of clusters of rows, or fewer where the rows are few or alike."""
    wanted = min(centres, len(z) // 2, len(np.unique(z.round(DIGITS), axis=0)))
    middle, labels = _VQ.kmeans2(z, wanted, minit="++", rng=SEED)
    return middle[np.bincount(labels, minlength=wanted) > 1]


def _compute_kernel(a: Floats, b: Floats) -> Floats:
    return np.exp(-0.5 * _SCIPY.cdist(a, b, "sqeuclidean"))
