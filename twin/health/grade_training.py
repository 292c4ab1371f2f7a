"""Teach a `GradeModel` pulses with known capacities; what it says of its errors comes from cells left out by fold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import LogError
from twin.health.cell_split import make_folds
from twin.health.grade_model import GradeModel, TaughtType
from twin.health.pulse_set import find_faults, make_features
from twin.health.pulse_shape import PulseShape
from twin.health.radial_network import RadialNetwork, Whitening

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.snapshot import Flags, Floats
    from drivers.table_file import Numbers, Texts

CENTRES: Final = 200
REST_WIDTH, PULSE_WIDTH = 1.0, 2.0  # of the radial functions, in spreads
LEAST_CELLS: Final = 8  # of a type
POINTS: Final = 12  # voltages at rest where the error is stored
BAND: Final = 0.12  # of the range of voltages at rest: over how much an error is averaged
COVERED: Final = 0.95
COMMON: Final = 0.99  # of rows of left-out cells are within a distance that counts as common
FARTHEST: Final = 1.25  # times that distance is accepted
MOST_ERROR: Final = 0.04  # expected error above which a row is rejected


@dataclass(frozen=True)
class PulseRows:
    """Rows of pulse tests: `volts[rows, 21]` (V), nominal and measured capacity (Ah), chemistry, and physical cell."""

    volts: Floats
    nominal_ah: Floats
    capacity_ah: Floats
    chemistry: Texts
    cell: Texts

    def __len__(self) -> int:
        return len(self.nominal_ah)

    def keep(self, rows: Flags) -> PulseRows:
        """Return the rows that are true in `rows`."""
        return PulseRows(
            self.volts[rows], self.nominal_ah[rows], self.capacity_ah[rows], self.chemistry[rows], self.cell[rows]
        )

    def drop_faulty(self) -> PulseRows:
        """Return the rows that could be graded and whose capacity is known."""
        sound = np.array([not why for why in find_faults(self.volts, self.nominal_ah)], dtype=np.bool_)
        return self.keep(sound & np.isfinite(self.capacity_ah) & (self.capacity_ah > 0.0))


def teach(rows: PulseRows, about: Mapping[str, Any], show: Callable[[str, float], None]) -> GradeModel:
    """Return the model of all types in `rows`; `show` is told what is fitted and the fraction done.

    Raise `LogError` where a type has too few cells to judge it by.
    """
    sound = rows.drop_faulty()
    found = sorted(set(zip(sound.nominal_ah.tolist(), sound.chemistry.tolist(), strict=True)))
    types: list[TaughtType] = []
    for number, (nominal, chemistry) in enumerate(found):
        own = sound.keep((sound.nominal_ah == nominal) & (sound.chemistry == chemistry))

        def show_own(done: float, title: str = f"{chemistry} of {nominal:g} Ah", number: int = number) -> None:
            show(title, (number + done) / len(found))

        types.append(_teach_type(own, chemistry, nominal, show_own))
    if not types:
        raise LogError("holds no row that could be taught", hint="give rows with U1 to U21, Qn and Q")
    return GradeModel(tuple(types), about)


def _teach_type(rows: PulseRows, chemistry: str, nominal_ah: float, show: Callable[[float], None]) -> TaughtType:
    cells = len(set(rows.cell.tolist()))
    if cells < LEAST_CELLS:
        what = f"{chemistry} of {nominal_ah:g} Ah has {cells} cells, fewer than {LEAST_CELLS}"
        raise LogError(what, key="cell", value=cells, bound=LEAST_CELLS, hint="teach more cells of this type")
    x, y = make_features(rows.volts), np.log(rows.capacity_ah / nominal_ah)
    errors, away = _score_left_out(rows, y, make_folds(rows.cell), show)
    rest_v, expected = _spread_errors(rows.volts[:, 0], np.abs(errors))
    ratio = np.abs(errors) / np.interp(rows.volts[:, 0], rest_v, expected)
    covered = min(1.0, COVERED * (1.0 + 1.0 / cells))  # as for conformal prediction, with cells for samples
    return TaughtType(
        chemistry,
        nominal_ah,
        _fit_network(x, y),
        PulseShape.fit(rows.volts),
        rest_v,
        expected,
        float(np.quantile(ratio, covered)),
        FARTHEST * float(np.quantile(away, COMMON)),
        MOST_ERROR,
    )


def _fit_network(x: Floats, y: Floats) -> RadialNetwork:
    return RadialNetwork.fit(x, y, Whitening.fit(x, 1, REST_WIDTH, PULSE_WIDTH), CENTRES)


def _score_left_out(rows: PulseRows, y: Floats, fold: Numbers, show: Callable[[float], None]) -> tuple[Floats, Floats]:
    """Return for each row the error of log capacity and the distance, by a fit that its cell had no part in."""
    x, errors, away = make_features(rows.volts), np.empty(len(y)), np.empty(len(y))
    folds = int(fold.max()) + 1
    for number in range(folds):
        show(number / (folds + 1))
        out = fold == number
        errors[out] = _fit_network(x[~out], y[~out]).predict(x[out]) - y[out]
        away[out] = PulseShape.fit(rows.volts[~out]).find_distance(rows.volts[out])
    return errors, away


def _spread_errors(rest_v: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Return voltages at rest, and the mean error near each of them."""
    low, high = float(rest_v.min()), float(rest_v.max())
    grid = np.linspace(low, high, POINTS)
    width = BAND * max(high - low, math.ulp(1.0))
    near = np.exp(-0.5 * np.square((rest_v[None, :] - grid[:, None]) / width))
    return grid, (near @ errors) / near.sum(axis=1)
