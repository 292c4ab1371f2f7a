"""Channels that the window computes from the ring's channels, in blocks of new rows: bands, means, differences."""

from __future__ import annotations

import re
from collections.abc import Callable  # a field of a record names it
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from drivers.channel_names import (
    BENCH_STATE,
    CELL,
    CELL_VOLTAGES,
    CELLS_MAX,
    CELLS_MEAN,
    CELLS_MIN,
    CELLS_SPREAD,
    COLDEST,
    HOTTEST,
    SENSED_TEMPERATURES,
    lane_channel,
    lane_prefix,
)
from drivers.snapshot import Channel, Columns, Floats
from workbench.scores import ENOUGH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.status import LaneInfo

ARMED: Final = 2  # `bench/state` of the first state in which estimators learn
DEAD_V: Final = 0.5  # where no cell carries more, the simulator's outputs are off and nothing is worth plotting
RISE_S: Final = 0.1  # time that the outputs take to rise after being switched on
TURN_S: Final = 0.010  # tolerance of that time: loop and simulator keep their own periods
LOOPS: Final = ("open_loop", "closed_loop")  # the shadow scores
LONGEST_S: Final = 1.0
WRITE_S: Final = 0.0175  # a set-point is sent in the simulator's next period of 10 ms and measured in the one after

Reduce = Callable[[Floats], Floats]


@dataclass(frozen=True)
class HistoryRows:
    """New rows and the rows before them: `new[C,k]`, `sampled_s[M,k]`; `t_s[n+k]`, `values[C,n+k]`, oldest first."""

    new: Floats
    sampled_s: Floats
    t_s: Floats
    values: npt.NDArray[np.float32]

    def earlier(self, lag_s: Floats) -> Columns:
        """Return, for each new row, the index of the row that was the newest `lag_s[k]` before it."""
        then_s = self.t_s[len(self.t_s) - self.new.shape[1] :] - np.nan_to_num(lag_s)
        return np.maximum(self.t_s.searchsorted(then_s, side="right") - 1, 0)


@dataclass(frozen=True)
class DerivedChannel:
    """One derived channel: `values[k]` of the new rows."""

    channel: Channel
    of: Callable[[HistoryRows], Floats]


def make_derived_channels(
    names: Sequence[str], lanes: Sequence[LaneInfo], *, residual: bool = False
) -> list[DerivedChannel]:
    """Return all derived channels that the ring's columns allow.

    The active twin's set-points are compared with the read-back and other twins with the active one; with
    `residual` (a real pack is measured) every twin is compared with the measurement.
    """
    column = {name: number for number, name in enumerate(names)}
    cells = _matching(column, CELL_VOLTAGES)
    sensors = _matching(column, SENSED_TEMPERATURES)
    made: list[DerivedChannel] = []
    if len(cells):
        made += [
            DerivedChannel(Channel(name, "V"), partial(_of_live, cells, reduce))
            for name, reduce in (
                (CELLS_MIN, _least),
                (CELLS_MEAN, _mean),
                (CELLS_MAX, _most),
                (CELLS_SPREAD, _spread),
            )
        ]
        made += [
            DerivedChannel(
                Channel(lane_channel("estimator", lane.name, "soc_band"), "1"),
                partial(_while_armed, column[BENCH_STATE], column[std]),
            )
            for lane in lanes
            if (std := lane_channel("estimator", lane.name, "soc_std")) in column and BENCH_STATE in column
        ]
    if len(sensors):
        made += [
            DerivedChannel(Channel(name, "K"), partial(_reduce, sensors, reduce))
            for name, reduce in ((COLDEST, _least), (HOTTEST, _most))
        ]
    return made + _twins(column, lanes, residual=residual) + _controllers(column, lanes)


def _twins(column: dict[str, int], lanes: Sequence[LaneInfo], *, residual: bool) -> list[DerivedChannel]:
    made: list[DerivedChannel] = []
    twins = [lane for lane in lanes if lane.role == "twin"]
    active = next((lane.name for lane in twins if lane.active), None)
    for lane in twins:
        path = lane_prefix("twin", lane.name)
        measured = residual or lane.active or active is None
        against = "" if active is None or measured else lane_prefix("twin", active)
        pairs = [
            (number, column[other])
            for name, number in column.items()
            if name.startswith(path) and CELL_VOLTAGES.fullmatch(name.removeprefix(path))
            if (other := against + name.removeprefix(path)) in column
        ]
        if pairs:
            mine, theirs = (np.array(side, dtype=np.intp) for side in zip(*pairs, strict=True))
            age = column.get(f"{path}age")
            write_s = 0.0 if residual else WRITE_S
            of = partial(_tracking, mine, theirs, write_s) if measured else partial(_difference, mine, theirs, age)
            made.append(DerivedChannel(Channel(f"{path}difference", "V"), of))
        soc = _matching(column, re.compile(rf"{re.escape(path)}{CELL}\d+/soc"))
        if len(soc):
            made.append(DerivedChannel(Channel(f"{path}soc", "1"), partial(_reduce, soc, _mean)))
    return made


