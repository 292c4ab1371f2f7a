"""How much the pulses of a row are like those of taught cells: the distance from their mean shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from twin.health.radial_network import round_digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.snapshot import Floats

# Places (from 0) between two voltages: the first instant, the rest of the pulse, and the first instant after it.
STEPS: Final = (0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18)
LEAST_V: Final = 2e-4  # a smaller step counts as this one: voltages have a resolution of 0.1 mV
DEGREE: Final = 3
_SHRINK: Final = 1e-6
_LINALG: Any = np.linalg  # its types hide the kind of number


@dataclass(frozen=True)
class PulseShape:
    """Logarithms of the steps of voltage: Chebyshev polynomials of the voltage at rest, and their scatter.

    `find_distance` is the Mahalanobis distance, divided by the root of the number of steps: 1 for a typical cell.
    """

    low_v: float
    high_v: float
    mean: Floats  # [DEGREE + 1, steps]
    whiten: Floats  # inverse of the Cholesky factor of the covariance

    @classmethod
    def fit(cls, volts: Floats) -> Self:
        """Fit to `volts[rows, 21]` (V) of one type."""
        low, high = float(volts[:, 0].min()), float(volts[:, 0].max())
        steps, powers = _compute_steps(volts), _compute_powers(volts[:, 0], low, high)
        mean = np.asarray(_LINALG.lstsq(powers, steps)[0])
        scatter = np.asarray(np.cov((steps - powers @ mean).T), dtype=np.float64)
        scatter += _SHRINK * np.trace(scatter) * np.eye(len(STEPS))
        return cls(low, high, mean, np.asarray(_LINALG.inv(_LINALG.cholesky(scatter))))

    def find_distance(self, volts: Floats) -> Floats:
        """Return the distance of each row; beyond the taught voltages at rest the mean of the last one counts."""
        away = _compute_steps(volts) - _compute_powers(volts[:, 0], self.low_v, self.high_v) @ self.mean
        return np.sqrt(np.square(away @ self.whiten.T).mean(axis=1))

    def find_unlikeliness(self, volts: Floats) -> Floats:
        """Return minus the log likelihood of each row, up to a constant that is the same for every shape."""
        spread = -float(np.log(np.diag(self.whiten)).sum())
        return 0.5 * len(STEPS) * np.square(self.find_distance(volts)) + spread

    def encode(self) -> dict[str, Any]:
        """Return the shape for JSON."""
        arrays = {"mean": round_digits(self.mean), "whiten": round_digits(self.whiten)}
        return {"low_v": self.low_v, "high_v": self.high_v} | arrays

    @classmethod
    def decode(cls, fields: Mapping[str, Any]) -> Self:
        """Return the shape of `encode`; raise `KeyError`, `TypeError` or `ValueError`."""
        mean, whiten = (np.asarray(fields[name], dtype=np.float64) for name in ("mean", "whiten"))
        if mean.shape != (DEGREE + 1, len(STEPS)) or whiten.shape != (len(STEPS), len(STEPS)):
            raise ValueError("the arrays of its shape do not fit each other")
        return cls(float(fields["low_v"]), float(fields["high_v"]), mean, whiten)


def _compute_steps(volts: Floats) -> Floats:
    return np.log(np.maximum(np.abs(np.diff(volts, axis=1)[:, STEPS]), LEAST_V))


def _compute_powers(rest_v: Floats, low_v: float, high_v: float) -> Floats:
    place = (2.0 * np.clip(rest_v, low_v, high_v) - low_v - high_v) / (high_v - low_v)
    return np.asarray(np.polynomial.chebyshev.chebvander(place, DEGREE), dtype=np.float64)
