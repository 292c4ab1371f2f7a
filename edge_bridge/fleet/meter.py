"""The port for whoever measures a fleet host: figures a turn, never a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.store.records import CommitResult


@dataclass(frozen=True, slots=True)
class FleetFigures:
    """A host at one instant; `queued` are messages that were received and not yet handled.

    `failed_commits` are those since the start that the database did not accept.
    """

    devices_known: int
    devices_online: int
    has_broker: bool
    is_online: bool
    outage_s: float
    queued: int
    queued_bytes: int
    failed_commits: int


class FleetMeter(Protocol):
    """One who measures; the fleet's thread calls it, so it must return at once and never raise."""

    def count_batch(self, rows: int, counts: Mapping[tuple[str, str], int]) -> None:
        """Count the rows of one turn, and what was refused or flagged in it, by kind and reason."""
        ...

    def count_commit(self, duration_s: float, stored: CommitResult) -> None:
        """Count a commit that the database accepted."""
        ...

    def count_shards(self, held: int, changes: int) -> None:
        """Note how many shards the host holds, and count those that it got or lost since the last call."""
        ...

    def note_figures(self, figures: FleetFigures) -> None:
        """Note the state of the host; called about once a second."""
        ...
