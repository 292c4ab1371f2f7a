"""The port for whoever shows a fleet live: what the host decoded, before it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.store.records import NodeRecord


class FleetTap(Protocol):
    """One who listens to the fleet; the fleet's thread calls it, so it must return at once and never raise."""

    def handle_decoded(self, rows: Sequence[StoredRow], notes: Mapping[str, NodeRecord]) -> None:
        """Take the rows of one turn in their order, and the new state of each node that changed, by name.

        Nothing is committed yet: a row may come again, and one that the store refuses is here too. Do not change
        the arguments or keep `rows`.
        """
        ...
