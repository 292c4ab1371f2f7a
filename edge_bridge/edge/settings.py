"""What an edge is told at its start, and where it keeps what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.edge.node import NodeNames


@dataclass(frozen=True)
class EdgeSettings:
    """`bundle` to install (None: what is installed already), `trust` the keys, `state` the edge's own folder.

    `bus` is interface, channel and bit rate of the pack's CAN; `rate_hz` rows a second.
    """

    names: NodeNames
    broker: str
    bundle: Path | None
    trust: Path
    state: Path
    bus: tuple[str, str, int]
    allow_sim: bool = False
    rate_hz: float = 10.0
    capacity_rows: int = 500_000

    @property
    def outbox(self) -> Path:
        return self.state / "outbox.sqlite"

    @property
    def bd_seq(self) -> Path:
        """The number of the last connection."""
        return self.state / "bd_seq.json"

    @property
    def trip(self) -> Path:
        """The trip that nobody has reset."""
        return self.state / "trip.json"

    @property
    def slots(self) -> Path:
        return self.state / "slots"

    @property
    def work(self) -> Path:
        """Members of the bundles, unpacked."""
        return self.state / "work"
