"""One meter for all shards of a host: counts add up, and the state of the host is that of all its shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_bridge.fleet.meter import FleetFigures

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from edge_bridge.fleet.meter import FleetMeter
    from edge_bridge.fleet.store.records import CommitResult


class ShardMeters:
    """The meters of the shards that a host holds."""

    def __init__(self, meter: FleetMeter) -> None:
        self.meter = meter
        self._figures = dict[int, FleetFigures]()  # the newest of each shard
        self._failed_before = 0  # in shards that the host has no more
        self._held = frozenset[int]()

    def make(self, shard: int) -> ShardMeter:
        """Return the meter of one shard."""
        return ShardMeter(self, shard)

    def drop(self, shard: int) -> None:
        """Forget a shard, but not what it counted."""
        if (last := self._figures.pop(shard, None)) is not None:
            self._failed_before += last.failed_commits
            self._tell()

    def note_held(self, shards: Collection[int]) -> None:
        """Note which shards the host holds now; a shard without a group is one too."""
        held = frozenset(shards)
        if held != self._held:
            self.meter.count_shards(len(held), len(held ^ self._held))
            self._held = held

    def note(self, shard: int, figures: FleetFigures) -> None:
        self._figures[shard] = figures
        self._tell()

    def _tell(self) -> None:
        found = self._figures.values()
        self.meter.note_figures(
            FleetFigures(
                devices_known=sum(one.devices_known for one in found),
                devices_online=sum(one.devices_online for one in found),
                has_broker=all(one.has_broker for one in found),
                is_online=all(one.is_online for one in found),
                outage_s=max((one.outage_s for one in found), default=0.0),
                queued=sum(one.queued for one in found),
                queued_bytes=sum(one.queued_bytes for one in found),
                failed_commits=self._failed_before + sum(one.failed_commits for one in found),
            )
        )


class ShardMeter:
    """A `FleetMeter` of one shard."""

    def __init__(self, all_of_host: ShardMeters, shard: int) -> None:
        self._all, self._shard = all_of_host, shard

    def count_batch(self, rows: int, counts: Mapping[tuple[str, str], int]) -> None:
        self._all.meter.count_batch(rows, counts)

    def count_commit(self, duration_s: float, stored: CommitResult) -> None:
        self._all.meter.count_commit(duration_s, stored)

    def count_shards(self, held: int, changes: int) -> None:
        self._all.meter.count_shards(held, changes)

    def note_figures(self, figures: FleetFigures) -> None:
        self._all.note(self._shard, figures)
