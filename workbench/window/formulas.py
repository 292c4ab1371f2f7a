"""Columns that the window computes from the ring's own, over whole blocks of new rows: bands, means, differences."""

from __future__ import annotations

import re
from collections.abc import Callable  # a field of a record names it
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from drivers.snapshot import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drivers.snapshot import Columns, Floats
    from workbench.window.model import LaneInfo

CELL_VOLTAGE: Final = re.compile(r"cell_\d+/voltage")
SENSOR: Final = re.compile(r"bms/temperature_\d+")

Reduce = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Formula:
    """One derived channel: `values[k]` from the ring's `values[C,k]`."""

    channel: Channel
    of: Callable[[Floats], Floats]


def formulas(names: Sequence[str], lanes: Sequence[LaneInfo]) -> list[Formula]:
    """All that the ring's columns allow; twins differ from the read-back or from the active twin."""
    column = {name: number for number, name in enumerate(names)}
    cells = _matching(column, CELL_VOLTAGE)
    sensors = _matching(column, SENSOR)
    made: list[Formula] = []
    if len(cells):
        made += [
            Formula(Channel(f"cells/{word}", "V"), partial(_reduced, cells, reduce))
            for word, reduce in (("min", _least), ("mean", _mean), ("max", _most), ("spread", _spread))
        ]
    if len(sensors):
        made += [
            Formula(Channel(f"temperature/{word}", "K"), partial(_reduced, sensors, reduce))
            for word, reduce in (("coldest", _least), ("hottest", _most))
        ]
    return made + _twins(column, lanes)


def _twins(column: dict[str, int], lanes: Sequence[LaneInfo]) -> list[Formula]:
    made: list[Formula] = []
    twins = [lane for lane in lanes if lane.role == "twin"]
    active = next((lane.name for lane in twins if lane.active), None)
    for lane in twins:
        own = _matching(column, re.compile(rf"twin/{re.escape(lane.name)}/cell_\d+/voltage"))
        keys = {key: number for key, number in column.items() if number in set(own.tolist())}
        against = "" if lane.active or active is None else f"twin/{active}/"
        pairs = [
            (number, column[against + key.split("/", 2)[2]])
            for key, number in keys.items()
            if against + key.split("/", 2)[2] in column
        ]
        if pairs:
            mine, other = (np.array(side, dtype=np.intp) for side in zip(*pairs, strict=True))
            made.append(Formula(Channel(f"twin/{lane.name}/difference", "V"), partial(_difference, mine, other)))
        soc = _matching(column, re.compile(rf"twin/{re.escape(lane.name)}/cell_\d+/soc"))
        if len(soc):
            made.append(Formula(Channel(f"twin/{lane.name}/soc", "1"), partial(_reduced, soc, _mean)))
    return made


def _matching(column: dict[str, int], pattern: re.Pattern[str]) -> Columns:
    return np.array([number for name, number in column.items() if pattern.fullmatch(name)], dtype=np.intp)


def _reduced(columns: Columns, reduce: Reduce, values: Floats) -> Floats:
    return reduce(values[columns])


def _difference(mine: Columns, other: Columns, values: Floats) -> Floats:
    return _mean(values[mine] - values[other])


def _least(values: Floats) -> Floats:
    return np.fmin.reduce(values, axis=0)


def _most(values: Floats) -> Floats:
    return np.fmax.reduce(values, axis=0)


def _spread(values: Floats) -> Floats:
    return _most(values) - _least(values)


def _mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    number = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def channels(made: Iterable[Formula]) -> list[Channel]:
    """Their channels, in order."""
    return [formula.channel for formula in made]
