"""Days of packs summed up by site and day, and by pack. Arrays in, numbers out; no I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_bridge.fleet.analytics import DAY_MS
from edge_bridge.fleet.day_table import find_newest, sum_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from edge_bridge.fleet.day_table import DayTable

    Floats = NDArray[np.float64]

SUMMED: Final = ("energy_out_wh", "energy_in_wh", "charge_out_ah", "charge_in_ah", "cycles")


@dataclass(frozen=True, slots=True)
class PackSums:
    """Packs over a whole span; NaN where nothing is known."""

    nodes: Sequence[str]
    energy_out_wh: Floats
    energy_in_wh: Floats
    cycles: Floats
    availability: Floats
    efficiency: Floats
    soh: Floats

    def read(self, place: int) -> dict[str, Any]:
        """Return one pack; None where nothing is known."""
        names = ("energy_out_wh", "energy_in_wh", "cycles", "availability", "efficiency", "soh")
        return {"node": self.nodes[place]} | {name: as_known(float(getattr(self, name)[place])) for name in names}


def sum_packs(table: DayTable, nodes: Sequence[str], passed_ms: int) -> PackSums:
    """Sum up these packs; `passed_ms`: length of the span so far. The efficiency is that of the daily round trips."""
    place_of = {node: place for place, node in enumerate(nodes)}
    places = np.array([place_of.get(node, -1) for node in table.nodes], dtype=np.int64)
    lines = places[table.pack] if len(places) else table.pack
    sums = {name: sum_by(lines, values, len(nodes)) for name, values in table.sums.items() if name != "soh"}
    newest, soh = find_newest(table, "soh"), np.full(len(nodes), math.nan)
    soh[places[places >= 0]] = newest[places >= 0]
    into = sums["trip_in_wh"]
    return PackSums(
        nodes,
        *(sums[name] for name in ("energy_out_wh", "energy_in_wh", "cycles")),
        availability=np.minimum(1.0, sums["reported_ms"] / passed_ms),
        efficiency=np.divide(sums["trip_out_wh"], into, out=np.full(len(nodes), math.nan), where=into > 0),
        soh=soh,
    )


def sum_site_days(table: DayTable, find_site: Callable[[str], str | None], until_ms: int) -> Iterator[dict[str, Any]]:
    """Yield the sums of each day and site, by day; the packs of no site come last."""
    if not len(table.day):
        return
    used: list[int] = np.unique(table.pack).tolist()
    site_of = {table.nodes[place]: find_site(table.nodes[place]) for place in used}
    sites = sorted(set(site_of.values()), key=lambda site: (site is None, site or ""))
    rank = {site: place for place, site in enumerate(sites)}
    ranks = np.array([rank.get(site_of.get(node), 0) for node in table.nodes], dtype=np.int64)
    keys, group = np.unique(table.day * len(sites) + ranks[table.pack], return_inverse=True)
    packs = np.bincount(group)
    sums = {name: sum_by(group, table.sums[name], len(keys)) for name in (*SUMMED, "reported_ms")}
    order = np.argsort(group, kind="stable")
    soh = np.split(table.sums["soh"][order], np.cumsum(packs)[:-1])
    for place, key in enumerate(keys.tolist()):
        day, site = divmod(key, len(sites))
        passed_ms = max(1, min(DAY_MS, until_ms - day * DAY_MS))
        known = soh[place][np.isfinite(soh[place])]
        yield {
            "site": sites[site],
            "day_ms": day * DAY_MS,
            "packs": int(packs[place]),
            **{name: float(sums[name][place]) for name in SUMMED},
            "availability": min(1.0, float(sums["reported_ms"][place]) / (passed_ms * int(packs[place]))),
            **{f"soh_{word}": find_share(known, share) for word, share in (("low", 10), ("median", 50), ("high", 90))},
        }


def find_share(values: Floats | Sequence[float], percent: float) -> float | None:
    """Return the value below which so many percent lie, None without values."""
    return float(np.percentile(values, percent)) if len(values) else None


def as_known(value: float) -> float | None:
    """Return None in place of NaN."""
    return value if math.isfinite(value) else None
