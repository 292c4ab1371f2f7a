"""The view of a fleet at one instant: immutable, for the command line and the window."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edge_bridge import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.bundle_transfer import BundleTransfer, TransferProgress
    from edge_bridge.fleet.node_state import NodeState
    from edge_bridge.fleet.store.records import Totals
    from edge_bridge.metrics import Scalar


@dataclass(frozen=True, slots=True)
class NodeView:
    """One pack; `status` is its last status by metric name, `last_ms` the time of its newest row.

    `is_known` is whether the fleet still tells its state; a fleet that does not answer leaves what was last known.
    """

    node: str
    online: bool
    rows: int
    last_ms: int | None
    status: Mapping[str, Scalar]
    sending: TransferProgress | None = None
    is_known: bool = True

    @property
    def bundle(self) -> str:
        """Return the SHA-256 of the running bundle, empty if it is unknown."""
        return str(self.status.get(metrics.SHA256) or "")


def mark_unknown(node: NodeView) -> NodeView:
    """Return the pack as one whose present state nobody tells."""
    return replace(node, online=False, is_known=False)


@dataclass(frozen=True, slots=True)
class FleetView:
    """The fleet: `connected` to the broker, or `trouble` says why not; counters by reason since the file began."""

    connected: bool
    trouble: str
    outage_s: float
    nodes: tuple[NodeView, ...]
    totals: Totals
    resent: int
    refused: Mapping[str, int] = field(default_factory=dict[str, int])
    flagged: Mapping[str, int] = field(default_factory=dict[str, int])
    shards: tuple[int, ...] | None = None  # from 0; None for a host that serves all groups alone


def view_node(node: NodeState, rows: int, transfer: BundleTransfer | None) -> NodeView:
    """Return a view of a node, its stored rows and the transfer of a bundle to it."""
    progress = None if transfer is None else transfer.progress
    return NodeView(node.name, node.online, rows, node.last_ms, node.status, progress)
