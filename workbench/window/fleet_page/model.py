"""What the Fleet page asks of a fleet and of a broker, without Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.view import FleetView


class FleetClient(Protocol):
    """A fleet that is heard; `edge_bridge.fleet.fleet_thread.FleetSession` is the one."""

    def snapshot(self) -> FleetView:
        """Raises `PulseError` when it has failed."""
        ...

    def send_bundle(self, path: Path, node: str) -> None:
        """Raises `Usage`."""
        ...


class OwnBroker(Protocol):
    """A broker process of ours; `workbench.compose.broker.own_broker` makes one."""

    @property
    def url(self) -> str: ...

    @property
    def is_running(self) -> bool: ...

    def restart(self) -> None:
        """On the same port; raises `BrokerMissing`."""
        ...

    def stop(self) -> None: ...


class FleetBackend(Protocol):
    """Opens fleets and a broker of ours. Everything but the properties may take seconds; one thread calls it."""

    @property
    def broker_runs(self) -> bool:
        """Whether a broker of ours answers."""
        ...

    def open(self, broker: str, database: Path) -> FleetClient:
        """In place of one that was open; raises `PulseError`."""
        ...

    def leave(self) -> None:
        """Commit, say goodbye, disconnect."""
        ...

    def start_broker(self) -> str:
        """A broker of ours; answers its URL, that of before where there was one. Raises `PulseError`."""
        ...

    def stop_broker(self) -> None: ...

    def close(self) -> None:
        """Leave, and stop the broker."""
        ...
