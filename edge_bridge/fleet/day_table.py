"""The days of many packs as columns: ten thousand packs over a month are summed by arrays. No I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_bridge.fleet.store.upkeep_tables import DAY_SUMS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_bridge.fleet.analytics import PackDay

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DayTable:
    """One line for each pack and day: `pack` is a place in `nodes`; NaN where a sum is unknown."""

    nodes: tuple[str, ...]
    pack: Places
    day: Places  # counted from 1970
    sums: Mapping[str, Floats]  # those of `DAY_SUMS`
    last_ms: Places

    def choose(self, is_wanted: Callable[[str], bool]) -> DayTable:
        """Return the lines of some packs."""
        flags = np.array([is_wanted(node) for node in self.nodes], dtype=np.bool_)
        return self.pick(flags[self.pack]) if len(self.nodes) else self

    def pick(self, lines: NDArray[Any]) -> DayTable:
        """Return some lines, by flags or places."""
        sums = {name: values[lines] for name, values in self.sums.items()}
        return DayTable(self.nodes, self.pack[lines], self.day[lines], sums, self.last_ms[lines])


def make_table(rows: Sequence[Sequence[Any]]) -> DayTable:
    """Return a table of rows of `PACK_DAY`."""
    days, names, *columns = zip(*rows, strict=True) if rows else [()] * (3 + len(DAY_SUMS))
    place_of = {node: place for place, node in enumerate(sorted(set(names)))}
    return DayTable(
        tuple(place_of),
        np.fromiter((place_of[node] for node in names), np.int64, len(names)),
        np.array(days, dtype=np.int64),
        {name: np.array(values, dtype=np.float64) for name, values in zip(DAY_SUMS, columns, strict=False)},
        np.array(columns[-1], dtype=np.int64),
    )


def replace_days(table: DayTable, found: Mapping[tuple[int, str], PackDay | None]) -> DayTable:
    """Return the table with these days in place of its own; None is a day without a sample."""
    nodes = tuple(sorted({*table.nodes, *(node for _, node in found)}))
    place_of = {node: place for place, node in enumerate(nodes)}
    moved = np.array([place_of[node] for node in table.nodes], dtype=np.int64)
    pack = moved[table.pack] if len(moved) else table.pack
    replaced = np.array([day * len(nodes) + place_of[node] for day, node in found], dtype=np.int64)
    keep = ~np.isin(table.day * len(nodes) + pack, replaced)
    known = [(day, place_of[node], one) for (day, node), one in found.items() if one is not None]
    sums = {
        name: np.r_[values[keep], _collect(getattr(one, name) for _, _, one in known)]
        for name, values in table.sums.items()
    }
    joined = DayTable(
        nodes,
        np.r_[pack[keep], np.array([place for _, place, _ in known], dtype=np.int64)],
        np.r_[table.day[keep], np.array([day for day, _, _ in known], dtype=np.int64)],
        sums,
        np.r_[table.last_ms[keep], np.array([one.last_ms + MINUTE_MS for _, _, one in known], dtype=np.int64)],
    )
    return joined.pick(np.lexsort((joined.pack, joined.day)))


def _collect(values: Iterable[float]) -> Floats:
    return np.fromiter(values, np.float64)


def sum_by(places: Places, values: Floats, size: int) -> Floats:
    """Return the sum of the values at each place."""
    return np.bincount(places, weights=values, minlength=size).astype(np.float64)


def find_newest(table: DayTable, name: str) -> Floats:
    """Return the known value of the newest day of each pack, NaN without one."""
    known = table.pick(np.isfinite(table.sums[name]))
    order = np.argsort(known.day, kind="stable")
    found = np.full(len(table.nodes), math.nan)
    found[known.pack[order]] = known.sums[name][order]  # the last one stays
    return found
