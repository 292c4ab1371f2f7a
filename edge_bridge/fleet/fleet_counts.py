"""The counters of a host by kind and reason, as its database had them at the start and as they go on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edge_bridge.fleet.store.records import FLAGGED, REFUSED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.meter import FleetMeter
    from edge_bridge.fleet.store.port import FleetStore


class FleetCounts:
    """What a batch counts is metered when it is collected and added here once it is committed."""

    def __init__(self, store: FleetStore, meter: FleetMeter | None) -> None:
        self._meter, self._counts = meter, Counter[tuple[str, str]]()
        for kind in (REFUSED, FLAGGED):
            self._counts.update({(kind, reason): count for reason, count in store.read_counts(kind).items()})

    def add_batch(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Add the counts of a commit, which the meter has already."""
        self._counts.update(counts)

    def add(self, key: tuple[str, str]) -> None:
        """Count one of what is in no batch; the meter gets it too."""
        self._counts[key] += 1
        if self._meter is not None:
            self._meter.count_batch(0, {key: 1})

    def list_reasons(self, kind: str) -> dict[str, int]:
        """Return the counts of a kind by reason."""
        return {reason: count for (one, reason), count in self._counts.items() if one == kind}
