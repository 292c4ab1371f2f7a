"""Smooth fits of the tables of a cell, for models that need derivatives: circuit, stored energy, anode potential.

Every fit takes numbers, arrays or CasADi expressions. The rows of the circuit are cubic splines over state of charge
(resistances and time constants as logarithms, which keeps them positive). The anode potential is a product of Chebyshev
polynomials over state of charge, rate and temperature, fitted most closely where lithium begins to plate.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from twin.cell_table import OCV, R0, R1, R2, REFERENCE_K, ROWS, TAU1, TAU2

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.snapshot import Floats
    from twin.cell_parameters import CellParameters

INTERVALS: Final = 16  # of the splines
FINE: Final = 401  # points of state of charge at which the splines are fitted and judged
EDGE_SOC, EDGE_WEIGHT = 0.05, 0.3  # below, the table itself only continues its last value
DEGREES: Final = (9, 3, 2)  # of the anode potential over state of charge, rate and temperature
NEAR_V: Final = 0.05  # where an error of the anode potential counts
FAR_WEIGHT: Final = 0.01  # of a value far from it, against 1 at zero
WARM_K: Final = 273.15  # and above which temperature
PULSES_S: Final = (10.0, 100.0)


@dataclass(frozen=True)
class FitErrors:
    """RMS and worst error in mV between 5 and 100 % SoC: open-circuit voltage, voltage drop after 10 s and 100 s at 1C.

    `anode_mv` counts where the table is within 50 mV of zero and not colder than 0 degC.
    """

    ocv_mv: tuple[float, float]
    drop_mv: tuple[tuple[float, float], ...]
    anode_mv: tuple[float, float]


class SmoothCell:
    """The smooth functions of one cell; `errors` says how far they are from its tables."""

    def __init__(self, cell: CellParameters) -> None:
        self.cell = cell
        self._splines = _fit_rows(cell.circuit.rows)
        rows = cell.circuit.rows[OCV]
        self._slopes = (rows[1] - rows[0]) * (len(rows) - 1), (rows[-1] - rows[-2]) * (len(rows) - 1)
        self._anode = _fit_anode(cell)
        steps_v, steps_c = np.diff(cell.plating.anode_v, axis=0), np.diff(cell.plating.rates_c)
        self._anode_slope = float(steps_v[-1].mean() / steps_c[-1])
        self.errors = self._judge()

    def compute_rows(self, soc: Any, exp: Callable[[Any], Any] = np.exp) -> list[Any]:
        """Return the six rows of the circuit (see `twin.cell_table.ROWS`) at `soc`; give `exp` for expressions.

        Outside 0 to 1 the open-circuit voltage continues with its last slope; the others stay constant.
        """
        powers = _list_powers(_clamp(soc, 0.0, 1.0) * INTERVALS)
        logs = [_combine(self._splines[row], powers) for row in range(len(ROWS))]
        low, high = self._slopes
        ocv_v = logs[OCV] + low * -_positive(-soc) + high * _positive(soc - 1.0)
        return [ocv_v, *(exp(value) for value in logs[1:])]

    def compute_ocv(self, soc: Any) -> Any:
        """Return the open-circuit voltage in V."""
        powers = _list_powers(_clamp(soc, 0.0, 1.0) * INTERVALS)
        low, high = self._slopes
        return _combine(self._splines[OCV], powers) + low * -_positive(-soc) + high * _positive(soc - 1.0)

    def compute_energy(self, soc: Any) -> Any:
        """Return the integral of the open-circuit voltage from empty to `soc`: Wh per Ah of capacity."""
        inside, coefficients = _clamp(soc, 0.0, 1.0), self._splines[OCV]
        place = inside * INTERVALS
        raised = [place, place**2 / 2.0, place**3 / 3.0, place**4 / 4.0]
        raised += [_positive(place - knot) ** 4 / 4.0 for knot in range(1, INTERVALS)]
        below, above = -_positive(-soc), _positive(soc - 1.0)
        low, high = self._slopes
        outside = self.low_v * below + low * below**2 / 2.0 + self.high_v * above + high * above**2 / 2.0
        return _combine(coefficients, raised) / INTERVALS + outside

    @functools.cached_property
    def low_v(self) -> float:
        """The open-circuit voltage of the empty cell."""
        return float(self.compute_ocv(0.0))

    @functools.cached_property
    def high_v(self) -> float:
        """The open-circuit voltage of the full cell."""
        return float(self.compute_ocv(1.0))

    def scale_r0(self, kelvin: Any, exp: Callable[[Any], Any] = np.exp) -> Any:
        """Return by how much R0 is larger at `kelvin` than at 25 degC (Arrhenius)."""
        return exp(self.cell.circuit.arrhenius_k * (1.0 / kelvin - 1.0 / REFERENCE_K))

    def compute_anode(self, soc: Any, rate_c: Any, kelvin: Any) -> Any:
        """Return the anode potential in V under a charge of `rate_c`.

        Outside the table it is that of its edge; beyond the largest rate it falls on, so that less charge is better.
        """
        plating = self.cell.plating
        axes = (np.array([0.0, 1.0]), plating.rates_c, plating.kelvins)
        over_soc, over_rate, over_kelvin = (
            _list_chebyshev(_normalise(value, axis), degree)
            for value, axis, degree in zip((soc, rate_c, kelvin), axes, DEGREES, strict=True)
        )
        beyond_v = self._anode_slope * _positive(rate_c - float(plating.rates_c[-1]))
        return beyond_v + sum(
            over_soc[s] * sum(over_rate[r] * _combine(self._anode[s, r], over_kelvin) for r in range(DEGREES[1] + 1))
            for s in range(DEGREES[0] + 1)
        )

    def _judge(self) -> FitErrors:
        soc = np.linspace(EDGE_SOC, 1.0, FINE)
        table = _interpolate(self.cell.circuit.rows, soc)
        smooth, rate_a = np.array(self.compute_rows(soc)), self.cell.capacity_ah
        drops = (rate_a * (_resist(smooth, t_s) - _resist(table, t_s)) for t_s in PULSES_S)
        plating = self.cell.plating
        soc, rates, kelvins = _spread(plating.anode_v, plating.rates_c, plating.kelvins)
        near = (np.abs(plating.anode_v) < NEAR_V) & (kelvins >= WARM_K)
        anode_v = self.compute_anode(soc, rates, kelvins) - plating.anode_v
        return FitErrors(_summarise(smooth[OCV] - table[OCV]), tuple(map(_summarise, drops)), _summarise(anode_v[near]))


_FITTED: Final[dict[str, SmoothCell]] = {}


def fit_cell(cell: CellParameters) -> SmoothCell:
    """Return the fits of a cell; each cell is fitted once."""
    if (fitted := _FITTED.get(cell.sha256)) is None or fitted.cell is not cell:
        fitted = _FITTED[cell.sha256] = SmoothCell(cell)
    return fitted


def _fit_rows(rows: Floats) -> Floats:
    """Return the coefficients `[6, powers]` of the splines."""
    soc = np.linspace(0.0, 1.0, FINE)
    basis = np.array(np.broadcast_arrays(*_list_powers(soc * INTERVALS))).T
    weight = np.where(soc < EDGE_SOC, EDGE_WEIGHT, 1.0)
    values = _interpolate(rows, soc)
    values[1:] = np.log(values[1:])
    scale = np.linalg.norm(basis, axis=0)
    return _solve_squares(basis / scale * weight[:, None], (values * weight).T).T / scale


def _fit_anode(cell: CellParameters) -> Floats:
    """Return the coefficients `[degrees + 1]` of the anode potential."""
    plating = cell.plating
    soc, rates, kelvins = _spread(plating.anode_v, plating.rates_c, plating.kelvins)
    bases = (
        np.array(np.broadcast_arrays(*_list_chebyshev(_normalise(values, axis), degree)))
        for values, axis, degree in zip(
            (soc, rates, kelvins), (np.array([0.0, 1.0]), plating.rates_c, plating.kelvins), DEGREES, strict=True
        )
    )
    basis = np.einsum("akls,bkls,ckls->klsabc", *bases).reshape(plating.anode_v.size, -1)
    weight = (1.0 / (1.0 + (plating.anode_v / NEAR_V) ** 2) + FAR_WEIGHT).ravel()
    fitted = _solve_squares(basis * weight[:, None], plating.anode_v.ravel() * weight)
    return fitted.reshape([degree + 1 for degree in DEGREES])


def _solve_squares(matrix: Floats, right: Floats) -> Floats:
    return cast("Floats", np.linalg.lstsq(matrix, right, rcond=None)[0])


def _spread(anode_v: Floats, rates_c: Floats, kelvins: Floats) -> tuple[Floats, Floats, Floats]:
    """Return SoC, rate and temperature of every entry of the table."""
    rates, warm, soc = np.meshgrid(rates_c, kelvins, np.linspace(0.0, 1.0, anode_v.shape[2]), indexing="ij")
    return soc, rates, warm


def _interpolate(rows: Floats, soc: Floats) -> Floats:
    grid = np.linspace(0.0, 1.0, rows.shape[1])
    return np.array([np.interp(soc, grid, cast("Floats", row)) for row in rows], np.float64)


def _resist(rows: Floats, t_s: float) -> Floats:
    """Return the resistance after a pulse of `t_s`."""
    fast, slow = (rows[r] * (1.0 - np.exp(-t_s / rows[tau])) for r, tau in ((R1, TAU1), (R2, TAU2)))
    return rows[R0] + fast + slow


def _summarise(error_v: Floats) -> tuple[float, float]:
    """Return RMS and worst of an error, in mV; zeros where there is none."""
    if error_v.size == 0:
        return 0.0, 0.0
    return 1e3 * float(np.sqrt(np.mean(error_v**2))), 1e3 * float(np.abs(error_v).max())


def _list_powers(place: Any) -> list[Any]:
    """Return the truncated powers whose sums are the cubic splines with knots at whole numbers (de Boor 1978)."""
    return [
        0.0 * place + 1.0,
        place,
        place**2,
        place**3,
        *(_positive(place - knot) ** 3 for knot in range(1, INTERVALS)),
    ]


def _list_chebyshev(x: Any, degree: int) -> list[Any]:
    values = [0.0 * x + 1.0, x]
    for _ in range(degree - 1):
        values.append(2.0 * x * values[-1] - values[-2])
    return values


def _normalise(value: Any, axis: Floats) -> Any:
    """Return where `value` is on an axis, from -1 to 1."""
    low, high = float(axis[0]), float(axis[-1])
    return 2.0 * (_clamp(value, low, high) - low) / (high - low) - 1.0


def _combine(coefficients: Floats, values: list[Any]) -> Any:
    return sum(float(coefficient) * value for coefficient, value in zip(coefficients, values, strict=True))


def _positive(value: Any) -> Any:
    return 0.5 * (value + abs(value))


def _clamp(value: Any, low: float, high: float) -> Any:
    return 0.5 * (low + high + abs(value - low) - abs(value - high))
