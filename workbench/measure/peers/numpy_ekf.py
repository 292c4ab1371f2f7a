"""A joint filter in plain numpy with all cells at once, and the textbook filter of one cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.cell_table import OCV, R0, R1, R2, REFERENCE_K, TAU1, TAU2

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.cell_table import CellTable

MODEL_V, MODEL_S = 0.008, 300.0
NOISE_V, SKEW_S, SENSOR_A = 0.002, 0.2, 0.02
RESISTANCE_STD, CAPACITY_STD, PAIR_SHARE = 0.15, 0.06, 0.10
RESISTANCE_PER_S, DRIFT_PER_S = 1.5e-6, 1e-7
ITERATIONS: Final = 3
LEAST: Final = np.array([-0.05, -1.0, -1.0, -0.2, 0.2, 0.5])
MOST: Final = np.array([1.05, 1.0, 1.0, 0.2, 8.0, 4.0])


class _OnTable:
    """A lookup of the table at `soc[n]`, with the slope of the open-circuit voltage."""

    def __init__(self, table: CellTable) -> None:
        self._rows, self._intervals = table.rows, table.rows.shape[1] - 1
        self.capacity_as, self._arrhenius_k = 3600.0 * table.capacity_ah, table.arrhenius_k

    def at(self, soc: Floats) -> tuple[Floats, Floats]:
        place = soc * self._intervals
        left = np.clip(np.floor(place).astype(np.intp), 0, self._intervals - 1)
        rise = self._rows[:, left + 1] - self._rows[:, left]
        p = self._rows[:, left] + np.clip(place - left, 0.0, 1.0) * rise
        p[OCV] = self._rows[OCV, left] + (place - left) * rise[OCV]
        return p, rise[OCV] * self._intervals

    def hot(self, kelvin: Floats) -> Floats:
        return np.exp(self._arrhenius_k * (1.0 / kelvin - 1.0 / REFERENCE_K))


class NumpyEkf(_OnTable):
    """As many states and turns as `twin.ekf`, for its cost alone: `x[n, 6]`, `covariance[n, 6, 6]`."""

    def __init__(self, table: CellTable, cells: int, soc0: float, soc0_std: float) -> None:
        super().__init__(table)
        self.x = np.tile([soc0, 0.0, 0.0, 0.0, 1.0, 1.0], (cells, 1))
        stds = (soc0_std, MODEL_V, MODEL_V, MODEL_V, RESISTANCE_STD, CAPACITY_STD)
        self._covariance = np.tile(np.diag(np.square(stds)), (cells, 1, 1))
        self._lagged = np.zeros(cells)

    def update(self, i: Floats, voltage_v: Floats, kelvin: Floats, dt_s: float) -> Floats:
        """Predict and correct; return the states of charge."""
        self._lagged += (1.0 - np.exp(-dt_s / SKEW_S)) * (i - self._lagged)
        self._predict(i, dt_s)
        self._correct(i, voltage_v, kelvin, dt_s)
        return self.x[:, 0]

    def _predict(self, i: Floats, dt_s: float) -> None:
        p, _ = self.at(self.x[:, 0])
        spent = i * dt_s / self.capacity_as
        move = np.zeros_like(self._covariance)
        a1, a2 = np.exp(-dt_s / p[TAU1]), np.exp(-dt_s / p[TAU2])
        kept = np.stack([np.ones_like(i), a1, a2, np.full_like(i, np.exp(-dt_s / MODEL_S)), *np.ones((2, len(i)))])
        move[:, range(6), range(6)] = kept.T
        move[:, 0, 5] = -spent
        self.x = np.einsum("nab,nb->na", move, self.x)
        self.x[:, 1] += (1.0 - a1) * p[R1] * i
        self.x[:, 2] += (1.0 - a2) * p[R2] * i
        self._covariance = move @ self._covariance @ move.transpose(0, 2, 1)
        noise = np.zeros_like(self.x)
        noise[:, 0] = dt_s * (SENSOR_A**2 * MODEL_S / self.capacity_as**2 + DRIFT_PER_S)
        noise[:, 1] = (1.0 - a1**2) * (PAIR_SHARE * p[R1] * i) ** 2
        noise[:, 2] = (1.0 - a2**2) * (PAIR_SHARE * p[R2] * i) ** 2
        noise[:, 3] = (1.0 - kept[3] ** 2) * MODEL_V**2
        noise[:, 4] = dt_s * RESISTANCE_PER_S
        self._covariance[:, range(6), range(6)] += noise

    def _correct(self, i: Floats, voltage_v: Floats, kelvin: Floats, dt_s: float) -> None:
        before, hot = self.x, self.hot(kelvin)
        slope = np.tile([0.0, -1.0, -1.0, 1.0, 0.0, 0.0], (len(i), 1))
        gain = seen = np.zeros_like(slope)
        for _ in range(ITERATIONS):
            p, slope[:, 0] = self.at(self.x[:, 0])
            slope[:, 4] = -p[R0] * hot * i
            shown = p[OCV] + slope[:, 4] * self.x[:, 4] - self.x[:, 1] - self.x[:, 2] + self.x[:, 3]
            skew = p[R0] * hot * (i - self._lagged)
            seen = np.einsum("nab,nb->na", self._covariance, slope)
            spread = (NOISE_V**2 + skew**2 * SKEW_S) / dt_s + np.einsum("na,na->n", slope, seen)
            gain = seen / spread[:, None]
            error = voltage_v - shown - np.einsum("na,na->n", slope, before - self.x)
            self.x = np.clip(before + gain * error[:, None], LEAST, MOST)
        self._covariance = self._covariance - gain[:, :, None] * seen[:, None, :]


class TextbookEkf(_OnTable):
    """Plett's filter on one cell: charge and two pairs, constant resistances, white noise (2004, part 3).

    Unlike ours, it assumes that the current is exact and the capacity known.
    """

    SENSOR_V, PROCESS = 0.01, (1e-9, 1e-6, 1e-6)  # the best of a few tried on these drives: a peer at its best

    def __init__(self, table: CellTable, soc0: float, soc0_std: float) -> None:
        super().__init__(table)
        self._x, self._covariance = np.array([soc0, 0.0, 0.0]), np.diag([soc0_std**2, 1e-6, 1e-6])

    def update(self, i: float, voltage_v: float, dt_s: float) -> float:
        """Predict and correct once; return the state of charge."""
        p, _ = self.at(self._x[:1])
        a1, a2 = np.exp(-dt_s / p[TAU1, 0]), np.exp(-dt_s / p[TAU2, 0])
        kept = np.array([1.0, a1, a2])
        moved = np.array([-i * dt_s / self.capacity_as, (1.0 - a1) * p[R1, 0] * i, (1.0 - a2) * p[R2, 0] * i])
        self._x = kept * self._x + moved
        self._covariance = self._covariance * np.outer(kept, kept) + np.diag(self.PROCESS) * dt_s
        p, steep = self.at(self._x[:1])
        slope = np.array([steep[0], -1.0, -1.0])
        shown = p[OCV, 0] - p[R0, 0] * i - self._x[1] - self._x[2]
        seen = self._covariance @ slope
        gain = seen / (slope @ seen + self.SENSOR_V**2 / dt_s)
        self._x = self._x + gain * (voltage_v - shown)
        self._covariance = self._covariance - np.outer(gain, seen)
        return float(self._x[0])
