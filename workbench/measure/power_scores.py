"""State of power beside its truth: the figures of `measure estimators`, declared before the first run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.measure.metric import UNEXPECTED, MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workbench.measure.metric import MeasureRow, Op

LANES: Final = ("twin.ekf", "twin.ckf", "twin.dual_ekf")
_MEDIAN: Final = {10.0: 10.0, 60.0: 15.0}  # %, by horizon in s
_WORST: Final = {10.0: 30.0, 60.0: 40.0}
_INSIDE: Final = 90.0
_DFN: Final = "power against PyBaMM's DFN"
SEEN, UNSEEN = "pulses of the fit", "pulses that no fit saw"


_FAR: Final = (
    "5 C is far beyond the small currents that the shipped circuits were tested with: two straight pairs do not "
    "saturate in the cold, and do not run out of salt or surface charge within a minute"
)
_COLD: Final = (
    "most of those outside are of the Panasonic cell at 0 degC and below, where small pulses drop more than its one "
    "fitted drive shows, and below 20 %, where its slow discharge ended early"
)


def _make(name: str, op: Op, target: float, reason: str = UNEXPECTED) -> MeasuredMetric:
    return MeasuredMetric(name, "%", op, target, reason=reason)


MEDIAN: Final = {
    (lane, horizon_s): _make(f"{_DFN}, up to 5 C, {lane}, {horizon_s:.0f} s, median error", "<=", target, _FAR)
    for lane in LANES
    for horizon_s, target in _MEDIAN.items()
}
WORST: Final = {
    horizon_s: _make(f"{_DFN}, up to 5 C, every lane, {horizon_s:.0f} s, worst error", "<=", target, _FAR)
    for horizon_s, target in _WORST.items()
}
INSIDE: Final = {
    lane: _make(f"{_DFN}, up to 5 C, {lane}, inside the 95 % interval", ">=", _INSIDE, _FAR) for lane in LANES
}
OWN_MEDIAN: Final = {
    horizon_s: _make(f"{_DFN}, within the cell's own currents, {horizon_s:.0f} s, median error", "<=", target)
    for horizon_s, target in _MEDIAN.items()
}
OWN_WORST: Final = {
    horizon_s: _make(f"{_DFN}, within the cell's own currents, {horizon_s:.0f} s, worst error", "<=", target)
    for horizon_s, target in _WORST.items()
}
OWN_INSIDE: Final = _make(f"{_DFN}, within the cell's own currents, inside the 95 % interval", ">=", _INSIDE)
DROP: Final = {
    seen: _make(f"voltage after 10 s, {seen}, median error of the drop", "<=", 10.0) for seen in (SEEN, UNSEEN)
}
DROP_INSIDE: Final = _make(f"voltage after 10 s, {UNSEEN}, inside the 95 % interval", ">=", _INSIDE, _COLD)
EXTRAPOLATED: Final = {
    seen: _make(f"power by the resistance of 10 s, {seen}, median error", "<=", 10.0) for seen in (SEEN, UNSEEN)
}
EXTRAPOLATED_INSIDE: Final = _make(
    f"power by the resistance of 10 s, {UNSEEN}, inside the 95 % interval", ">=", _INSIDE
)
DFN_METRICS: Final = (
    *MEDIAN.values(),
    *WORST.values(),
    *INSIDE.values(),
    *OWN_MEDIAN.values(),
    *OWN_WORST.values(),
    OWN_INSIDE,
)
PULSE_METRICS: Final = (*DROP.values(), DROP_INSIDE, *EXTRAPOLATED.values(), EXTRAPOLATED_INSIDE)


@dataclass(frozen=True)
class PowerScore:
    """A predicted value with its interval, and what it should be; `name` says where."""

    name: str
    lane: str
    horizon_s: float
    value: float
    low: float
    high: float
    truth: float

    @property
    def error(self) -> float:
        """The relative error, with its sign."""
        return self.value / self.truth - 1.0

    @property
    def is_inside(self) -> bool:
        return self.low <= self.truth <= self.high


def find_median(scores: Iterable[PowerScore]) -> float:
    """Return the median of the relative errors' magnitudes in %."""
    return 100.0 * float(np.median([abs(score.error) for score in scores]))


def find_inside(scores: Iterable[PowerScore]) -> float:
    """Return the share of scores inside their interval in %."""
    return 100.0 * float(np.mean([score.is_inside for score in scores]))


def describe(scores: list[PowerScore]) -> str:
    """Return how many scores there are, their worst error, and how many are above the truth and their interval."""
    worst = max(scores, key=lambda one: abs(one.error))
    high = sum(one.low > one.truth for one in scores)
    return f"{len(scores)} values, worst {100.0 * worst.error:+.0f} % ({worst.name}), low side above the truth {high}"


def make_dfn_rows(voltage: list[PowerScore], own: list[PowerScore], conditions: str) -> Iterator[MeasureRow]:
    """Yield the rows against the DFN: where the `voltage` alone limits, and within the cell's `own` currents too."""
    for (lane, horizon_s), metric in MEDIAN.items():
        of_both = [one for one in voltage if one.lane == lane and one.horizon_s == horizon_s]
        yield metric.make_row(find_median(of_both), None, f"{conditions}; {describe(of_both)}")
    for lane, metric in INSIDE.items():
        of_lane = [one for one in voltage if one.lane == lane]
        yield metric.make_row(find_inside(of_lane), None, f"both horizons; {describe(of_lane)}")
    for scores, medians, worsts in ((voltage, None, WORST), (own, OWN_MEDIAN, OWN_WORST)):
        for horizon_s, metric in worsts.items():
            of_horizon = [one for one in scores if one.horizon_s == horizon_s]
            yield metric.make_row(100.0 * max(abs(one.error) for one in of_horizon), None, describe(of_horizon))
            if medians is not None:
                yield medians[horizon_s].make_row(find_median(of_horizon), None, "every lane, the same states")
    yield OWN_INSIDE.make_row(find_inside(own), None, f"every lane, both horizons; {describe(own)}")
