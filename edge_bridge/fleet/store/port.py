"""The port between the fleet and its database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge_bridge.fleet.store.audit_chain import AuditNote
    from edge_bridge.fleet.store.records import Batch, CommitResult, NodeRecord, Totals
    from edge_bridge.fleet.summary import NodeSummary
    from edge_bridge.ranges import Range


class FleetStore(Protocol):
    """A store of rows: each row exactly once, acknowledged only after the commit.

    One thread at a time uses it; the running counts (`read_totals`, `count_rows`) may be read meanwhile.
    """

    @property
    def notices(self) -> list[str]:
        """What was converted when the database was opened, in sentences."""
        ...

    def commit(self, batch: Batch) -> CommitResult:
        """Commit all of the batch or nothing; raise `StoreFailed` if the database does not accept it."""
        ...

    def read_nodes(self, report: Callable[[str], None] | None = None) -> list[NodeRecord]:
        """Read the stored nodes, by name. `report` a status that is damaged; without `report` raise `Usage`."""
        ...

    def forget(self, node: str, *, delete_rows: bool, note: AuditNote | None = None) -> int:
        """Remove a node and all that is known of it, its archived rows too, with an entry in the audit log.

        Return how many rows were deleted. Raise `Usage`, or `StoreFailed` for an archive that cannot be written anew.
        """
        ...

    def read_counts(self, kind: str) -> dict[str, int]:
        """Read the counts of a kind (`refused` or `flagged`), by reason."""
        ...

    def read_totals(self) -> Totals:
        """Return the row totals over all nodes, from the running counts; does not ask the database."""
        ...

    def count_rows(self) -> Mapping[str, int]:
        """Return the rows stored, by node; does not ask the database."""
        ...

    def summary(self) -> list[NodeSummary]:
        """Return each node's rows, counted from the tables as sets."""
        ...

    def find_missing(self, node: str, kept: Mapping[str, Sequence[Range]]) -> dict[str, list[Range]]:
        """Return which rows of these ranges, by boot, are neither stored nor named in a gap; raise `StoreFailed`.

        Rows in the archive count as stored. Any thread may ask, while another one commits.
        """
        ...

    def close(self) -> None:
        """Give the database free."""
        ...