def _controllers(column: dict[str, int], lanes: Sequence[LaneInfo]) -> list[DerivedChannel]:
    """Return what each controller costs more than the active one, in both shadow scores, and its longest step."""
    controllers = [lane for lane in lanes if lane.role == "controller"]
    active = next((lane.name for lane in controllers if lane.active), None)
    made: list[DerivedChannel] = []
    for lane in controllers:
        own = partial(lane_channel, "controller", lane.name)
        for loop in LOOPS:
            mine = column.get(own(f"{loop}_cost"))
            theirs = column.get(lane_channel("controller", active or "", f"{loop}_cost"))
            if mine is not None and theirs is not None:
                made.append(DerivedChannel(Channel(own(f"{loop}_more"), "EUR"), partial(_above, mine, theirs)))
        if (step := column.get(own("step"))) is not None:
            made.append(DerivedChannel(Channel(own("longest_step"), "s"), partial(_longest, step)))
    return made


def _above(mine: int, theirs: int, rows: HistoryRows) -> Floats:
    return rows.new[mine] - rows.new[theirs]


def _longest(column: int, rows: HistoryRows) -> Floats:
    """Return the longest of the last second: a controller that plans every tenth turn takes no time in the others."""
    count = rows.new.shape[1]
    since = rows.earlier(np.zeros(count) + LONGEST_S).tolist()
    values = np.nan_to_num(rows.values[column].astype(np.float64), nan=-np.inf)
    longest = np.array(
        [
            values[first : last + 1].max()
            for first, last in zip(since, range(len(values) - count, len(values)), strict=True)
        ]
    )
    return np.where(np.isfinite(longest) & np.isfinite(rows.new[column]), longest, np.nan)


def _matching(column: dict[str, int], pattern: re.Pattern[str]) -> Columns:
    return np.array([number for name, number in column.items() if pattern.fullmatch(name)], dtype=np.intp)


def _reduce(columns: Columns, reduce: Reduce, rows: HistoryRows) -> Floats:
    return reduce(rows.new[columns])


def _of_live(cells: Columns, reduce: Reduce, rows: HistoryRows) -> Floats:
    return np.where(_live(rows, cells), reduce(rows.new[cells]), np.nan)


def _while_armed(state: int, column: int, rows: HistoryRows) -> Floats:
    """Return a column while estimators learn; before that an estimate is its start value; its band hides the rest."""
    return np.where(rows.new[state] >= ARMED, rows.new[column], np.nan)


def _live(rows: HistoryRows, cells: Columns) -> npt.NDArray[np.bool_]:
    """Whether any cell has had voltage for the rise time of the outputs; one dead cell among live ones is a finding."""
    before = rows.values[cells][:, rows.earlier(np.zeros(rows.new.shape[1]) + RISE_S)]
    return (_most(rows.new[cells]) > DEAD_V) & (_most(before.astype(np.float64)) > DEAD_V)


def _tracking(mine: Columns, cells: Columns, write_s: float, rows: HistoryRows) -> Floats:
    """Return the mean of the set-point (the nearest of those possible at the sampling) minus the read-back."""
    t_s = rows.t_s[len(rows.t_s) - rows.new.shape[1] :]
    known = cells[0] < len(rows.sampled_s)
    age_s = t_s - rows.sampled_s[cells[0]] if known else np.zeros_like(t_s)
    lags_s = (write_s - TURN_S, write_s, write_s + TURN_S) if write_s else (0.0,)
    gaps = np.array([rows.values[mine][:, rows.earlier(age_s + lag_s)] - rows.new[cells] for lag_s in lags_s])
    nearest = np.take_along_axis(gaps, np.argmin(np.abs(gaps), axis=0)[None], axis=0)[0]
    return np.where(_live(rows, cells), _score(nearest), np.nan)


def _difference(mine: Columns, active: Columns, age: int | None, rows: HistoryRows) -> Floats:
    """Return a twin minus the active one at the instant of its newest output; mean over the cells."""
    if age is None:
        return _score(rows.new[mine] - rows.new[active])
    return _score(rows.new[mine] - rows.values[active][:, rows.earlier(rows.new[age])])


def _least(values: Floats) -> Floats:
    return np.fmin.reduce(values, axis=0)


def _most(values: Floats) -> Floats:
    return np.fmax.reduce(values, axis=0)


def _spread(values: Floats) -> Floats:
    return _most(values) - _least(values)


def _score(values: Floats) -> Floats:
    """Return the mean over the cells, NaN if too few cells are known."""
    return np.where(np.isfinite(values).mean(axis=0) >= ENOUGH, _mean(values), np.nan)


def _mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    number = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
