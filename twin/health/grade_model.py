"""Second-life grading: the capacity of a used cell from the voltages of short pulses at an unknown state of charge.

The pulses are those of PulseBat (Tao et al. 2024, doi:10.1038/s41467-024-54454-0). A cell of a type that was not
taught, or whose pulses are unlike those of the taught cells, is rejected: nothing is extrapolated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from twin.health.pulse_set import NOMINAL, find_faults, make_features
from twin.health.pulse_shape import PulseShape
from twin.health.radial_network import RadialNetwork, round_digits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drivers.snapshot import Floats

SCHEMA: Final = "pulsebms.grade/1"
SAME_NOMINAL: Final = 0.02  # of a nominal capacity: still the same type
MARGIN_V: Final = 0.01  # beyond the taught voltages at rest


class Rejection(StrEnum):
    """Why a row has no grade."""

    MALFORMED = "not what a pulse test gives"
    UNTAUGHT = "a type that was not taught"
    FOREIGN = "pulses unlike those of taught cells of this type"
    OUTSIDE = "a voltage at rest outside the taught range"
    UNCERTAIN = "too uncertain at this voltage at rest"


@dataclass(frozen=True)
class PulseGrade:
    """The grade of one row: `capacity_ah` with a 95 % interval, or NaN with the reason why it was rejected."""

    capacity_ah: float
    low_ah: float
    high_ah: float
    chemistry: str = ""
    rejection: Rejection | None = None
    reason: str = ""

    @property
    def is_rejected(self) -> bool:
        """Whether there is no capacity."""
        return self.rejection is not None


def reject(rejection: Rejection, reason: str, chemistry: str = "") -> PulseGrade:
    """Return a grade without a capacity."""
    return PulseGrade(np.nan, np.nan, np.nan, chemistry, rejection, reason)


@dataclass(frozen=True)
class TaughtType:
    """Cells of one chemistry and nominal capacity: a network for log(capacity / nominal), and where it holds.

    `error[k]` is the mean error of log capacity that cells not used for fitting had near the voltage at rest
    `rest_v[k]`; 95 % of them were within `factor` times that. Rows farther than `most_distance` from the mean shape of
    the pulses, or with an expected error above `most_error`, are rejected.
    """

    chemistry: str
    nominal_ah: float
    network: RadialNetwork
    shape: PulseShape
    rest_v: Floats
    error: Floats
    factor: float
    most_distance: float
    most_error: float

    def fits(self, nominal_ah: float) -> bool:
        """Return whether a nominal capacity is that of this type."""
        return abs(nominal_ah / self.nominal_ah - 1.0) <= SAME_NOMINAL

    def grade(self, volts: Floats) -> list[PulseGrade]:
        """Return the grade of each row `volts[rows, 21]` (V) of this type."""
        middle = self.nominal_ah * np.exp(self.network.predict(make_features(volts)))
        away, rest_v = self.shape.find_distance(volts), volts[:, 0]
        expected = np.interp(rest_v, self.rest_v, self.error)
        half = np.exp(self.factor * expected)
        rows = zip(middle.tolist(), half.tolist(), away.tolist(), rest_v.tolist(), expected.tolist(), strict=True)
        return [
            self._judge(away, rest_v, expected) or PulseGrade(q, q / half, q * half, self.chemistry)
            for q, half, away, rest_v, expected in rows
        ]

    def _judge(self, away: float, rest_v: float, expected: float) -> PulseGrade | None:
        """Return the rejection of a row, None for a row that can be graded."""
        if not away <= self.most_distance:
            reason = (
                f"the pulses are unlike those of taught {self.chemistry} cells of {self.nominal_ah:g} Ah "
                f"(distance {away:.2f}, at most {self.most_distance:.2f}): another chemistry, state or temperature"
            )
            return reject(Rejection.FOREIGN, reason, self.chemistry)
        if not self.rest_v[0] - MARGIN_V <= rest_v <= self.rest_v[-1] + MARGIN_V:
            reason = f"U1 = {rest_v:g} V is outside the taught {self.rest_v[0]:.3f} to {self.rest_v[-1]:.3f} V"
            return reject(Rejection.OUTSIDE, reason, self.chemistry)
        if not expected <= self.most_error:
            reason = (
                f"near U1 = {rest_v:g} V the taught cells err by {100 * expected:.1f} % on average, "
                f"more than {100 * self.most_error:g} %: discharge further and repeat the pulses"
            )
            return reject(Rejection.UNCERTAIN, reason, self.chemistry)
        return None

    def encode(self) -> dict[str, Any]:
        """Return the type for JSON."""
        names = ("chemistry", "nominal_ah", "factor", "most_distance", "most_error")
        lists = {"rest_v": round_digits(self.rest_v), "error": round_digits(self.error)}
        parts = {"network": self.network.encode(), "shape": self.shape.encode()}
        return {name: getattr(self, name) for name in names} | lists | parts

    @classmethod
    def decode(cls, fields: Mapping[str, Any]) -> Self:
        """Return the type of `encode`; raise `KeyError`, `TypeError` or `ValueError`."""
        rest_v, error = (np.asarray(fields[name], dtype=np.float64) for name in ("rest_v", "error"))
        if rest_v.shape != error.shape or not (np.diff(rest_v) > 0.0).all():
            raise ValueError("its rest_v and error do not fit each other")
        numbers = (float(fields[name]) for name in ("factor", "most_distance", "most_error"))
        network, shape = RadialNetwork.decode(fields["network"]), PulseShape.decode(fields["shape"])
        return cls(str(fields["chemistry"]), float(fields["nominal_ah"]), network, shape, rest_v, error, *numbers)


@dataclass(frozen=True)
class GradeModel:
    """Everything that a grading needs; `about` says what made it: command, data set, licence, split, scores."""

    types: tuple[TaughtType, ...]
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def grade(self, volts: Floats, nominal_ah: Floats) -> list[PulseGrade]:
        """Return the grade of each row `volts[rows, 21]` (V) of a cell with a nominal capacity (Ah)."""
        faults = find_faults(volts, nominal_ah)
        place = [self._find_type(float(nominal)) for nominal in nominal_ah]
        grades = [
            reject(Rejection.MALFORMED, why) if why else self._refuse(float(nominal))
            for why, nominal in zip(faults, nominal_ah, strict=True)
        ]
        for number, taught in enumerate(self.types):
            rows = [k for k, (why, at) in enumerate(zip(faults, place, strict=True)) if not why and at == number]
            if rows:
                others = self._find_others(taught, volts[rows])
                for row, grade, other in zip(rows, taught.grade(volts[rows]), others, strict=True):
                    grades[row] = other or grade
        return grades

    def _find_others(self, taught: TaughtType, volts: Floats) -> list[PulseGrade | None]:
        """Return the rejection of each row whose pulses fit another taught chemistry better, else None."""
        own = taught.shape.find_unlikeliness(volts)
        found: list[PulseGrade | None] = [None] * len(volts)
        for other in self.types:
            if other.chemistry == taught.chemistry:
                continue
            near = other.shape.find_distance(volts) <= other.most_distance
            for row in np.flatnonzero(near & (other.shape.find_unlikeliness(volts) < own)).tolist():
                reason = (
                    f"the pulses are those of a {other.chemistry} cell, while {NOMINAL} = {taught.nominal_ah:g} Ah "
                    f"was taught for {taught.chemistry}"
                )
                found[row] = reject(Rejection.FOREIGN, reason)
        return found

    def _find_type(self, nominal_ah: float) -> int:
        return next((number for number, taught in enumerate(self.types) if taught.fits(nominal_ah)), -1)

    def _refuse(self, nominal_ah: float) -> PulseGrade:
        known = ", ".join(f"{taught.chemistry} {taught.nominal_ah:g} Ah" for taught in self.types)
        reason = f"a type of {NOMINAL} = {nominal_ah:g} Ah was not taught (taught: {known})"
        return reject(Rejection.UNTAUGHT, reason)

    def encode(self) -> dict[str, Any]:
        """Return the model for a file."""
        return {"schema": SCHEMA, "about": dict(self.about), "types": [one.encode() for one in self.types]}

    @classmethod
    def decode(cls, fields: Mapping[str, Any]) -> Self:
        """Return the model of `encode`; raise `KeyError`, `TypeError` or `ValueError`."""
        types = tuple(TaughtType.decode(one) for one in fields["types"])
        if not types:
            raise ValueError("it holds no type")
        return cls(types, dict(fields["about"]))


def combine_grades(grades: Sequence[PulseGrade]) -> PulseGrade | None:
    """Return one grade from several of a cell: geometric mean, and mean width, as errors of a cell go together.

    Rejected ones do not count; None where no other is left.
    """
    kept = [grade for grade in grades if not grade.is_rejected]
    if not kept:
        return None
    middle, low, high = (
        float(np.exp(np.mean(np.log([getattr(grade, name) for grade in kept]))))
        for name in ("capacity_ah", "low_ah", "high_ah")
    )
    return PulseGrade(middle, low, high, kept[0].chemistry)
