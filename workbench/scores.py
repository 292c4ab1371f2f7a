"""The scores of the lanes of a run, each with its coverage: too few known samples give no score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.channel_names import BENCH_STATE, CELL_VOLTAGES, LANE_STEPS, LOOP_TWIN, lane_channel, lane_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from drivers.runlog.run import Run
    from drivers.snapshot import Floats

ENOUGH: Final = 0.99  # of the samples must be known
RUNNING: Final = 3.0
TIME: Final = "t_s"
# A set-point leaves after its turn and is sampled within the next periods: how far loop and simulator are apart drifts.
WRITTEN_TICKS: Final = (1, 2, 3)
SETTLE_TICKS: Final = 100  # set-points and read-backs need a moment after the first tick


@dataclass(frozen=True)
class LaneScore:
    """A score: `value`, or None with the `reason`; `coverage`: the known share (0 to 1) of its samples."""

    value: float | None
    coverage: float
    reason: str = ""

    def words(self, factor: float, unit: str, decimals: int) -> str:
        """Return the value times `factor` with its unit, or why it is not judged."""
        return f"not judged: {self.reason}" if self.value is None else f"{factor * self.value:.{decimals}f} {unit}"

    def scale(self, factor: float) -> float | None:
        """Return the value times `factor`; None without a value."""
        return None if self.value is None else factor * self.value


def rms(differences: Floats) -> LaneScore:
    """Return the root mean square of an array of any shape; NaN is an unknown sample."""
    if not differences.size:
        return LaneScore(None, 0.0, "there are no samples")
    known = np.isfinite(differences)
    coverage = float(known.mean())
    if coverage < ENOUGH:
        return LaneScore(
            None, coverage, f"known for {100 * coverage:.1f} % of the samples, {100 * ENOUGH:g} % are needed"
        )
    return LaneScore(float(np.sqrt(np.mean(differences[known] ** 2))), coverage)


def worst(scores: Sequence[LaneScore]) -> float:
    """Return the greatest score; NaN if one has no value or there are none."""
    values = [math.nan if score.value is None else score.value for score in scores]
    return float(np.max(values)) if values else math.nan


def nearest_gaps(mine: Floats, theirs: Floats, lags: tuple[int, ...]) -> Floats:
    """Return the gap of each of `theirs[rows]` to the nearest of the values of `mine` that are `lags` rows earlier.

    A gap is NaN if one of its values is unknown; the first `max(lags)` rows have no gap.
    """
    most, count = max(lags), len(mine)
    differences = np.abs([mine[most - lag : count - lag] - theirs[most:] for lag in lags])
    nearest: Floats = np.min(differences, axis=0)
    return nearest


def compute_lane_scores(run: Run) -> list[dict[str, Any]]:
    """Return each lane of a run with its scores; a figure that does not apply to it, or has no score, is None.

    A lane that failed has no score. `active`: at the end of the run as far as it is recorded; `was_active`: at any
    time while running.
    """
    return _Scores(run).all()


def compute_twin_score(run: Run, name: str) -> dict[str, Any]:
    """Return the scores of one twin, as `compute_lane_scores` does of each lane."""
    return _Scores(run).of_lane("twin", name)


def compute_late_difference(run: Run, name: str) -> tuple[LaneScore, float]:
    """Return how far a shadow twin was from the active one (V) since its first value, and when that came.

    The second value is in s of running. A twin in a worker (the DFN) is built beside a bench that runs already; the
    samples before its first value are none of its score, but those that it misses later are.
    """
    return _Scores(run).late_difference(name)


def list_active_twins(run: Run) -> list[str]:
    """Return the twins that were active while running, in the order of the bench file."""
    return _Scores(run).list_active()


class _Scores:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._names = run.table.names
        self._read = dict[str, "Floats"]()
        self._lanes = [(found[1], found[2]) for name in self._names if (found := LANE_STEPS.fullmatch(name))]
        self._twins = [name for role, name in self._lanes if role == "twin"]
        running = run.columns([BENCH_STATE])[BENCH_STATE] == RUNNING
        running[:SETTLE_TICKS] = False
        self._running = running
        self._place = self._active_places()  # by row, NaN if unknown

    def all(self) -> list[dict[str, Any]]:
        return [self.of_lane(role, name) for role, name in self._lanes]

    def list_active(self) -> list[str]:
        return [name for name in self._twins if self._playing(name).any()]

    def _active_places(self) -> Floats:
        """Return the active twin by row; a run without that column records only the twin at its start."""
        if LOOP_TWIN in self._names:
            return self._column(LOOP_TWIN)
        first = self._run.meta["active"]["twin"]
        return np.full(self._run.count, float(self._twins.index(first)) if first in self._twins else np.nan)

    def of_lane(self, role: str, name: str) -> dict[str, Any]:
        step_s = self._column(f"{role}/{name}/step")
        known_s = step_s[np.isfinite(step_s)]
        failed = bool(len(step_s)) and not np.isfinite(step_s[-1])
        active = self._is_active(role, name)
        scores = self._scored(role, name)
        figures = dict.fromkeys(("tracking_mv", "difference_mv", "residual_mv", "soc_error"))
        reasons = ["the lane failed"] * failed + [score.reason for _, _, score in scores if score.reason]
        return {
            "role": role,
            "name": name,
            "active": active,
            "was_active": bool(self._playing(name).any()) if role == "twin" else active,
            "failed": failed,
            "step_us": float(1e6 * np.median(known_s)) if len(known_s) else None,
            **figures,
            **{key: None if failed else score.scale(factor) for key, factor, score in scores},
            "coverage": min((score.coverage for _, _, score in scores), default=None),
            "reason": next(iter(reasons), ""),
        }

    def _scored(self, role: str, name: str) -> list[tuple[str, float, LaneScore]]:
        """Return key, factor to its unit, and score of each figure that applies to a lane."""
        scores: list[tuple[str, float, LaneScore]] = []
        if role == "estimator" and (score := self._soc_error(name)) is not None:
            scores.append(("soc_error", 1.0, score))
        if role == "twin":
            if (active := self._playing(name)).any():
                scores.append(("tracking_mv", 1e3, self._tracking(name, active)))
            if (shadow := self._running & ~active).any() or not scores:
                scores.append(("difference_mv", 1e3, self._difference(name, shadow)))
        if self._running.sum() < SETTLE_TICKS:
            return [(key, factor, LaneScore(None, 0.0, "it did not run for long enough")) for key, factor, _ in scores]
        return scores

    def _playing(self, twin: str) -> npt.NDArray[np.bool_]:
        """Return a mask of the rows in which a twin was active while running."""
        return self._running & (self._place == self._twins.index(twin))

    def _is_active(self, role: str, name: str) -> bool:
        """Return whether the lane is active: from the last row for a twin, else from the start of the run."""
        last = self._place[-1] if role == "twin" and len(self._place) else np.nan
        if np.isfinite(last):
            return self._twins[int(last)] == name
        return bool(name == self._run.meta["active"][role])

    def _tracking(self, twin: str, during: npt.NDArray[np.bool_]) -> LaneScore:
        """Return the RMS of read-back minus the nearest set-point that it may show, sent by the twin then active."""
        most, gaps = max(WRITTEN_TICKS), list["Floats"]()
        for cell in self._cells(twin):
            sent = self._of_active(cell)
            gap = nearest_gaps(sent, self._column(cell), WRITTEN_TICKS)
            gaps.append(gap[during[most:]])
        return rms(np.concatenate(gaps)) if gaps else rms(np.empty(0))

    def _difference(self, twin: str, during: npt.NDArray[np.bool_]) -> LaneScore:
        """Return the RMS of a twin minus the twin that is active in the same row."""
        gaps = [self._column(lane_channel("twin", twin, cell)) - self._of_active(cell) for cell in self._cells(twin)]
        return rms(np.concatenate([gap[during] for gap in gaps])) if gaps else rms(np.empty(0))

    def late_difference(self, name: str) -> tuple[LaneScore, float]:
        during, times_s = self._running & ~self._playing(name), self._column(TIME)
        known = [np.isfinite(self._column(lane_channel("twin", name, cell))) for cell in self._cells(name)]
        judged = np.flatnonzero(during & np.any(known, axis=0)) if known else np.empty(0, np.intp)
        if not len(judged):
            return LaneScore(None, 0.0, "it gave no value while the bench was running"), 0.0
        after_s = float(times_s[judged[0]] - times_s[np.flatnonzero(during)[0]])
        during[: judged[0]] = False
        if self.of_lane("twin", name)["failed"]:
            return LaneScore(None, 0.0, "the lane failed"), after_s
        if during.sum() < SETTLE_TICKS:
            return LaneScore(None, 0.0, "it did not run for long enough"), after_s
        return self._difference(name, during), after_s

    def _soc_error(self, estimator: str) -> LaneScore | None:
        """Return the RMS error of the pack's SoC against the active twin (a fraction); None in mode pack."""
        cells = [cell.replace("voltage", "soc") for cell in self._cells(self._widest())]
        if not cells:
            return None
        truth: Floats = np.mean([self._of_active(cell) for cell in cells], axis=0)
        return rms((self._column(lane_channel("estimator", estimator, "soc")) - truth)[self._running])

    def _widest(self) -> str:
        """Return a twin that simulates the most cells: only such a twin may be active."""
        return max(self._twins, key=lambda name: len(self._cells(name)), default="")

    def _cells(self, twin: str) -> list[str]:
        """Return `cell_NN/voltage` of the cells that a twin simulates."""
        begins = lane_prefix("twin", twin)
        own = (name.removeprefix(begins) for name in self._names if name.startswith(begins))
        return [name for name in own if CELL_VOLTAGES.fullmatch(name)]

    def _of_active(self, what: str) -> Floats:
        """Return a column of the twin active in each row; NaN if there is none or it does not simulate that cell."""
        values = np.full(self._run.count, np.nan)
        for place, name in enumerate(self._twins):
            if (column := lane_channel("twin", name, what)) in self._names:
                np.copyto(values, self._column(column), where=self._place == place)
        return values

    def _column(self, name: str) -> Floats:
        if name not in self._read:
            self._read[name] = self._run.columns([name])[name]
        return self._read[name]
