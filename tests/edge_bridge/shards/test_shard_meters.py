"""One meter for the shards of a host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge_bridge.fleet.meter import FleetFigures
from edge_bridge.fleet.shard_meters import ShardMeters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.store.records import CommitResult

FIGURES = FleetFigures(
    devices_known=3,
    devices_online=2,
    has_broker=True,
    is_online=True,
    outage_s=1.0,
    queued=7,
    queued_bytes=700,
    failed_commits=4,
)


class LastFigures:
    """A meter that keeps what it was told."""

    def __init__(self) -> None:
        self.rows, self.last = 0, FIGURES
        self.shards = list[tuple[int, int]]()

    def count_batch(self, rows: int, counts: Mapping[tuple[str, str], int]) -> None:
        del counts
        self.rows += rows

    def count_commit(self, duration_s: float, stored: CommitResult) -> None: ...

    def count_shards(self, held: int, changes: int) -> None:
        self.shards.append((held, changes))

    def note_figures(self, figures: FleetFigures) -> None:
        self.last = figures


def test_a_shard_that_was_got_or_lost_is_counted_once() -> None:
    meter = LastFigures()
    meters = ShardMeters(meter)
    for held in ([], [0], [0], [0, 2], [1], []):
        meters.note_held(held)
    assert meter.shards == [(1, 1), (2, 1), (1, 3), (0, 1)]


def test_shards_add_up_and_a_counter_never_falls() -> None:
    meter = LastFigures()
    meters = ShardMeters(meter)
    one, two = meters.make(0), meters.make(1)
    one.note_figures(FIGURES)
    two.note_figures(replace(FIGURES, is_online=False, outage_s=5.0, failed_commits=1))
    both = FleetFigures(
        6, 4, has_broker=True, is_online=False, outage_s=5.0, queued=14, queued_bytes=1400, failed_commits=5
    )
    assert meter.last == both
    one.note_figures(FIGURES)  # the newest figures of a shard replace those before
    assert meter.last == both
    meters.drop(0)
    assert (meter.last.devices_known, meter.last.failed_commits) == (3, 5)
    meters.make(0).note_figures(replace(FIGURES, failed_commits=0))  # it came back with a new count
    assert (meter.last.devices_known, meter.last.failed_commits) == (6, 5)
    one.count_batch(2, {})
    two.count_batch(3, {})
    assert meter.rows == 5
