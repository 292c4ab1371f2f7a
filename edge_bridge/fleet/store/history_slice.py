"""One answer of a history: minimum, mean, maximum and count in buckets of equal length, and gaps as gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

Partial: TypeAlias = "Iterable[Sequence[float | None]]"  # bucket, then n, low, sum, high of each column
GAP_FACTOR: Final = 3.0  # a hole longer than so many usual distances between points is a gap
_WIDTH: Final = 4  # numbers of a column in a partial result


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Columns of a node from `from_ms` up to, not including, `to_ms`, in buckets of `step_ms`."""

    node: str
    columns: tuple[str, ...]
    from_ms: int
    to_ms: int
    step_ms: int


@dataclass(frozen=True, slots=True)
class HistoryColumn:
    """One column in each bucket; NaN and a count of 0 where it has no value."""

    low: NDArray[np.float64]
    mean: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HistorySlice:
    """Buckets that begin at `t_ms` and last `step_ms`, ascending. In a gap stands one bucket of NaN, count 0."""

    t_ms: NDArray[np.int64]
    step_ms: int
    columns: Mapping[str, HistoryColumn]


def make_slice(query: HistoryQuery, partials: Iterable[Partial]) -> HistorySlice:
    """Join partial results, which may share buckets, to one answer."""
    names = query.columns
    rows = [row for partial in partials for row in partial]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 1 + _WIDTH * len(names))
    buckets, places = np.unique(table[:, 0].astype(np.int64), return_inverse=True)
    shown = _add_gaps(buckets)
    at = np.searchsorted(shown, buckets)[places]
    columns = {
        name: _join(table[:, 1 + _WIDTH * index : 1 + _WIDTH * (index + 1)], at, len(shown))
        for index, name in enumerate(names)
    }
    return HistorySlice(query.from_ms + shown * query.step_ms, query.step_ms, columns)


def _join(table: NDArray[np.float64], at: NDArray[np.int64], size: int) -> HistoryColumn:
    count, total = np.zeros(size), np.zeros(size)
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    with_values = table[:, 0] > 0
    n, lowest, summed, highest = table[with_values].T
    at = at[with_values]
    np.add.at(count, at, n)
    np.add.at(total, at, summed)
    np.minimum.at(low, at, lowest)
    np.maximum.at(high, at, highest)
    empty = count == 0
    low[empty] = high[empty] = np.nan
    mean = np.divide(total, count, out=np.full(size, np.nan), where=~empty)
    return HistoryColumn(low, mean, high, count.astype(np.int64))


def _add_gaps(buckets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add one empty bucket to each hole that is long for these data; it takes the place of one that was empty."""
    steps = np.diff(buckets)
    if not len(steps):
        return buckets
    usual = max(1.0, float(np.median(steps)))
    return np.union1d(buckets, buckets[:-1][steps > GAP_FACTOR * usual] + 1)
