"""The settings of an edge at its start, and the paths of its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_bridge.edge.kept_rows import KEEP_DAYS

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.edge.node import NodeNames


@dataclass(frozen=True)
class EdgeSettings:
    """`bundle` to install (None: run the installed one), `trust` the keys, `state` the edge's own folder.

    `bus` is interface, channel and bit rate of the pack's CAN; `rate_hz` rows a second; `datatypes` in data too.
    `keep_days`: how long acknowledged rows stay in the outbox.
    `identity` is the folder of the certificate of this edge, for a broker with TLS.
    `pack_type`: the type of the pack, which a bundle must be for; empty: that of the first healthy bundle.
    """

    names: NodeNames
    broker: str
    bundle: Path | None
    trust: Path
    state: Path
    bus: tuple[str, str, int]
    allow_sim: bool = False
    pack_type: str = ""
    rate_hz: float = 10.0
    capacity_rows: int = 500_000
    datatypes: bool = True
    keep_days: float = KEEP_DAYS
    identity: Path | None = None

    @property
    def outbox(self) -> Path:
        return self.state / "outbox.sqlite"

    @property
    def bd_seq(self) -> Path:
        """Return the path of the file with the number of the last connection."""
        return self.state / "bd_seq.json"

    @property
    def trip(self) -> Path:
        """Return the path of the file with a trip that has not been reset."""
        return self.state / "trip.json"

    @property
    def slots(self) -> Path:
        return self.state / "slots"

    @property
    def work(self) -> Path:
        """Return the folder of the unpacked bundle members."""
        return self.state / "work"
